"""What a detector declares about itself: constraints as data, from which validation, tables and tests are made."""

import dataclasses
import math
from typing import Any, Literal

from kedge.drift.errors import ParameterError


@dataclasses.dataclass(frozen=True)
class Interval:
    """A number between `low` and `high`; each end belongs to it where `closed` says so. NaN never does."""

    kind: type[int] | type[float]
    low: float
    high: float
    closed: Literal["both", "left", "right", "neither"] = "both"

    def admits(self, value: Any) -> bool:
        """Whether `value` is of the kind and inside."""
        if isinstance(value, bool) or not isinstance(value, int if self.kind is int else (int, float)):
            return False
        if math.isnan(value):
            return False
        above = value >= self.low if self.closed in ("both", "left") else value > self.low
        below = value <= self.high if self.closed in ("both", "right") else value < self.high
        return above and below

    def __str__(self) -> str:
        left = "[" if self.closed in ("both", "left") else "("
        right = "]" if self.closed in ("both", "right") else ")"
        return f"{self.kind.__name__} in {left}{self.low:g}, {self.high:g}{right}"


@dataclasses.dataclass(frozen=True)
class Choice:
    """One of a few values."""

    options: tuple[Any, ...]

    def admits(self, value: Any) -> bool:
        """Whether `value` is one of the options."""
        return any(
            value is option or (type(value) is type(option) and value == option) for option in self.options
        )

    def __str__(self) -> str:
        return "one of " + ", ".join(repr(option) for option in self.options)


Constraint = Interval | Choice


@dataclasses.dataclass(frozen=True, kw_only=True)
class DetectorSpec:
    """What a detector is, as data.

    `input` is what it takes, `direction` which changes it answers to, `false_alarms` how they are controlled,
    `equations` what of the paper is followed, `cost` the work per value (streaming) or per test (batch).
    """

    name: str
    mode: Literal["streaming", "batch"]
    input: Literal["real", "binary", "categorical"]
    direction: Literal["up", "down", "both"]
    params: dict[str, Constraint]
    paper: str
    equations: str
    false_alarms: str
    cost: str
    libraries: tuple[str, ...] = ()
    warns: bool = False


def validate(spec: DetectorSpec, given: dict[str, Any]) -> None:
    """Raise ParameterError for the first argument that its constraint does not admit."""
    for name, constraint in spec.params.items():
        if not constraint.admits(given[name]):
            raise ParameterError(f"{spec.name}({name}={given[name]!r}): {name} must be {constraint}")
