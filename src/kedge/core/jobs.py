"""The queue of work for workers: leases, heartbeats and a fence against late results."""

from typing import Any, Literal, Protocol

import msgspec

JobKind = Literal["pipeline", "monitor"]
JobState = Literal["queued", "running", "succeeded", "failed", "cancelled"]


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of work. `fence` grows with each claim: a result that carries an older fence is refused."""

    id: str
    kind: JobKind
    payload: dict[str, Any]
    state: JobState
    created_ms: int
    attempts: int = 0
    fence: int = 0
    worker: str | None = None
    lease_until_ms: int | None = None
    started_ms: int | None = None
    ended_ms: int | None = None
    result: dict[str, Any] | None = None
    error: str | None = None


class JobQueue(Protocol):
    """Safe for many workers in many processes: a job is given to one of them at a time."""

    def enqueue(
        self, kind: JobKind, payload: dict[str, Any], *, unique: str | None = None, job_id: str = ""
    ) -> Job:
        """Queue work; while a job with the same `unique` is queued or running, that one is returned instead.

        `job_id` is the new job's id where the one that asks has to know it beforehand.
        """
        ...

    def claim(self, worker: str, *, kinds: tuple[JobKind, ...], lease_ms: int) -> Job | None:
        """Take the oldest queued job, or one whose lease has run out, for `lease_ms`."""
        ...

    def renew(self, job: Job, *, lease_ms: int) -> bool:
        """Extend the lease; False when the job was given to another or cancelled."""
        ...

    def finish(
        self, job: Job, *, state: JobState, result: dict[str, Any] | None = None, error: str = ""
    ) -> bool:
        """Record the end; False, and nothing written, when the fence is old."""
        ...

    def release(self, job: Job) -> bool:
        """Give a claimed job back to the queue, as if it had not been tried; False when the fence is old."""
        ...

    def cancel(self, job_id: str) -> bool:
        """Cancel what is queued or running; False when it had ended."""
        ...

    def get(self, job_id: str) -> Job:
        """Raises NotFound."""
        ...

    def recent(self, limit: int = 100) -> list[Job]:
        """Newest first."""
        ...
