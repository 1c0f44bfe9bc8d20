"""The job queue in SQL: claims are made in one transaction, so that a job is given to one worker at a time."""

from typing import TYPE_CHECKING, Any

import msgspec

from kedge.core.clock import Clock
from kedge.core.errors import NotFound
from kedge.core.ids import new_id
from kedge.core.jobs import Job, JobKind, JobState
from kedge.storage.database import Database, Row
from kedge.storage.statements import placed, statements

_SQL = statements("jobs")


class SqlJobs:
    """`JobQueue` on SQL."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def enqueue(
        self, kind: JobKind, payload: dict[str, Any], *, unique: str | None = None, job_id: str = ""
    ) -> Job:
        job_id = job_id or new_id()
        values = (job_id, kind, msgspec.json.encode(payload).decode(), self._clock.now_ms(), unique)
        with self._database.write() as connection:
            there = connection.execute(_SQL["open_unique"], (unique,)).fetchone() if unique else None
            if there is not None:
                return _job(there)
            connection.execute(_SQL["insert"], values)
            return _job(connection.execute(_SQL["get"], (job_id,)).fetchone())

    def claim(self, worker: str, *, kinds: tuple[JobKind, ...], lease_ms: int) -> Job | None:
        now_ms = self._clock.now_ms()
        query, wanted = placed(_SQL["next"], len(kinds)) + "\n" + _SQL["next_order"], (now_ms, *kinds)
        if self._database.row(query, wanted) is None:
            return None  # the common case needs no write lock
        with self._database.write() as connection:
            row = connection.execute(query, wanted).fetchone()
            if row is None:
                return None
            taken = {"id": row["id"], "worker": worker, "now_ms": now_ms, "lease_until_ms": now_ms + lease_ms}
            connection.execute(_SQL["take"], taken)
            return _job(connection.execute(_SQL["get"], (row["id"],)).fetchone())

    def renew(self, job: Job, *, lease_ms: int) -> bool:
        with self._database.write() as connection:
            until_ms = self._clock.now_ms() + lease_ms
            return bool(connection.execute(_SQL["renew"], (until_ms, job.id, job.fence)).rowcount == 1)

    def finish(
        self, job: Job, *, state: JobState, result: dict[str, Any] | None = None, error: str = ""
    ) -> bool:
        values = {
            "id": job.id,
            "fence": job.fence,
            "state": state,
            "result": None if result is None else msgspec.json.encode(result).decode(),
            "error": error or None,
            "now_ms": self._clock.now_ms(),
        }
        with self._database.write() as connection:
            return bool(connection.execute(_SQL["finish"], values).rowcount == 1)

    def release(self, job: Job) -> bool:
        with self._database.write() as connection:
            return bool(connection.execute(_SQL["release"], (job.id, job.fence)).rowcount == 1)

    def cancel(self, job_id: str) -> bool:
        with self._database.write() as connection:
            return bool(connection.execute(_SQL["cancel"], (self._clock.now_ms(), job_id)).rowcount == 1)

    def get(self, job_id: str) -> Job:
        row = self._database.row(_SQL["get"], (job_id,))
        if row is None:
            raise NotFound(f"there is no job {job_id!r}")
        return _job(row)

    def recent(self, limit: int = 100) -> list[Job]:
        return [_job(row) for row in self._database.rows(_SQL["recent"], (limit,))]


def _job(row: Row) -> Job:
    values = dict(row)
    del values["unique_key"]
    values["payload"] = msgspec.json.decode(values["payload"])
    values["result"] = msgspec.json.decode(values["result"]) if values["result"] else None
    return Job(**values)


if TYPE_CHECKING:
    from typing import cast

    from kedge.core.jobs import JobQueue

    _fits: JobQueue = cast("SqlJobs", None)
