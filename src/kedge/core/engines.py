"""The seam to where steps run: a step process takes messages and answers them, or dies."""

from collections.abc import Sequence
from typing import Any, Protocol

import msgspec


class StepProcess(Protocol):
    """A process that holds the user's code and runs one step at a time."""

    def send(self, message: dict[str, Any]) -> None:
        """Give it work; a process that has died takes it in silence, `wait` tells."""
        ...

    def kill(self) -> None:
        """End it at once, with every process that it started; harmless when it has ended."""
        ...


class Answer(msgspec.Struct, frozen=True):
    """What came from a process: a message, or None with the way it died."""

    process: Any
    message: dict[str, Any] | None
    died: str = ""


class Engine(Protocol):
    """Starts step processes. Used by one thread at a time."""

    capacity: int
    """How many steps may run at once."""

    def start(self, environment: dict[str, str]) -> StepProcess:
        """Start a process with these variables besides the engine's own. Raises OSError when the machine refuses."""
        ...

    def wait(self, processes: Sequence[Any], timeout_s: float) -> list[Answer]:
        """What has come until now, waiting up to `timeout_s` for the first; each death is told once."""
        ...
