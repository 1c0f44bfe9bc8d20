"""The job queue: one worker a job, leases by the clock, and the fence."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kedge.core.errors import NotFound
from kedge.core.jobs import Job
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
def database(database_place, clock: SetClock) -> Iterator[Database]:
    opened = open_database(database_place, clock)
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


ACTIONS = st.tuples(
    st.sampled_from(["enqueue", "claim", "claim", "renew", "finish", "release", "cancel", "wait"]),
    st.integers(0, 3),
)


@pytest.mark.slow
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ACTIONS, min_size=40, max_size=40))
def test_whatever_happens_a_job_has_one_holder_and_one_end(jobs, database, clock, actions) -> None:
    """Against a model: who holds what with which fence, and what has ended how."""
    with database.write() as connection:
        connection.execute("DELETE FROM kedge_job")
    claims: list[Job] = []
    holder: dict[str, tuple[int, int]] = {}  # job: fence, lease until
    ends: dict[str, str] = {}
    keys: dict[int, str] = {}  # unique key: its open job
    for action, which in actions:
        claimed = claims[-1 - which] if which < len(claims) else None
        holds = claimed is not None and holder.get(claimed.id, (0, 0))[0] == claimed.fence
        if action == "enqueue":
            made = jobs.enqueue("pipeline", {}, unique=f"k{which % 2}")
            assert made.id == keys.setdefault(which % 2, made.id)
        elif action == "wait":
            clock.ms += 700
        elif action == "claim":
            taken = claim(jobs, f"w{which}")
            free = [each for each in keys.values() if each not in holder or holder[each][1] < clock.ms]
            assert (taken is None) == (not free)
            if taken is not None:
                assert taken.id in free
                assert taken.fence > max([each.fence for each in claims if each.id == taken.id], default=0)
                claims.append(taken)
                holder[taken.id] = taken.fence, clock.ms + 1000
        elif claimed is None:
            continue
        elif action == "renew":
            assert jobs.renew(claimed, lease_ms=1000) == holds
            if holds:
                holder[claimed.id] = claimed.fence, clock.ms + 1000
        elif action == "release":
            assert jobs.release(claimed) == holds
            if holds:
                del holder[claimed.id]
        else:
            is_open = claimed.id not in ends
            done = jobs.cancel(claimed.id) if action == "cancel" else jobs.finish(claimed, state="succeeded")
            assert done == (is_open if action == "cancel" else holds)
            if done:
                ends[claimed.id] = "cancelled" if action == "cancel" else "succeeded"
                holder.pop(claimed.id, None)
                keys = {key: job for key, job in keys.items() if job != claimed.id}
    assert {job.id: job.state for job in jobs.recent(1000) if job.ended_ms} == ends
