"""A run and its steps as they are recorded: every write is made under the job's fence."""

from typing import Any

import msgspec
from msgspec.structs import replace

from kedge.core.jobs import Job
from kedge.core.pipelines import CodeSnapshot, PipelineRun, StepRun
from kedge.core.services import Services

_KEPT = frozenset({"succeeded", "cached", "failed", "skipped"})


class Stopped(Exception):
    """The lease is gone (cancelled, or another worker has the run), or this worker has to stop."""


class PlannedStep(msgspec.Struct, frozen=True):
    """A node of the graph as the step process described it."""

    name: str
    function: str
    depends_on: list[str]
    takes: list[str]
    cache: bool
    retries: int
    timeout_s: float | None
    parts: dict[str, str]


class Plan(msgspec.Struct, frozen=True):
    """The traced graph."""

    nodes: list[PlannedStep]
    result: Any
    code: CodeSnapshot

    def same_as(self, other: "Plan") -> bool:
        """Whether a process that traced this may run the steps of the other."""
        ours, theirs = ([(n.name, n.function, n.takes) for n in plan.nodes] for plan in (self, other))
        return ours == theirs and self.code.files == other.code.files


class Record:
    """Raises Stopped from every change that is refused because the job is no longer ours."""

    def __init__(self, services: Services, run: PipelineRun, job: Job) -> None:
        self._services = services
        self._job = job
        self.run = run
        self.steps: dict[str, StepRun] = {}

    def now_ms(self) -> int:
        """Wall time."""
        return self._services.clock.now_ms()

    def change_run(self, **changes: Any) -> None:
        """Overwrite fields of the run."""
        changed = replace(self.run, **changes)
        if not self._services.pipelines.update_run(changed, under=self._job):
            raise Stopped
        self.run = changed

    def change_steps(self, names: list[str], **changes: Any) -> None:
        """Overwrite fields of steps, all in one transaction."""
        changed = {name: replace(self.steps[name], **changes) for name in names}
        if not self._services.pipelines.save_steps(list(changed.values()), under=self._job):
            raise Stopped
        self.steps.update(changed)

    def change_step(self, name: str, **changes: Any) -> None:
        """Overwrite fields of a step."""
        self.change_steps([name], **changes)

    def lay_out(self, plan: Plan) -> None:
        """Record the graph and its code. Of a run that was begun before, what has ended stays, if the code is the same."""
        store = self._services.pipelines
        known = {step.name: step for step in store.steps(self.run.id)}
        begun_with = store.get_code(self.run.code_id).files if self.run.code_id else plan.code.files
        same_code = begun_with == plan.code.files
        store.save_code(plan.code)
        for index, node in enumerate(plan.nodes):
            before = known.pop(node.name, None)
            if before is not None and same_code and before.state in _KEPT:
                self.steps[node.name] = before
                continue
            self.steps[node.name] = StepRun(
                run_id=self.run.id,
                name=node.name,
                index=index,
                function=node.function,
                state="pending",
                depends_on=tuple(node.depends_on),
                attempt=before.attempt if before is not None and same_code else 0,
            )
        gone = "the pipeline's code has changed since; it has no such step any more"
        stale = [replace(step, state="skipped", error=gone) for step in known.values()]
        if not store.save_steps([*self.steps.values(), *stale], under=self._job):
            raise Stopped
        self.change_run(code_id=plan.code.id)

    def put_back(self) -> None:
        """As before the worker took it, for the next one; nothing when the job is no longer ours."""
        try:
            running = [name for name, step in self.steps.items() if step.state == "running"]
            self.change_steps(running, state="pending", started_ms=None)
            self.change_run(state="queued")
        except Stopped:
            return
