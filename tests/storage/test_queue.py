"""The job queue: one worker a job, leases by the clock, and the fence."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kedge.core.errors import NotFound
from kedge.storage.database import Database, open_database
from kedge.storage.jobs import SqlJobs


class SetClock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.ms = 1_000_000

    def now_ms(self) -> int:
        return self.ms

    def monotonic_s(self) -> float:
        return self.ms / 1000

    def sleep(self, seconds: float) -> None:
        self.ms += int(seconds * 1000)


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def database(tmp_path: Path, clock: SetClock) -> Iterator[Database]:
    opened = open_database(tmp_path / "kedge.db", clock)
    yield opened
    opened.close()


@pytest.fixture
def jobs(database: Database, clock: SetClock) -> SqlJobs:
    return SqlJobs(database, clock)


def claim(jobs: SqlJobs, worker: str = "w1", lease_ms: int = 1000) -> Any:
    return jobs.claim(worker, kinds=("pipeline", "monitor"), lease_ms=lease_ms)


def test_jobs_are_claimed_oldest_first_and_once(jobs: SqlJobs) -> None:
    first, second = jobs.enqueue("pipeline", {"n": 1}), jobs.enqueue("monitor", {"n": 2})
    taken = [claim(jobs), claim(jobs)]
    assert [job.id for job in taken] == [first.id, second.id]
    assert [job.payload for job in taken] == [{"n": 1}, {"n": 2}]
    assert (taken[0].state, taken[0].worker, taken[0].attempts, taken[0].fence) == ("running", "w1", 1, 1)
    assert claim(jobs) is None


def test_a_worker_gets_only_the_kinds_that_it_asks_for(jobs: SqlJobs) -> None:
    jobs.enqueue("pipeline", {})
    assert jobs.claim("w", kinds=("monitor",), lease_ms=1000) is None
    assert jobs.claim("w", kinds=("monitor", "pipeline"), lease_ms=1000) is not None


def test_unique_work_is_queued_once_until_it_ends(jobs: SqlJobs) -> None:
    first = jobs.enqueue("monitor", {}, unique="monitor:a")
    assert jobs.enqueue("monitor", {"other": 1}, unique="monitor:a").id == first.id
    held = claim(jobs)
    assert jobs.enqueue("monitor", {}, unique="monitor:a").id == first.id
    assert jobs.enqueue("monitor", {}, unique="monitor:b").id != first.id
    assert jobs.finish(held, state="succeeded")
    assert jobs.enqueue("monitor", {}, unique="monitor:a").id != first.id


def test_a_job_may_have_an_id_that_was_known_before(jobs: SqlJobs) -> None:
    assert jobs.enqueue("pipeline", {}, job_id="f" * 32).id == "f" * 32


def test_a_lease_that_ran_out_goes_to_another_and_the_first_is_refused(
    jobs: SqlJobs, clock: SetClock
) -> None:
    jobs.enqueue("pipeline", {})
    late = claim(jobs, "late")
    clock.ms += 1000
    assert claim(jobs, "eager") is None  # until and with the last millisecond it is the first one's
    clock.ms += 1
    current = claim(jobs, "eager")
    assert (current.id, current.fence, current.attempts) == (late.id, 2, 2)
    assert not jobs.renew(late, lease_ms=1000)
    assert not jobs.finish(late, state="succeeded", result={"stale": True})
    assert not jobs.release(late)
    assert jobs.get(late.id).result is None
    assert jobs.finish(current, state="failed", error="because")
    ended = jobs.get(late.id)
    assert (ended.state, ended.error, ended.ended_ms) == ("failed", "because", clock.ms)
    assert not jobs.finish(current, state="succeeded")


def test_a_renewed_lease_holds(jobs: SqlJobs, clock: SetClock) -> None:
    jobs.enqueue("pipeline", {})
    held = claim(jobs)
    clock.ms += 900
    assert jobs.renew(held, lease_ms=1000)
    clock.ms += 900
    assert claim(jobs, "other") is None


def test_cancelling_takes_the_job_from_its_worker(jobs: SqlJobs) -> None:
    queued, running = jobs.enqueue("pipeline", {}), jobs.enqueue("pipeline", {})
    held = claim(jobs)
    assert held.id == queued.id
    assert jobs.cancel(held.id)
    assert not jobs.finish(held, state="succeeded")
    assert not jobs.renew(held, lease_ms=1000)
    assert not jobs.cancel(held.id)
    assert jobs.cancel(running.id)
    assert claim(jobs) is None


def test_a_released_job_is_free_at_once_and_was_not_tried(jobs: SqlJobs) -> None:
    jobs.enqueue("pipeline", {})
    held = claim(jobs)
    assert jobs.release(held)
    assert jobs.get(held.id).attempts == 0
    again = claim(jobs, "w2")
    assert (again.id, again.attempts, again.worker) == (held.id, 1, "w2")
    assert not jobs.finish(held, state="succeeded")


def test_unknown_jobs_are_named(jobs: SqlJobs) -> None:
    with pytest.raises(NotFound, match="'nope'"):
        jobs.get("nope")


def test_recent_is_newest_first(jobs: SqlJobs, clock: SetClock) -> None:
    ids = []
    for _ in range(3):
        clock.ms += 1
        ids.append(jobs.enqueue("pipeline", {}).id)
    assert [job.id for job in jobs.recent(2)] == [ids[2], ids[1]]
