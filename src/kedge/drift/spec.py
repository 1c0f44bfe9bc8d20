"""What a detector declares about itself: constraints as data, from which validation, tables and tests are made."""

import dataclasses
import inspect
import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Literal

import numpy as np

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
        if value != value:  # noqa: PLR0124 - NaN; math.isnan would fail on an integer beyond the floats
            return False
        above = value >= self.low if self.closed in ("both", "left") else value > self.low
        below = value <= self.high if self.closed in ("both", "right") else value < self.high
        return above and below

    def odds(self, value: float) -> float:
        """How far into the interval, from 0 to infinity: without a high end, how far from the low one, which must be finite."""
        if math.isinf(self.high):
            return value - self.low
        return (value - self.low) / max(self.high - value, (self.high - self.low) * 2.0**-53)

    def at(self, odds: float) -> float:
        """The value that has these odds."""
        if math.isinf(self.high):
            return self.low + odds
        if odds > 1:  # from the nearer end, so that values close to it keep their digits
            return self.high - (self.high - self.low) / (1 + odds)
        return self.low + (self.high - self.low) * odds / (1 + odds)

    def __str__(self) -> str:
        left = "[" if self.closed in ("both", "left") else "("
        right = "]" if self.closed in ("both", "right") else ")"
        ends = [
            str(int(end)) if self.kind is int and math.isfinite(end) else f"{end:g}"
            for end in (self.low, self.high)
        ]
        return f"{self.kind.__name__} in {left}{', '.join(ends)}{right}"


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


@dataclasses.dataclass(frozen=True)
class Instances:
    """An object of `kind`; of `several`, a tuple of one or more."""

    kind: type
    several: bool = False

    def admits(self, value: Any) -> bool:
        """Whether `value` is such an object or tuple."""
        if not self.several:
            return isinstance(value, self.kind)
        return isinstance(value, tuple) and bool(value) and all(isinstance(each, self.kind) for each in value)

    def __str__(self) -> str:
        return f"a tuple of {self.kind.__name__}s" if self.several else f"a {self.kind.__name__}"


@dataclasses.dataclass(frozen=True)
class OrNone:
    """A number inside `interval`, or None: then the detector finds one by itself."""

    interval: Interval

    def admits(self, value: Any) -> bool:
        """Whether `value` is None or inside."""
        return value is None or self.interval.admits(value)

    def __str__(self) -> str:
        return f"None or {self.interval}"


@dataclasses.dataclass(frozen=True)
class Methods:
    """An object with these methods, or None: then the detector makes its default."""

    names: tuple[str, ...]

    def admits(self, value: Any) -> bool:
        """Whether `value` is None or an object, not a class, that has all the methods."""
        return value is None or (
            not isinstance(value, type) and all(callable(getattr(value, name, None)) for name in self.names)
        )

    def __str__(self) -> str:
        return f"None or an object with {' and '.join(self.names)}"


Constraint = Interval | Choice | Instances | OrNone | Methods


Parameters = Mapping[str, Any]


def _nothing(_: Parameters) -> int:
    return 0


@dataclasses.dataclass(frozen=True, kw_only=True)
class DetectorSpec:
    """What a detector is, as data.

    `input` is what it takes: values of shape (n,) that are "real", "binary", "categorical" or an "outcome" (twice the
    true class plus the predicted one); or rows of shape (n, d) that are a "vector", "probabilities" of d classes, or "labelled" with their class in the last column. `direction`
    tells which changes it answers to, `false_alarms` how they are controlled, `equations` what of the paper is followed,
    `cost` the work per value (streaming) or per test (batch). `warmup` gives, for a set of parameters, how many first
    values can raise no alarm, and `state_bound_bytes` the longest state (0: it grows with the reference; for vectors the set also
    holds their length as `dimension`). `threshold` names the parameter that trades false alarms for delay, if one does, and
    `stricter` says which values of it, the "larger" or the "smaller", alarm more rarely and later.
    `examples` are the parameter sets that the conformance suite runs, and `expected_failures` the checks of it that the
    detector does not hold, with reasons.
    """

    name: str
    mode: Literal["streaming", "batch"]
    input: Literal["real", "binary", "categorical", "vector", "probabilities", "labelled", "outcome"]
    direction: Literal["up", "down", "both"]
    params: Mapping[str, Constraint]
    paper: str
    equations: str
    false_alarms: str
    cost: str
    libraries: tuple[str, ...] = ()
    warns: bool = False
    threshold: str = ""
    stricter: Literal["larger", "smaller", ""] = ""
    warmup: Callable[[Parameters], int] = _nothing
    state_bound_bytes: Callable[[Parameters], int] = _nothing
    examples: tuple[Parameters, ...] = ({},)
    expected_failures: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        if bool(self.threshold) != bool(self.stricter):
            raise ValueError(
                f"{self.name}: `threshold` and `stricter` go together, for one says nothing alone"
            )
        for name in ("params", "expected_failures"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))
        object.__setattr__(self, "examples", tuple(MappingProxyType(dict(each)) for each in self.examples))


def parameters_of(detector: object) -> dict[str, Any]:
    """The constructor's arguments, as given: every detector stores them unchanged under their names."""
    return {name: getattr(detector, name) for name in inspect.signature(type(detector)).parameters}


def as_call(detector: object) -> str:
    """The constructor call that makes an equal detector."""
    given = ", ".join(f"{name}={value!r}" for name, value in parameters_of(detector).items())
    return f"{type(detector).__name__}({given})"


def take_plainly(detector: object) -> None:
    """Turn numbers of NumPy among the constructor's arguments into Python's: their repr, and JSON, hold no others."""
    for name, value in parameters_of(detector).items():
        if isinstance(value, np.number | np.bool_):
            setattr(detector, name, value.item())


def validate(spec: DetectorSpec, given: Parameters) -> None:
    """Raise ParameterError for the first argument that its constraint does not admit."""
    for name, constraint in spec.params.items():
        if not constraint.admits(given[name]):
            raise ParameterError(spec.name, name, given[name], str(constraint))
