"""The example in `examples/flights` runs as its README says, and stays short."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.conftest import Platform

FOLDER = Path(__file__).parents[2] / "examples" / "flights"
LONGEST = 150


def test_the_example_is_short() -> None:
    assert sum(len(path.read_text().splitlines()) for path in FOLDER.glob("*.py")) <= LONGEST


@pytest.mark.acceptance
def test_the_example_runs(platform: Platform) -> None:
    environment = {
        **os.environ,
        "KEDGE_URL": platform.web,
        "MLFLOW_TRACKING_URI": platform.web,
    }
    command = [sys.executable, str(FOLDER / "loop.py"), "--every", "8", "--last", "4"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=240)
    assert done.returncode == 0, done.stderr
    assert "'promoted': True" in done.stdout
    assert "2013-04: AUC 0." in done.stdout
