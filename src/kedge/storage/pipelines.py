"""Pipeline runs, steps, code and the step cache in SQL."""

from typing import TYPE_CHECKING, Any

import msgspec

from kedge.core.errors import NotFound
from kedge.core.jobs import Job
from kedge.core.pipelines import CachedStep, CodeSnapshot, PipelineRun, StepOutput, StepRun
from kedge.storage.database import Connection, Database, Row
from kedge.storage.statements import statements

_SQL = statements("pipelines")


class SqlPipelines:
    """`PipelineStore` on SQL; every call is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create_run(self, run: PipelineRun) -> None:
        with self._database.write() as connection:
            connection.execute(_SQL["insert_run"], _run_values(run))

    def update_run(self, run: PipelineRun, *, under: Job | None = None) -> bool:
        with self._database.write() as connection:
            if not _held(connection, under):
                return False
            if not connection.execute(_SQL["update_run"], _run_values(run)).rowcount:
                raise NotFound(f"there is no pipeline run {run.id!r}")
        return True

    def get_run(self, run_id: str) -> PipelineRun:
        row = self._database.row(_SQL["get_run"], (run_id,))
        if row is None:
            raise NotFound(f"there is no pipeline run {run_id!r}", hint="see the Pipelines page")
        return _run(row)

    def runs(self, *, pipeline: str | None = None, limit: int = 100) -> list[PipelineRun]:
        return [
            _run(row) for row in self._database.rows(_SQL["runs"], {"pipeline": pipeline, "limit": limit})
        ]

    def open_runs(self) -> list[PipelineRun]:
        return [_run(row) for row in self._database.rows(_SQL["open_runs"])]

    def save_steps(self, steps: list[StepRun], *, under: Job | None = None) -> bool:
        with self._database.write() as connection:
            if not _held(connection, under):
                return False
            connection.executemany(_SQL["save_step"], [_step_values(step) for step in steps])
        return True

    def steps(self, run_id: str) -> list[StepRun]:
        return [_step(row) for row in self._database.rows(_SQL["steps"], (run_id,))]

    def save_code(self, code: CodeSnapshot) -> None:
        values = msgspec.structs.asdict(code)
        values["files"] = _text(code.files)
        values["git_dirty"] = int(code.git_dirty)
        with self._database.write() as connection:
            connection.execute(_SQL["save_code"], values)

    def get_code(self, code_id: str) -> CodeSnapshot:
        row = self._database.row(_SQL["get_code"], (code_id,))
        if row is None:
            raise NotFound(f"there is no code snapshot {code_id!r}")
        values = dict(row)
        values["files"] = msgspec.json.decode(values["files"])
        values["git_dirty"] = bool(values["git_dirty"])
        return CodeSnapshot(**values)

    def cached(self, key: str) -> CachedStep | None:
        return _cached(self._database.row(_SQL["cached"], (key,)))

    def last_cached(self, function: str) -> CachedStep | None:
        return _cached(self._database.row(_SQL["last_cached"], (function,)))

    def remember(self, step: CachedStep) -> None:
        values = msgspec.structs.asdict(step)
        values["output"] = _text(step.output)
        values["parts"] = _text(step.parts)
        with self._database.write() as connection:
            connection.execute(_SQL["remember"], values)


def _held(connection: Connection, job: Job | None) -> bool:
    return job is None or connection.execute(_SQL["held"], (job.id, job.fence)).fetchone() is not None


def _text(value: Any) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()


def _run_values(run: PipelineRun) -> dict[str, Any]:
    values = msgspec.structs.asdict(run)
    values["params"] = _text(run.params)
    values["result"] = _text(run.result)
    return values


def _run(row: Row) -> PipelineRun:
    values = dict(row)
    values["params"] = msgspec.json.decode(values["params"])
    values["result"] = msgspec.json.decode(values["result"]) if values["result"] else None
    return PipelineRun(**values)


def _step_values(step: StepRun) -> dict[str, Any]:
    values = msgspec.structs.asdict(step)
    values["depends_on"] = _text(step.depends_on)
    values["output"] = _text(step.output)
    return values


def _step(row: Row) -> StepRun:
    values = dict(row)
    values["depends_on"] = msgspec.json.decode(values["depends_on"], type=tuple[str, ...])
    output = values["output"]
    values["output"] = msgspec.json.decode(output, type=StepOutput) if output else None
    return StepRun(**values)


def _cached(row: Row | None) -> CachedStep | None:
    if row is None:
        return None
    values = dict(row)
    values["output"] = msgspec.json.decode(values["output"], type=StepOutput)
    values["parts"] = msgspec.json.decode(values["parts"])
    return CachedStep(**values)


if TYPE_CHECKING:
    from typing import cast

    from kedge.core.pipelines import PipelineStore

    _fits: PipelineStore = cast("SqlPipelines", None)
