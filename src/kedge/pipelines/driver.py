"""Carrying a run through: asks the scheduler what to do, has it done by step processes, records every change.

The driver holds no user code. A run that was begun by a worker that is gone continues: what has ended is not run again.
"""

import collections
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from kedge.core.engines import Engine
from kedge.core.jobs import Job
from kedge.core.pipelines import CachedStep, PipelineRun, StepOutput
from kedge.core.services import Services
from kedge.pipelines import fingerprint
from kedge.pipelines.pool import Event, Pool
from kedge.pipelines.record import Plan, PlannedStep, Record, Stopped
from kedge.pipelines.schedule import decide

_POLL_S = 0.25
_GROW_AFTER_S = 0.3
_PIECE_BYTES = 1 << 20
_MAX_RESULT_BYTES = 256 * 1024
_CHANGED = "the code or graph of the pipeline changed while it ran: start it again"


class Driver:
    """Drives one run. `mine` says whether this worker still holds the run's job and may go on."""

    def __init__(
        self,
        services: Services,
        engine: Engine,
        run: PipelineRun,
        *,
        job: Job,
        log_folder: Path,
        mine: Callable[[], bool],
    ) -> None:
        self._services = services
        self._capacity = engine.capacity
        self._logs = log_folder
        self._mine = mine
        self._record = Record(services, run, job)
        trace = {"do": "trace", "entry": run.entry, "project": run.project, "params": run.params}
        self._pool = Pool(engine, services.clock, {"KEDGE_PIPELINE_RUN": run.id}, trace)
        self._plan: Plan | None = None
        self._nodes: dict[str, PlannedStep] = {}
        self._looked_up: dict[str, tuple[str | None, dict[str, str], str]] = {}
        self._waiting_since_s: float | None = None
        self._failures: collections.Counter[str] = collections.Counter()

    def drive(self) -> PipelineRun:
        """Run to the end and return the ended run. Raises Stopped, having ended its processes, when it may not go on."""
        try:
            self._record.change_run(
                state="running", started_ms=self._record.run.started_ms or self._record.now_ms()
            )
            self._grow(1)
            while self._record.run.state == "running":
                self._check_mine()
                for event in self._pool.events(_POLL_S):
                    self._take(event)
                if self._plan is not None and self._record.run.state == "running":
                    self._advance(self._plan)
            return self._record.run
        except Stopped:
            self._pool.close()
            self._record.put_back()
            raise
        finally:
            self._pool.close()

    def _check_mine(self) -> None:
        if not self._mine():
            raise Stopped

    # Events ----------------------------------------------------------------------------------------------------------

    def _take(self, event: Event) -> None:
        if event.kind == "traced":
            self._take_process(event)
        elif event.kind == "died":
            self._failed(event.step, f"step {event.step!r}: {event.died}")
        elif "error" in event.message:
            self._failed(event.step, str(event.message["error"]))
        else:
            self._succeeded(event.step, msgspec.convert(event.message["output"], StepOutput))

    def _take_process(self, event: Event) -> None:
        if event.process is None:
            self._no_process(str(event.message["error"]))
            return
        plan = msgspec.convert(event.message, Plan)
        if self._plan is None:
            self._record.lay_out(plan)
            self._plan, self._nodes = plan, {node.name: node for node in plan.nodes}
        elif not plan.same_as(self._plan):
            event.process.kill()
            self._no_process(_CHANGED)
            return
        self._pool.accept(event.process)

    def _no_process(self, error: str) -> None:
        """A process could not be had: go on with those that there are; with none, the run has failed."""
        self._capacity = max(1, self._pool.size)
        if self._pool.size == 0:
            waiting = [name for name, step in self._record.steps.items() if step.state == "pending"]
            self._record.change_steps(waiting, state="skipped", error="no process could be had to run it")
            self._record.change_run(state="failed", error=error, ended_ms=self._record.now_ms())

    def _grow(self, wanted: int) -> None:
        while self._pool.loading < wanted and self._pool.size < self._capacity:
            try:
                self._pool.grow()
            except OSError as error:
                self._no_process(f"a process could not be started: {error}")
                return

    def _succeeded(self, name: str, output: StepOutput) -> None:
        key, parts, _ = self._looked_up[name]
        if key is not None:
            entry = CachedStep(
                key=key,
                function=self._nodes[name].function,
                output=output,
                run_id=self._record.run.id,
                parts=parts,
                created_ms=self._record.now_ms(),
            )
            self._services.pipelines.remember(entry)
        self._record.change_step(
            name,
            state="succeeded",
            output=output,
            ended_ms=self._record.now_ms(),
            log_object=self._kept_log(name),
        )

    def _failed(self, name: str, error: str) -> None:
        self._failures[name] += 1
        again = self._failures[name] <= self._nodes[name].retries
        self._record.change_step(
            name,
            state="pending" if again else "failed",
            error=error,
            ended_ms=self._record.now_ms(),
            log_object=self._kept_log(name),
        )

    def _kept_log(self, name: str) -> str | None:
        log = self._logs / f"{name}.log"
        return self._services.objects.put(_pieces(log)) if log.exists() and log.stat().st_size else None

    # Decisions -------------------------------------------------------------------------------------------------------

    def _advance(self, plan: Plan) -> None:
        depends_on = {node.name: node.depends_on for node in plan.nodes}
        while True:
            states = {name: step.state for name, step in self._record.steps.items()}
            decision = decide(depends_on, states, self._capacity)
            if decision.skip:
                self._record.change_steps(
                    list(decision.skip), state="skipped", error="a step that it depends on did not succeed"
                )
            if decision.finished:
                self._end(plan)
                return
            to_run = [name for name in decision.start if not self._taken_from_cache(self._nodes[name])]
            if len(to_run) == len(decision.start):
                break  # else what stands on the cached ones may be ready now
        now, later = to_run[: self._pool.idle], to_run[self._pool.idle :]
        for name in now:
            self._start(self._nodes[name])
        self._grow_for(len(later))

    def _grow_for(self, waiting: int) -> None:
        """Another process costs the imports of the user's code: steps that wait only shortly are not worth one."""
        if not waiting:
            self._waiting_since_s = None
        elif self._pool.size == 0:
            self._grow(1)
        else:
            now_s = self._services.clock.monotonic_s()
            self._waiting_since_s = self._waiting_since_s or now_s
            if now_s - self._waiting_since_s >= _GROW_AFTER_S:
                self._grow(waiting)

    def _start(self, node: PlannedStep) -> None:
        key, _, note = self._looked_up[node.name]
        self._record.change_step(
            node.name,
            state="running",
            attempt=self._record.steps[node.name].attempt + 1,
            started_ms=self._record.now_ms(),
            ended_ms=None,
            cache_key=key,
            cache_note=note,
            log_object=None,
            error=None,
        )
        inputs = {name: msgspec.to_builtins(self._record.steps[name].output) for name in node.takes}
        log = str(self._logs / f"{node.name}.log")
        self._pool.give(
            node.name, {"do": "run", "step": node.name, "inputs": inputs, "log": log}, node.timeout_s
        )

    def _taken_from_cache(self, node: PlannedStep) -> bool:
        """Whether the step is done by that; else why not is remembered."""
        if node.name in self._looked_up:
            return False
        key, parts = self._key(node)
        cached = self._services.pipelines.cached(key) if key is not None else None
        if cached is None or not self._services.objects.has(cached.output.object_id):
            last = self._services.pipelines.last_cached(node.function) if key is not None else None
            note = "never run before" if last is None else fingerprint.difference(parts, last.parts)
            self._looked_up[node.name] = key, parts, note if key is not None else ""
            return False
        self._copy_uses(cached.run_id, node)
        now_ms = self._record.now_ms()
        self._record.change_step(
            node.name,
            state="cached",
            output=cached.output,
            cache_key=key,
            cache_note=f"hit from run {cached.run_id}",
            started_ms=now_ms,
            ended_ms=now_ms,
        )
        return True

    def _key(self, node: PlannedStep) -> tuple[str | None, dict[str, str]]:
        if not node.cache:
            return None, {}
        parts = dict(node.parts)
        for name in node.takes:
            output = self._record.steps[name].output
            parts[f"output of {name}"] = output.object_id if output else ""
        return fingerprint.key_of(parts), parts

    def _copy_uses(self, run_id: str, node: PlannedStep) -> None:
        """A step taken from the cache read what the step that filled it had read."""
        for use in self._services.datasets.uses_of_run(run_id):
            if use.step == node.name:
                self._services.datasets.record_use(replace(use, pipeline_run_id=self._record.run.id))

    # The end ---------------------------------------------------------------------------------------------------------

    def _end(self, plan: Plan) -> None:
        failed = [step for step in self._record.steps.values() if step.state == "failed"]
        if failed:
            others = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
            error = f"step {failed[0].name!r} failed: {_gist(failed[0].error or '')}{others}"
            self._record.change_run(state="failed", error=error, ended_ms=self._record.now_ms())
        else:
            result = self._result(plan.result)
            self._record.change_run(state="succeeded", result=result, ended_ms=self._record.now_ms())

    def _result(self, value: Any) -> Any:
        """The pipeline's return value, with the outputs that are JSON, and not large, in the place of their handles."""
        if isinstance(value, dict):
            if set(value) == {"$step"}:
                return self._output(self._record.steps[value["$step"]].output)
            return {key: self._result(each) for key, each in value.items()}
        return [self._result(each) for each in value] if isinstance(value, list) else value

    def _output(self, output: StepOutput | None) -> Any:
        if output is None:
            return None
        if output.format != "json" or output.size_bytes > _MAX_RESULT_BYTES:
            return output.summary
        return msgspec.json.decode(self._services.objects.path(output.object_id).read_bytes())


def _gist(error: str) -> str:
    """The line of a traceback that names the exception; its message may go on for more lines."""
    _, found, after = error.rpartition("Traceback (most recent call last):\n")
    lines = (after if found else error).strip("\n").splitlines()
    return next((line for line in lines if not line.startswith(" ")), "").strip()


def _pieces(file: Path) -> Iterator[bytes]:
    with file.open("rb") as content:
        while piece := content.read(_PIECE_BYTES):
            yield piece
