"""`kedge run` against a running platform."""

import json
import subprocess
from pathlib import Path

import pytest
from tests.conftest import KEDGE, Platform

SOURCE = """
import kedge

@kedge.step(cache=True)
def root(x):
    print("taking a root")
    return x ** 0.5 if x >= 0 else [][x]

@kedge.pipeline
def roots(x, names=()):
    return {"root": root(x), "names": list(names)}
"""


@pytest.mark.acceptance
def test_a_run_from_the_command_line(platform: Platform, tmp_path: Path) -> None:
    (tmp_path / "roots.py").write_text(SOURCE)

    def kedge(*arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [*KEDGE, "run", "roots.py:roots", "--url", platform.web, *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)

    done = kedge("-p", "x=9", "-p", 'names=["[red]", "b"]')
    assert done.returncode == 0
    assert "root: succeeded (never run before)" in done.stderr
    assert 'succeeded {"root":3.0,"names":["[red]","b"]}' in done.stderr
    as_json = kedge("-p", "x=9", "--json")
    view = json.loads(as_json.stdout)
    assert (view["run"]["state"], view["steps"][0]["state"]) == ("succeeded", "cached")
    assert view["steps"][0]["cache_note"].startswith("hit from run ")
    failed = kedge("-p", "x=-1")
    assert failed.returncode == 1
    assert "IndexError: list index out of range" in failed.stderr
    assert "failed: step 'root' failed" in failed.stderr
    detached = json.loads(kedge("-p", "x=4", "--detach", "--json").stdout)
    assert detached["url"] == f"{platform.web}/pipelines/{detached['id']}"

    def other(*arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [*KEDGE, *arguments, "--url", platform.web]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)

    listed = json.loads(other("runs", "--pipeline", "roots", "--json").stdout)
    assert [each["id"] for each in listed][:1] == [detached["id"]]
    assert detached["id"] in other("runs").stdout
    shown = other("runs", view["run"]["id"]).stdout
    assert "cached" in shown
    assert "root" in shown
    unknown = other("cancel", "nobody")
    assert unknown.returncode == 1
    assert "no pipeline run 'nobody'" in unknown.stderr
    for arguments, said in [(["-p", "y=1"], "missing x; unknown y"), (["-p", "x"], "write key=value")]:
        refused = kedge(*arguments)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert said in refused.stderr


@pytest.mark.acceptance
def test_a_run_is_cancelled_from_the_command_line(platform: Platform, tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(
        "import time\nimport kedge\n\n"
        "@kedge.step\ndef sleep():\n    time.sleep(600)\n\n"
        "@kedge.pipeline\ndef slow():\n    return sleep()\n"
    )

    def kedge(*arguments: str) -> str:
        command = [*KEDGE, *arguments, "--url", platform.web]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    run = json.loads(kedge("run", "slow.py:slow", "--detach", "--json"))["id"]
    assert f"{run} is cancelled" in kedge("cancel", run)
    assert json.loads(kedge("runs", run, "--json"))["run"]["state"] == "cancelled"
