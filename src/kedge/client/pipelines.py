"""Submitting and following pipeline runs from user code."""

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from kedge.client.connection import connection
from kedge.client.settings import is_loading
from kedge.core.errors import Conflict, KedgeError, Unavailable
from kedge.core.pipelines import PipelineRun, StepRun
from kedge.pipelines.declared import declared
from kedge.pipelines.entry import resolved
from kedge.pipelines.params import check_plain
from kedge.pipelines.pipeline import Pipeline

_POLL_S = 0.2
_PATIENCE_S = 10.0
ENDED = ("succeeded", "failed", "cancelled")


class PipelineFailed(KedgeError, RuntimeError):
    """A run did not succeed."""

    code = "pipeline_failed"


class RunView(msgspec.Struct, frozen=True):
    """A run with its steps at one moment."""

    run: PipelineRun
    steps: list[StepRun]


@dataclasses.dataclass(frozen=True)
class RunHandle:
    """A submitted run, by its id."""

    id: str

    def view(self) -> RunView:
        """The run and its steps as they are now."""
        return connection().call("GET", f"/pipeline-runs/{self.id}", RunView)

    def wait(
        self, timeout_s: float | None = None, on_change: Callable[[RunView], None] | None = None
    ) -> PipelineRun:
        """The ended run, whether it succeeded or not. Raises Conflict when it has not ended in `timeout_s`."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        seen: RunView | None = None
        while True:
            view = self._view_soon()
            if on_change is not None and view != seen:
                on_change(view)
            seen = view
            if view.run.state in ENDED:
                return view.run
            if deadline is not None and time.monotonic() > deadline:
                raise Conflict(f"pipeline run {self.id} is still {view.run.state} after {timeout_s:g} s")
            time.sleep(_POLL_S)

    def _view_soon(self) -> RunView:
        """As `view`, over a restart of the web process."""
        for _ in range(int(_PATIENCE_S / _POLL_S)):
            try:
                return self.view()
            except Unavailable:
                time.sleep(_POLL_S)
        return self.view()

    def result(self, timeout_s: float | None = None) -> Any:
        """What the pipeline returned. Raises PipelineFailed when the run did not succeed."""
        run = self.wait(timeout_s)
        if run.state != "succeeded":
            raise PipelineFailed(f"pipeline run {run.id} ({run.pipeline}) {run.state}: {run.error}")
        return run.result

    def cancel(self) -> PipelineRun:
        """Stop it. Raises Conflict when it has ended."""
        return connection().call("POST", f"/pipeline-runs/{self.id}/cancel", PipelineRun)


def submit(pipeline: "Pipeline[Any, Any] | str", /, **params: Any) -> RunHandle:
    """Queue a run for the worker.

    Parameters
    ----------
    pipeline : Pipeline or str
        The decorated function, or `path/to/file.py:function` or `package.module:function`.
    **params
        What the function takes; plain values.

    Raises
    ------
    Conflict
        The worker is loading the file that asks for it: each run would queue another.
    """
    if is_loading():
        raise Conflict(
            "kedge.submit was called while the worker loads this file for a run",
            hint='put what starts runs under `if __name__ == "__main__":`',
        )
    entry, project, name = located(pipeline)
    if isinstance(pipeline, Pipeline):
        pipeline.check(params)
    elif (source := declared(entry, project)) is not None:
        source.check(params)
    check_plain(name, params)
    body = {"entry": entry, "project": project, "pipeline": name, "params": params}
    run = connection().call("POST", "/pipeline-runs", PipelineRun, body=body)
    return RunHandle(run.id)


def pipeline_runs(pipeline: str | None = None) -> list[PipelineRun]:
    """The newest runs, of one pipeline where it is named."""
    query = None if pipeline is None else {"pipeline": pipeline}
    return connection().call("GET", "/pipeline-runs", list[PipelineRun], query=query)


def located(pipeline: "Pipeline[Any, Any] | str") -> tuple[str, str, str]:
    """(entry, project, name) of a pipeline."""
    if isinstance(pipeline, Pipeline):
        return (*pipeline.entry(), pipeline.name)
    entry, project = resolved(pipeline, Path.cwd())
    source = declared(entry, project)
    return entry, project, source.name if source is not None else entry.rpartition(":")[2]
