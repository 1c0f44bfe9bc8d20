"""Two sides timed in turn. Only the standard library: this also runs where another library's environment is."""

import dataclasses
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

LEAST_S = 0.02
"""A side that is done sooner is repeated within its round, so that the clock's own steps do not count."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Comparison:
    """Seconds of our side and of another library's on the same data, a round each; rounds of one number belong together."""

    key: str
    title: str
    rival: str
    ours: tuple[float, ...]
    theirs: tuple[float, ...]
    values: int = 0
    """How many values one run takes, where it takes them in turn; then rates are told instead of seconds."""
    note: str = ""

    @property
    def ratios(self) -> list[float]:
        """How many times as fast as they we are, round by round."""
        return [theirs / ours for ours, theirs in zip(self.ours, self.theirs, strict=True)]

    @property
    def ratio(self) -> float:
        """The median of the ratios."""
        return statistics.median(self.ratios)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Quantity:
    """Something measured of ours alone."""

    key: str
    title: str
    unit: str
    found: tuple[float, ...]
    note: str = ""


def record(found: Comparison | Quantity) -> dict[str, Any]:
    """As JSON takes it."""
    return dataclasses.asdict(found)


def alternated(
    rounds: int,
    sides: Mapping[str, Callable[[], object]],
    warm: Mapping[str, Callable[[], object]] | None = None,
) -> dict[str, tuple[float, ...]]:
    """Seconds of each side, in turn, `rounds` times; who is first in a round is last in the next.

    A first round is not counted: it compiles, fills caches and tells how often a quick side is to be repeated. `warm` names
    something shorter to do in it.
    """
    first = warm or sides
    repeats = {}
    for name, side in first.items():
        side()
        took = _timed(side, 1)
        repeats[name] = 1 if warm else max(1, round(LEAST_S / max(took, 1e-7)))
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(rounds):
        names = list(sides) if number % 2 == 0 else list(sides)[::-1]
        for name in names:
            seconds[name].append(_timed(sides[name], repeats[name]))
    return {name: tuple(each) for name, each in seconds.items()}


def _timed(side: Callable[[], object], repeats: int) -> float:
    begun = time.perf_counter()
    for _ in range(repeats):
        side()
    return (time.perf_counter() - begun) / repeats


def short(value: float) -> str:
    """Three digits."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    if abs(value) < 0.001:
        return f"{value:.1e}"
    return f"{value:.3g}"


def spread(values: Sequence[float], unit: str = "") -> str:
    """Median and range."""
    middle = short(statistics.median(values)) + unit
    return middle if len(values) == 1 else f"{middle} ({short(min(values))} to {short(max(values))})"
