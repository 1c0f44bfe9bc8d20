"""The queue: one worker a job, leases that run out, fences against late results."""

import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from kedge.core.clock import SystemClock
from kedge.core.errors import NotFound
from kedge.storage.database import Database, open_database
from kedge.storage.jobs import SqlJobs


class Hands:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.at_ms = 1_000_000

    def now_ms(self) -> int:
        return self.at_ms

    def monotonic_s(self) -> float:
        return self.at_ms / 1000

    def sleep(self, seconds: float) -> None:
        self.at_ms += round(seconds * 1000)


@pytest.fixture
def database(database_place) -> Iterator[Database]:
    opened = open_database(database_place, SystemClock())
    yield opened
    opened.close()


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
def jobs(database: Database, clock: Hands) -> SqlJobs:
    return SqlJobs(database, clock)


def test_oldest_first_and_by_kind(jobs: SqlJobs, clock: Hands) -> None:
    first = jobs.enqueue("pipeline", {"n": 1})
    clock.at_ms += 1
    jobs.enqueue("monitor", {"n": 2})
    assert jobs.claim("w", kinds=("monitor",), lease_ms=1000).payload == {"n": 2}
    assert jobs.claim("w", kinds=("monitor", "pipeline"), lease_ms=1000).id == first.id
    assert jobs.claim("w", kinds=("monitor", "pipeline"), lease_ms=1000) is None


def test_a_lease_that_runs_out_gives_the_job_to_another(jobs: SqlJobs, clock: Hands) -> None:
    jobs.enqueue("pipeline", {})
    late = jobs.claim("late", kinds=("pipeline",), lease_ms=1000)
    clock.at_ms += 999
    assert jobs.claim("next", kinds=("pipeline",), lease_ms=1000) is None
    assert jobs.renew(late, lease_ms=1000)
    clock.at_ms += 1001
    taken = jobs.claim("next", kinds=("pipeline",), lease_ms=1000)
    assert (taken.id, taken.fence, taken.attempts) == (late.id, late.fence + 1, 2)
    assert not jobs.renew(late, lease_ms=1000)
    assert not jobs.finish(late, state="succeeded", result={"who": "late"})
    assert jobs.finish(taken, state="succeeded", result={"who": "next"})
    assert jobs.get(taken.id).result == {"who": "next"}
    assert not jobs.finish(taken, state="failed")


def test_a_cancelled_job_cannot_be_finished(jobs: SqlJobs) -> None:
    job = jobs.enqueue("pipeline", {})
    held = jobs.claim("w", kinds=("pipeline",), lease_ms=1000)
    assert jobs.cancel(job.id)
    assert not jobs.cancel(job.id)
    assert not jobs.finish(held, state="succeeded")
    assert not jobs.release(held)
    assert jobs.get(job.id).state == "cancelled"


def test_a_released_job_is_queued_again(jobs: SqlJobs) -> None:
    jobs.enqueue("pipeline", {})
    held = jobs.claim("w", kinds=("pipeline",), lease_ms=1000)
    assert jobs.release(held)
    assert jobs.claim("v", kinds=("pipeline",), lease_ms=1000).id == held.id


def test_one_open_job_a_unique_key(jobs: SqlJobs) -> None:
    first = jobs.enqueue("monitor", {"n": 1}, unique="m")
    assert jobs.enqueue("monitor", {"n": 2}, unique="m").id == first.id
    held = jobs.claim("w", kinds=("monitor",), lease_ms=1000)
    assert jobs.enqueue("monitor", {"n": 3}, unique="m").id == first.id
    jobs.finish(held, state="succeeded")
    assert jobs.enqueue("monitor", {"n": 4}, unique="m").id != first.id


def test_an_unknown_job(jobs: SqlJobs) -> None:
    with pytest.raises(NotFound, match="'x'"):
        jobs.get("x")


# Each says that it is ready and waits for the word, so that all claim at once.
CLAIMER = """
import sys
from collections.abc import Iterator
from pathlib import Path
from kedge.core.clock import SystemClock
from kedge.storage.database import open_database
from kedge.storage.jobs import SqlJobs
place = sys.argv[1]
jobs = SqlJobs(open_database(place if "://" in place else Path(place), SystemClock()), SystemClock())
print("ready", flush=True)
sys.stdin.readline()
while (job := jobs.claim("p", kinds=("pipeline",), lease_ms=600_000)) is not None:
    print(job.id, flush=True)
"""


@pytest.mark.slow
def test_threads_and_processes_share_without_doubling(database: Database, database_place) -> None:
    jobs = SqlJobs(database, SystemClock())
    expected = {jobs.enqueue("pipeline", {}).id for _ in range(150)}
    taken: list[str] = []

    def claim() -> None:
        while (job := jobs.claim("t", kinds=("pipeline",), lease_ms=600_000)) is not None:
            taken.append(job.id)

    command = [sys.executable, "-c", CLAIMER, str(database_place)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen(command, **pipes) for _ in range(2)]
    assert [process.stdout.readline() for process in processes] == ["ready\n"] * 2
    threads = [threading.Thread(target=claim) for _ in range(4)]
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for process in processes:
        taken += process.communicate(timeout=60)[0].split()
    assert len(taken) == len(expected)
    assert set(taken) == expected
