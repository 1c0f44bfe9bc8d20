"""Kill -9 of the web process under eight writers: what was acknowledged is there, no batch is half there."""

import contextlib
import json
import os
import random
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from tests.conftest import Platform, start_platform, wait_until

from kedge.storage.postgresql import translated

pytestmark = [pytest.mark.acceptance, pytest.mark.slow]

KILLS = int(os.environ.get("KEDGE_KILLS", "3"))
WRITERS, BATCH = 8, 25


class Writer(threading.Thread):
    """Logs batches of points and single points until told to stop, and remembers what was acknowledged."""

    def __init__(self, platform: Platform, run_id: str, number: int) -> None:
        super().__init__(daemon=True)
        self.base, self.run_id, self.number = f"{platform.web}/api/2.0/mlflow/runs", run_id, number
        self.stops = threading.Event()
        self.batches: list[int] = []
        self.points: list[int] = []
        self.asked = 0

    def run(self) -> None:
        client = httpx.Client(timeout=5)
        while not self.stops.is_set():
            step = self.asked
            self.asked += 1
            try:
                if step % 3:
                    body = {
                        "run_id": self.run_id,
                        "key": f"p{self.number}",
                        "value": step,
                        "timestamp": 1,
                        "step": step,
                    }
                    if client.post(f"{self.base}/log-metric", json=body).status_code == 200:
                        self.points.append(step)
                else:
                    metrics = [
                        {"key": f"b{self.number}.{place}", "value": step, "timestamp": 1, "step": step}
                        for place in range(BATCH)
                    ]
                    params = [{"key": f"q{self.number}.{step}", "value": str(step)}]
                    body = {"run_id": self.run_id, "metrics": metrics, "params": params}
                    if client.post(f"{self.base}/log-batch", json=body).status_code == 200:
                        self.batches.append(step)
            except httpx.HTTPError:
                client.close()
                client = httpx.Client(timeout=5)
                time.sleep(0.02)
        client.close()


def web_pid(home: Path) -> int:
    return int(json.loads((home / "state.json").read_bytes())["children"]["web"]["pid"])


def up_again(platform: Platform, pid: int) -> None:
    def answers() -> bool:
        try:
            return (
                web_pid(platform.home) != pid
                and httpx.get(platform.web + "/health", timeout=1).status_code == 200
            )
        except (httpx.HTTPError, OSError, TypeError, ValueError):  # no pid while it is down
            return False

    wait_until(answers, "web answers again", 30)


def held(place: Path | str, writer: Writer) -> None:
    """Every acknowledged point and batch is there, and of no batch a part."""
    with _asking(place, writer.run_id) as ask:

        def steps(key: str) -> set[int]:
            return {row[0] for row in ask("SELECT step FROM metrics WHERE run_uuid = ? AND key = ?", key)}

        assert set(writer.points) <= steps(f"p{writer.number}")
        parts = [steps(f"b{writer.number}.{part}") for part in range(BATCH)]
        assert all(part == parts[0] for part in parts)
        assert set(writer.batches) <= parts[0]
        params = ask("SELECT key FROM params WHERE run_uuid = ? AND key LIKE ?", f"q{writer.number}.%")
        assert {int(key.rpartition(".")[2]) for (key,) in params} == parts[0]
        latest = ask("SELECT step FROM latest_metrics WHERE run_uuid = ? AND key = ?", f"b{writer.number}.0")
        assert not latest or latest[0][0] == max(parts[0])


@contextlib.contextmanager
def _asking(place: Path | str, run_id: str) -> Iterator[Callable[[str, str], list[tuple]]]:
    if isinstance(place, Path):
        with contextlib.closing(sqlite3.connect(f"file:{place}?mode=ro", uri=True)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
            yield lambda query, key: connection.execute(query, (run_id, key)).fetchall()
    else:
        with psycopg.connect(place) as opened:
            yield lambda query, key: opened.execute(translated(query).encode(), (run_id, key)).fetchall()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_what_was_acknowledged_survives_kills(
    tmp_path: Path, request: pytest.FixtureRequest, kind: str
) -> None:
    chance = random.Random(7)
    place: Path | str = tmp_path / "home" / "kedge.db"
    if kind == "postgresql":
        place = request.getfixturevalue("cluster").new()
    platform = start_platform(tmp_path / "home", KEDGE_DATABASE=place if isinstance(place, str) else "sqlite")
    try:
        body = {"experiment_id": "0", "run_name": "kills"}
        run_id = httpx.post(f"{platform.web}/api/2.0/mlflow/runs/create", json=body).json()["run"]["info"][
            "run_id"
        ]
        writers = [Writer(platform, run_id, number) for number in range(WRITERS)]
        for writer in writers:
            writer.start()
        for _ in range(KILLS):
            time.sleep(chance.uniform(0.05, 0.8))
            pid = web_pid(platform.home)
            os.kill(pid, signal.SIGKILL)
            up_again(platform, pid)
        time.sleep(0.3)
        for writer in writers:
            writer.stops.set()
        for writer in writers:
            writer.join(20)
        assert all(writer.points and writer.batches for writer in writers)
        for writer in writers:
            held(place, writer)
    finally:
        platform.stop()
