"""Making and ending runs."""

from typing import Any

from msgspec.structs import replace

from kedge.core.errors import Conflict
from kedge.core.ids import new_id
from kedge.core.pipelines import PipelineRun
from kedge.core.services import Services


def submit_run(
    services: Services, *, entry: str, project: str, pipeline: str, params: dict[str, Any], trigger: str
) -> PipelineRun:
    """Record a run and queue its job; a worker takes it from there."""
    run = PipelineRun(
        id=new_id(),
        pipeline=pipeline,
        entry=entry,
        project=project,
        params=params,
        state="queued",
        created_ms=services.clock.now_ms(),
        trigger=trigger,
    )
    services.pipelines.create_run(run)
    return queue_run(services, run)


def queue_run(services: Services, run: PipelineRun) -> PipelineRun:
    """Queue the job of a recorded run; one that has its job, or has ended, stays as it is."""
    if run.job_id is not None or run.state != "queued":
        return run
    job = services.jobs.enqueue("pipeline", {"run_id": run.id}, unique=f"pipeline:{run.id}")
    run = replace(run, job_id=job.id)
    services.pipelines.update_run(run)
    return run


def cancel_run(services: Services, run_id: str) -> PipelineRun:
    """Cancel a queued or running run; its worker stops the steps. Raises NotFound, Conflict when it has ended."""
    run = services.pipelines.get_run(run_id)
    if run.job_id is None or not services.jobs.cancel(run.job_id):
        raise Conflict(f"pipeline run {run_id} has ended: {run.state}")
    now_ms = services.clock.now_ms()
    open_steps = [step for step in services.pipelines.steps(run_id) if step.state in ("pending", "running")]
    if open_steps:
        services.pipelines.save_steps(
            [replace(step, state="cancelled", ended_ms=now_ms) for step in open_steps]
        )
    ended = replace(run, state="cancelled", ended_ms=now_ms, error="cancelled")
    services.pipelines.update_run(ended)
    return ended
