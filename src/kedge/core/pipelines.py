"""Pipeline runs, their steps, the code they ran and the step cache: records and seam."""

from typing import Any, Literal, Protocol

import msgspec

from kedge.core.jobs import Job

RunState = Literal["queued", "running", "succeeded", "failed", "cancelled"]
StepState = Literal["pending", "running", "succeeded", "cached", "failed", "skipped", "cancelled"]


class CodeSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The source that a run executed: object ids by relative path, and the git state it came from."""

    id: str
    entry: str
    files: dict[str, str]
    git_commit: str | None = None
    git_dirty: bool = False


class PipelineRun(msgspec.Struct, frozen=True, kw_only=True):
    """One execution of a pipeline. `entry` is `module:function` or `path.py:function`, `project` its folder."""

    id: str
    pipeline: str
    entry: str
    project: str
    params: dict[str, Any]
    state: RunState
    created_ms: int
    trigger: str = "manual"
    started_ms: int | None = None
    ended_ms: int | None = None
    error: str | None = None
    code_id: str | None = None
    job_id: str | None = None
    result: Any = None


class StepOutput(msgspec.Struct, frozen=True, kw_only=True):
    """A stored output: `format` is json, parquet, npy or pickle; `summary` is short text for people."""

    object_id: str
    format: str
    size_bytes: int
    summary: str = ""


class StepRun(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a run; `name` is unique in the run, `index` its place in the order of calls."""

    run_id: str
    name: str
    index: int
    function: str
    state: StepState
    depends_on: tuple[str, ...] = ()
    attempt: int = 0
    cache_key: str | None = None
    cache_note: str = ""
    started_ms: int | None = None
    ended_ms: int | None = None
    output: StepOutput | None = None
    log_object: str | None = None
    error: str | None = None


class CachedStep(msgspec.Struct, frozen=True, kw_only=True):
    """What the step cache remembers under a key; `parts` are the named hashes that the key was made of."""

    key: str
    function: str
    output: StepOutput
    run_id: str
    parts: dict[str, str]
    created_ms: int


class PipelineStore(Protocol):
    """Runs and steps. Each call is one transaction; returned records are snapshots.

    With `under`, a write is refused (False, and nothing written) unless that job is still running with that fence: the
    same transaction looks and writes, so that a worker which lost its lease cannot write over the one that got it.
    """

    def create_run(self, run: PipelineRun) -> None: ...
    def update_run(self, run: PipelineRun, *, under: Job | None = None) -> bool:
        """Overwrite state, times, error, result, code and job of an existing run. Raises NotFound."""
        ...

    def get_run(self, run_id: str) -> PipelineRun:
        """Raises NotFound."""
        ...

    def runs(self, *, pipeline: str | None = None, limit: int = 100) -> list[PipelineRun]:
        """Newest first."""
        ...

    def save_steps(self, steps: list[StepRun], *, under: Job | None = None) -> bool:
        """Insert or replace by (run_id, name), all in one transaction."""
        ...

    def open_runs(self) -> list[PipelineRun]:
        """Queued and running ones, oldest first."""
        ...

    def steps(self, run_id: str) -> list[StepRun]:
        """In the order of `index`."""
        ...

    def save_code(self, code: CodeSnapshot) -> None: ...
    def get_code(self, code_id: str) -> CodeSnapshot:
        """Raises NotFound."""
        ...

    def cached(self, key: str) -> CachedStep | None: ...
    def last_cached(self, function: str) -> CachedStep | None:
        """The newest entry of a function: tells which part of the key changed."""
        ...

    def remember(self, step: CachedStep) -> None: ...
