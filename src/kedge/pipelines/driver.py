"""Carrying a run through: asks the scheduler what to do, has it done by step processes, records every change.

The driver holds no user code. A run that was begun by a worker that is gone continues: what succeeded is not run again.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from kedge.core.datasets import DatasetUse
from kedge.core.engines import Answer, Engine, StepProcess
from kedge.core.pipelines import CachedStep, CodeSnapshot, PipelineRun, StepOutput, StepRun
from kedge.core.services import Services
from kedge.pipelines import fingerprint
from kedge.pipelines.schedule import decide

_POLL_S = 0.25
_LOAD_TIMEOUT_S = 300.0


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


class Stopped(Exception):
    """The lease is gone: cancelled, or another worker has the run."""


class Driver:
    """Drives one run. `mine` says whether this worker still holds the run's lease."""

    def __init__(
        self, services: Services, engine: Engine, run: PipelineRun, log_folder: Path, mine: Callable[[], bool]
    ) -> None:
        self._services = services
        self._engine = engine
        self._run = run
        self._logs = log_folder
        self._mine = mine
        self._idle: list[StepProcess] = []
        self._busy: dict[int, tuple[StepProcess, str, float]] = {}
        self._steps: dict[str, StepRun] = {}
        self._plan: Plan | None = None

    def drive(self) -> PipelineRun:
        """Run to the end and return the ended run. Raises Stopped, having killed its processes, when it is not ours."""
        try:
            self._save_run(state="running", started_ms=self._run.started_ms or self._now_ms())
            plan = self._traced()
            if plan is not None:
                self._follow(plan)
            return self._run
        finally:
            for process in [*self._idle, *(busy[0] for busy in self._busy.values())]:
                process.kill()

    # Tracing ---------------------------------------------------------------------------------------------------------

    def _traced(self) -> Plan | None:
        """The plan, its steps recorded; None, the run recorded as failed, when there is none."""
        process = self._engine.start(self._environment())
        self._idle.append(process)
        message = self._ask_trace(process)
        if "error" in message:
            self._save_run(state="failed", error=str(message["error"]), ended_ms=self._now_ms())
            return None
        plan = self._plan = msgspec.convert(message, Plan)
        self._services.pipelines.save_code(plan.code)
        self._save_run(code_id=plan.code.id)
        known = {step.name: step for step in self._services.pipelines.steps(self._run.id)}
        for index, node in enumerate(plan.nodes):
            fresh = StepRun(
                run_id=self._run.id,
                name=node.name,
                index=index,
                function=node.function,
                state="pending",
                depends_on=tuple(node.depends_on),
            )
            before = known.get(node.name)
            done = before is not None and before.state in ("succeeded", "cached")
            self._steps[node.name] = before if before is not None and done else fresh
        self._services.pipelines.save_steps(list(self._steps.values()))
        return plan

    def _ask_trace(self, process: StepProcess) -> dict[str, Any]:
        run = self._run
        process.send({"do": "trace", "entry": run.entry, "project": run.project, "params": run.params})
        begun = self._services.clock.monotonic_s()
        while self._services.clock.monotonic_s() - begun < _LOAD_TIMEOUT_S:
            self._check_mine()
            for answer in self._engine.wait([process], _POLL_S):
                if answer.message is not None:
                    return answer.message
                return {"error": f"loading {run.entry} failed: {answer.died}; see the worker's log"}
        return {"error": f"loading {run.entry} took longer than {_LOAD_TIMEOUT_S:.0f} s"}

    # Following -------------------------------------------------------------------------------------------------------

    def _follow(self, plan: Plan) -> None:
        depends_on = {node.name: node.depends_on for node in plan.nodes}
        nodes = {node.name: node for node in plan.nodes}
        while True:
            states = {name: step.state for name, step in self._steps.items()}
            decision = decide(depends_on, states, self._engine.capacity)
            for name in decision.skip:
                self._save_step(name, state="skipped", error="a step that it depends on did not succeed")
            if decision.finished:
                self._end(plan)
                return
            for name in decision.start:
                self._start(nodes[name])
            if self._busy:
                self._collect(nodes)

    def _start(self, node: PlannedStep) -> None:
        key, parts = self._key(node)
        if key is not None and self._taken_from_cache(node, key, parts):
            return
        process = self._idle.pop() if self._idle else self._second_process()
        if process is None:
            return
        step = self._steps[node.name]
        now_ms = self._now_ms()
        self._save_step(
            node.name, state="running", attempt=step.attempt + 1, started_ms=now_ms, cache_key=key, error=None
        )
        inputs = {name: msgspec.to_builtins(self._steps[name].output) for name in node.takes}
        log = str(self._logs / f"{node.name}.log")
        process.send({"do": "run", "step": node.name, "inputs": inputs, "log": log})
        self._busy[id(process)] = (process, node.name, self._services.clock.monotonic_s())

    def _second_process(self) -> StepProcess | None:
        """Another process with the graph traced, for a step beside the running ones."""
        process = self._engine.start(self._environment())
        message = self._ask_trace(process)
        if "error" in message:
            process.kill()
            if not self._busy:  # nothing will free a process: give up loudly
                self._save_all_pending_failed(str(message["error"]))
            return None
        return process

    def _save_all_pending_failed(self, error: str) -> None:
        for name, step in self._steps.items():
            if step.state == "pending":
                self._save_step(name, state="failed", error=error)

    def _key(self, node: PlannedStep) -> tuple[str | None, dict[str, str]]:
        if not node.cache:
            return None, {}
        parts = dict(node.parts)
        for name in node.takes:
            output = self._steps[name].output
            parts[f"output of {name}"] = output.object_id if output else ""
        return fingerprint.key_of(parts), parts

    def _taken_from_cache(self, node: PlannedStep, key: str, parts: dict[str, str]) -> bool:
        cached = self._services.pipelines.cached(key)
        if cached is not None and self._services.objects.has(cached.output.object_id):
            note = f"from run {cached.run_id}"
            self._copy_uses(cached.run_id, node)
            now_ms = self._now_ms()
            self._save_step(
                node.name,
                state="cached",
                output=cached.output,
                cache_key=key,
                cache_note=note,
                started_ms=now_ms,
                ended_ms=now_ms,
            )
            return True
        last = self._services.pipelines.last_cached(node.function)
        note = "never run before" if last is None else fingerprint.difference(parts, last.parts)
        self._steps[node.name] = replace(self._steps[node.name], cache_note=note)
        return False

    def _copy_uses(self, run_id: str, node: PlannedStep) -> None:
        """A step taken from the cache read what the step that filled it had read."""
        for use in self._services.datasets.uses_of_run(run_id):
            if use.step == node.name:
                mine = DatasetUse(
                    pipeline_run_id=self._run.id, step=node.name, dataset_version_id=use.dataset_version_id
                )
                self._services.datasets.record_use(mine)

    def _collect(self, nodes: dict[str, PlannedStep]) -> None:
        answers = self._engine.wait([busy[0] for busy in self._busy.values()], _POLL_S)
        self._check_mine()
        for answer in answers:
            if id(answer.process) in self._busy:
                self._take(answer, nodes)
        for process, name, begun in list(self._busy.values()):
            limit = nodes[name].timeout_s
            if limit is not None and self._services.clock.monotonic_s() - begun > limit:
                process.kill()
                del self._busy[id(process)]
                self._failed(nodes[name], f"stopped after its timeout of {limit:g} s")

    def _take(self, answer: Answer, nodes: dict[str, PlannedStep]) -> None:
        process, name, _ = self._busy.pop(id(answer.process))
        if answer.message is None:
            process.kill()
            self._failed(nodes[name], f"step {name!r}: {answer.died}")
            return
        self._idle.append(process)
        if "error" in answer.message:
            self._failed(nodes[name], str(answer.message["error"]))
            return
        output = msgspec.convert(answer.message["output"], StepOutput)
        self._save_step(
            name, state="succeeded", output=output, ended_ms=self._now_ms(), log_object=self._kept_log(name)
        )
        self._remember(nodes[name], output)

    def _remember(self, node: PlannedStep, output: StepOutput) -> None:
        key, parts = self._key(node)
        if key is not None:
            entry = CachedStep(
                key=key,
                function=node.function,
                output=output,
                run_id=self._run.id,
                parts=parts,
                created_ms=self._now_ms(),
            )
            self._services.pipelines.remember(entry)

    def _failed(self, node: PlannedStep, error: str) -> None:
        again = self._steps[node.name].attempt <= node.retries
        state = "pending" if again else "failed"
        self._save_step(
            node.name, state=state, error=error, ended_ms=self._now_ms(), log_object=self._kept_log(node.name)
        )

    def _kept_log(self, name: str) -> str | None:
        log = self._logs / f"{name}.log"
        return self._services.objects.put([log.read_bytes()]) if log.exists() else None

    def _end(self, plan: Plan) -> None:
        failed = [step for step in self._steps.values() if step.state == "failed"]
        if failed:
            last_line = (failed[0].error or "").strip().splitlines()[-1:]
            error = f"step {failed[0].name!r} failed: {''.join(last_line)}"
            self._save_run(state="failed", error=error, ended_ms=self._now_ms())
        else:
            self._save_run(state="succeeded", result=self._result(plan.result), ended_ms=self._now_ms())

    def _result(self, value: Any) -> Any:
        """The pipeline's return value, with the outputs that are JSON in the place of their handles."""
        if isinstance(value, dict):
            if set(value) == {"$step"}:
                output = self._steps[value["$step"]].output
                if output is not None and output.format == "json":
                    return msgspec.json.decode(self._services.objects.path(output.object_id).read_bytes())
                return output.summary if output is not None else None
            return {key: self._result(each) for key, each in value.items()}
        return [self._result(each) for each in value] if isinstance(value, list) else value

    # Recording -------------------------------------------------------------------------------------------------------

    def _environment(self) -> dict[str, str]:
        return {"KEDGE_PIPELINE_RUN": self._run.id}

    def _now_ms(self) -> int:
        return self._services.clock.now_ms()

    def _check_mine(self) -> None:
        if not self._mine():
            raise Stopped

    def _save_step(self, name: str, **changes: Any) -> None:
        self._steps[name] = replace(self._steps[name], **changes)
        self._services.pipelines.save_steps([self._steps[name]])

    def _save_run(self, **changes: Any) -> None:
        self._check_mine()
        self._run = replace(self._run, **changes)
        self._services.pipelines.update_run(self._run)
