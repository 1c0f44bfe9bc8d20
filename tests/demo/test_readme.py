"""What README has users run first does what it says."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.conftest import Platform

README = Path(__file__).parents[2] / "README.md"


def _programs() -> list[str]:
    return re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)


def test_the_detectors_alone(capsys: pytest.CaptureFixture[str]) -> None:
    _, source = _programs()
    exec(source, {})
    changes, drifted = capsys.readouterr().out.splitlines()
    first = int(changes.strip("[]").split()[0])
    assert 600 <= first < 650, "the mean changes at 600"
    assert drifted == "('age',)"


@pytest.mark.acceptance
def test_the_first_program_runs(platform: Platform, tmp_path: Path) -> None:
    source, _ = _programs()
    file = tmp_path / "first.py"
    file.write_text(source)
    environment = {**os.environ, "KEDGE_URL": platform.web, "MLFLOW_TRACKING_URI": platform.web}
    for _ in range(2):  # and once more: the step is cached, the same data is the same version
        done = subprocess.run(
            [sys.executable, str(file)], capture_output=True, text=True, env=environment, timeout=120
        )
        assert done.returncode == 0, done.stderr
        assert len(done.stdout.splitlines()) >= 2


@pytest.mark.acceptance
def test_a_program_without_a_guard_is_told_at_once(platform: Platform, tmp_path: Path) -> None:
    file = tmp_path / "unguarded.py"
    file.write_text(
        "import kedge\n\n"
        "@kedge.step\ndef one():\n    return 1\n\n"
        "@kedge.pipeline\ndef flow():\n    return one()\n\n"
        "print(kedge.submit(flow).result())\n"
    )
    environment = {**os.environ, "KEDGE_URL": platform.web}
    done = subprocess.run(
        [sys.executable, str(file)], capture_output=True, text=True, env=environment, timeout=60
    )
    assert done.returncode != 0
    assert "if __name__ ==" in done.stderr
