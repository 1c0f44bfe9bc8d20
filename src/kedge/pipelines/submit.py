"""Making and ending runs, and mending those whose worker or web process ended at a bad moment."""

from pathlib import PurePath
from typing import Any

from msgspec.structs import replace

from kedge.core.errors import Conflict, Invalid, NotFound
from kedge.core.ids import new_id
from kedge.core.pipelines import PipelineRun, RunState
from kedge.core.services import Services

_MEND_AFTER_MS = 10_000


def submit_run(
    services: Services, *, entry: str, project: str, pipeline: str, params: dict[str, Any], trigger: str
) -> PipelineRun:
    """Record a run and queue its job; a worker takes it from there. Raises Invalid for what can name no pipeline."""
    where, _, function = entry.rpartition(":")
    if not where or not function.isidentifier():
        raise Invalid(
            f"{entry!r} names no pipeline", hint="write path/to/file.py:function or package.module:function"
        )
    if not PurePath(project).is_absolute():
        raise Invalid(f"the project {project!r} of {entry!r} must be an absolute path")
    run = PipelineRun(
        id=new_id(),
        pipeline=pipeline,
        entry=entry,
        project=project,
        params=params,
        state="queued",
        created_ms=services.clock.now_ms(),
        trigger=trigger,
        job_id=new_id(),
    )
    services.pipelines.create_run(run)
    return queue_run(services, run)


def queue_run(services: Services, run: PipelineRun) -> PipelineRun:
    """Queue the job of a recorded run; one that has its job, or has ended, stays as it is."""
    if run.state == "queued" and not _has_job(services, run):
        job_id = run.job_id or ""
        services.jobs.enqueue("pipeline", {"run_id": run.id}, unique=f"pipeline:{run.id}", job_id=job_id)
    return run


def _has_job(services: Services, run: PipelineRun) -> bool:
    try:
        return services.jobs.get(run.job_id or "").kind == "pipeline"
    except NotFound:
        return False


def cancel_run(services: Services, run_id: str) -> PipelineRun:
    """Cancel a queued or running run; its worker stops the steps. Raises NotFound, Conflict when it has ended."""
    run = services.pipelines.get_run(run_id)
    # First the job: from then on its worker can write nothing more about the run.
    if run.job_id is None or not services.jobs.cancel(run.job_id):
        raise Conflict(f"pipeline run {run_id} cannot be cancelled: it has {run.state}")
    return _end(services, run_id, "cancelled", "cancelled")


def mend(services: Services) -> list[str]:
    """End runs whose job has ended without them, queue those whose job was never made; returns their ids.

    What makes them: a web process that died between two writes, or a worker that failed for a reason outside the run.
    """
    mended = []
    for run in services.pipelines.open_runs():
        if services.clock.now_ms() - run.created_ms < _MEND_AFTER_MS:
            continue
        if not _has_job(services, run):
            queue_run(services, run)
            mended.append(run.id)
            continue
        job = services.jobs.get(run.job_id or "")
        if job.state not in ("queued", "running"):
            state: RunState = "cancelled" if job.state == "cancelled" else "failed"
            _end(services, run.id, state, job.error or state)
            mended.append(run.id)
    return mended


def _end(services: Services, run_id: str, state: RunState, error: str) -> PipelineRun:
    """Read again, so that what the worker wrote before it lost the job stays."""
    run = services.pipelines.get_run(run_id)
    if run.state not in ("queued", "running"):
        return run
    now_ms = services.clock.now_ms()
    still_open = [step for step in services.pipelines.steps(run_id) if step.state in ("pending", "running")]
    services.pipelines.save_steps([replace(step, state="cancelled", ended_ms=now_ms) for step in still_open])
    ended = replace(run, state=state, ended_ms=now_ms, error=error)
    services.pipelines.update_run(ended)
    return ended
