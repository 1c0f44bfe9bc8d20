"""A disk that is full, another program that writes to the same file: told, nothing lost, no restart needed."""

import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.conftest import Platform, start_platform

pytestmark = [pytest.mark.acceptance, pytest.mark.slow]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 40 MB."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a file system")
    folder = tmp_path / "small"
    folder.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", folder], capture_output=True
    ).returncode:
        pytest.skip("no file system may be mounted here")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def new_run(platform: Platform) -> str:
    made = httpx.post(f"{platform.web}/api/2.0/mlflow/runs/create", json={"experiment_id": "0"}).json()
    return made["run"]["info"]["run_id"]


def log_batch(platform: Platform, run_id: str, step: int) -> httpx.Response:
    points = [{"key": f"m{place}", "value": step, "timestamp": 1, "step": step} for place in range(300)]
    body = {"run_id": run_id, "metrics": points}
    return httpx.post(f"{platform.web}/api/2.0/mlflow/runs/log-batch", json=body, timeout=30)


def fill(filler: Path) -> None:
    with filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(65536))


def test_a_full_disk_is_told_and_mended_without_a_restart(small_disk: Path) -> None:
    platform = start_platform(small_disk / "home")
    artifact = f"{platform.web}/api/2.0/mlflow-artifacts/artifacts/0/a.bin"
    try:
        run_id = new_run(platform)
        logged = [step for step in range(3) if log_batch(platform, run_id, step).status_code == 200]
        filler = small_disk / "filler"
        with pytest.raises(OSError, match="No space"):
            fill(filler)
        refused = []
        for step in range(3, 40):
            answer = log_batch(platform, run_id, step)
            (logged if answer.status_code == 200 else refused).append(step)
            assert answer.status_code in (200, 507)
        assert refused
        told = httpx.put(artifact, content=bytes(500_000))
        assert told.status_code == 507
        assert "space" in told.text
        assert httpx.put(artifact, content=b"small").status_code == 507
        incoming = small_disk / "home" / "artifacts" / ".incoming"
        assert not (incoming.exists() and list(incoming.iterdir()))
        assert httpx.get(f"{platform.web}/runs").status_code == 200
        filler.unlink()
        assert log_batch(platform, run_id, 100).status_code == 200
        assert httpx.put(artifact, content=bytes(500_000)).status_code == 200
        logged.append(100)
        state = json.loads((small_disk / "home" / "state.json").read_bytes())
        assert [child["restarts"] for child in state["children"].values()] == [0, 0, 0]
    finally:
        platform.stop()
    connection = sqlite3.connect(small_disk / "home" / "kedge.db")
    held = dict(connection.execute("SELECT step, count(*) FROM metrics GROUP BY step").fetchall())
    assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    connection.close()
    assert held == dict.fromkeys(logged, 300)


def test_large_searches_are_refused_and_hold_nobody_up(platform: Platform) -> None:
    search = f"{platform.web}/api/2.0/mlflow/runs/search"
    keys = [f"metrics.m{place}" for place in range(200_000)]
    bodies = [
        {"experiment_ids": ["0"], "order_by": keys},
        {"experiment_ids": ["0"], "filter": "(" * 5_000_000},
        {"experiment_ids": ["0"], "filter": " AND ".join(["metrics.a = 1"] * 200_000)},
        {"experiment_ids": ["0"], "filter": " AND ".join(["metrics.a = 1"] * 2_000)},
        {"experiment_ids": [str(place) for place in range(200_000)]},
    ]
    answers: list[int] = []

    def ask() -> None:
        answers.extend(httpx.post(search, json=body, timeout=60).status_code for body in bodies)

    asking = threading.Thread(target=ask)
    asking.start()
    slowest_s = 0.0
    while asking.is_alive():
        begun = time.monotonic()
        assert httpx.get(f"{platform.web}/health", timeout=30).status_code == 200
        slowest_s = max(slowest_s, time.monotonic() - begun)
    assert answers == [400, 400, 400, 400, 200]
    assert slowest_s < 5  # each of them held up everybody for ten times as long
    for many in (11, 40, 60):
        body = {"experiment_ids": ["0"], "order_by": keys[:many], "filter": "metrics.m0 > 1"}
        assert httpx.post(search, json=body, timeout=60).status_code == 200


def test_another_program_may_write_to_the_same_file(platform: Platform) -> None:
    run_id = new_run(platform)
    file = platform.home / "kedge.db"
    theirs = 'import sys; from mlflow import MlflowClient; c = MlflowClient("sqlite:///" + sys.argv[1])\n'
    theirs += 'for step in range(60): c.log_metric(sys.argv[2], "theirs", step, step=step)'
    other = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", theirs, str(file), run_id], stderr=subprocess.PIPE
    )
    codes: list[int] = []

    def ours() -> None:
        while other.poll() is None:
            codes.append(log_batch(platform, run_id, len(codes)).status_code)

    writing = threading.Thread(target=ours)
    writing.start()
    _, problems = other.communicate(timeout=120)
    writing.join(30)
    assert other.returncode == 0, problems.decode()
    assert codes
    assert set(codes) == {200}
    history = f"{platform.web}/api/2.0/mlflow/metrics/get-history"
    for key, count in (("theirs", 60), ("m7", len(codes))):
        found = httpx.get(history, params={"run_id": run_id, "metric_key": key, "max_results": 20000}).json()
        assert sorted(point["step"] for point in found["metrics"]) == list(range(count))
