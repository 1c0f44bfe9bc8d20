"""The step processes of one run: loading, idle or busy; reused from step to step, so that imports are paid once."""

from typing import Any, Literal

import msgspec

from kedge.core.clock import Clock
from kedge.core.engines import Engine, StepProcess

LOAD_TIMEOUT_S = 300.0


class Event(msgspec.Struct, frozen=True):
    """What happened: a process has traced (or could not), a step answered, a step's process died or ran out of time."""

    kind: Literal["traced", "answered", "died"]
    message: dict[str, Any] = {}
    step: str = ""
    died: str = ""
    process: Any = None


class Pool:
    """Used by one thread. `trace` is the message by which a process learns the pipeline."""

    def __init__(
        self, engine: Engine, clock: Clock, environment: dict[str, str], trace: dict[str, Any]
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._environment = environment
        self._trace = trace
        self._loading: dict[int, tuple[StepProcess, float]] = {}
        self._idle: list[StepProcess] = []
        self._busy: dict[int, tuple[StepProcess, str, float, float | None]] = {}

    @property
    def size(self) -> int:
        """Processes in all."""
        return len(self._loading) + len(self._idle) + len(self._busy)

    @property
    def idle(self) -> int:
        """Processes that wait for a step."""
        return len(self._idle)

    @property
    def loading(self) -> int:
        """Processes that trace."""
        return len(self._loading)

    def grow(self) -> None:
        """Start a process; `traced` comes of it. Raises OSError when the machine refuses."""
        process = self._engine.start(self._environment)
        process.send(self._trace)
        self._loading[id(process)] = process, self._clock.monotonic_s()

    def accept(self, process: StepProcess) -> None:
        """Use a process that has traced."""
        self._idle.append(process)

    def give(self, step: str, message: dict[str, Any], timeout_s: float | None) -> None:
        """Have an idle process run a step."""
        process = self._idle.pop()
        process.send(message)
        self._busy[id(process)] = process, step, self._clock.monotonic_s(), timeout_s

    def events(self, wait_s: float) -> list[Event]:
        """What has happened by now, waiting up to `wait_s` for the first."""
        everyone = [each[0] for each in self._loading.values()] + [each[0] for each in self._busy.values()]
        found = []
        for answer in self._engine.wait([*everyone, *self._idle], wait_s):
            key = id(answer.process)
            if key in self._loading:
                found.append(self._traced(key, answer.message, answer.died))
            elif key in self._busy:
                found.append(self._answered(key, answer.message, answer.died))
            elif answer.message is None and answer.process in self._idle:
                self._idle.remove(answer.process)  # no step has suffered
                answer.process.kill()
        return found + self._too_late()

    def _traced(self, key: int, message: dict[str, Any] | None, died: str) -> Event:
        process, _ = self._loading.pop(key)
        if message is not None and "error" not in message:
            return Event("traced", message, process=process)
        process.kill()
        return Event("traced", message or {"error": f"{died} while the pipeline was loaded"})

    def _answered(self, key: int, message: dict[str, Any] | None, died: str) -> Event:
        process, step, _, _ = self._busy.pop(key)
        if message is None:
            process.kill()
            return Event("died", step=step, died=died)
        self._idle.append(process)
        return Event("answered", message, step=step)

    def _too_late(self) -> list[Event]:
        now_s = self._clock.monotonic_s()
        found = []
        for key, (process, step, begun_s, limit_s) in list(self._busy.items()):
            if limit_s is not None and now_s - begun_s > limit_s:
                del self._busy[key]
                process.kill()
                found.append(Event("died", step=step, died=f"stopped after its timeout of {limit_s:g} s"))
        for key, (process, begun_s) in list(self._loading.items()):
            if now_s - begun_s > LOAD_TIMEOUT_S:
                del self._loading[key]
                process.kill()
                error = f"loading the pipeline took longer than {LOAD_TIMEOUT_S:.0f} s"
                found.append(Event("traced", {"error": error}))
        return found

    def close(self) -> None:
        """End every process at once."""
        processes = [
            *self._idle,
            *(p for p, _ in self._loading.values()),
            *(b[0] for b in self._busy.values()),
        ]
        self._idle, self._loading, self._busy = [], {}, {}
        for process in processes:
            process.kill()
