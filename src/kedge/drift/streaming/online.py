"""Two-sample tests at every value of a stream, with a threshold found on the reference for a wanted run time."""

import abc
import functools
import math
from importlib import import_module
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from kedge.drift.errors import ParameterError
from kedge.drift.spec import Choice, Constraint, Interval, Parameters
from kedge.drift.streaming.base import Floats
from kedge.drift.streaming.referenced import ReferencedDetector

ROUNDS = 4
"""Simulated streams fill the window so many times: from the second on, the chance of an alarm is taken to be steady."""

SMALLEST = 1e-12
"""No threshold is lower: with a constant reference only rounding lies between statistics."""

PARAMS: dict[str, Constraint] = {
    "expected_run_time": Interval(float, 1, math.inf, "neither"),
    "window": Interval(int, 2, 100_000),
    "reference_size": Interval(int, 16, 10_000_000),
    "simulations": Interval(int, 100, 1_000_000),
    "seed": Interval(int, 0, 2**53),
    "missing": Choice(("raise", "skip")),
}

FALSE_ALARMS = "threshold simulated on the reference for the expected run time"


def warmup(parameters: Parameters) -> int:
    """How many first values can raise no alarm: the reference's, and all but the last of a window."""
    return int(parameters["reference_size"] + parameters["window"] - 1)


@functools.cache
def _kernel() -> Any:
    return import_module("kedge.drift.kernels.online")  # brings numba, a second, at the first value


class OnlineTest(ReferencedDetector):
    """An alarm where the statistic of the window against the reference exceeds a threshold.

    Simulated streams are parts of the reference, held against the rest of it: were there no drift, reference and stream
    would be such parts of one sample.
    """

    least_windows: ClassVar[int] = 2 * ROUNDS
    expected_run_time: float
    simulations: int
    seed: int

    def __init__(self) -> None:
        super().__init__()
        # The chance of an alarm at a value is told by the alarms in the simulated streams: ten at the least.
        least = math.ceil(10 * self.expected_run_time / ((ROUNDS - 2) * self.window))
        if self.simulations < least:
            rule = f"at least {least} for this expected_run_time and window"
            raise ParameterError(self.spec.name, "simulations", self.simulations, rule)

    @property
    def threshold(self) -> float:
        """What the statistic must exceed; NaN before the reference is complete."""
        return float(self._kept[0]) if self._dimension and self._state[1] == self._state[0] else math.nan

    @property
    def alarm_level(self) -> float:
        """The threshold."""
        return self.threshold

    @abc.abstractmethod
    def _prepare(self, reference: Floats, rng: np.random.Generator) -> None:
        """Write what windows are held against into `_kept`, after its head."""

    @abc.abstractmethod
    def _simulate(self, reference: Floats, chosen: npt.NDArray[np.int64]) -> Floats:
        """The statistics of streams that are the chosen places (streams, values) of the reference."""

    def _learn(self, reference: Floats) -> None:
        rng = np.random.default_rng(self.seed)
        self._prepare(reference, rng)
        uniforms = rng.random((self.simulations, ROUNDS * self.window))
        chosen = _kernel().choose(uniforms, len(reference))
        found = self._simulate(reference, chosen)
        threshold = threshold_for(found, self.window, float(self.expected_run_time))
        self._set_threshold(max(threshold, SMALLEST))

    def _set_threshold(self, threshold: float) -> None:
        self._kept[0] = threshold


def threshold_for(statistics: Floats, window: int, run_time: float) -> float:
    """The threshold that these statistics (streams, values) exceed, for the first time, after `run_time` values on average.

    During the first window's length the run times count as they are; after it as geometric, with the chance of an alarm
    that streams without one had in the values that are left.
    """
    # Exceeding for the first time is exceeding with the running maximum: thresholds are compared with that alone.
    highest = np.maximum.accumulate(statistics, axis=1)
    values = np.unique(highest)
    low, high = 0, values.size - 1
    while low < high:
        middle = (low + high) // 2
        if _mean_run_time(highest, window, values[middle]) < run_time:
            low = middle + 1
        else:
            high = middle
    return float(values[low])


def _mean_run_time(highest: Floats, window: int, threshold: float) -> float:
    without = highest <= threshold
    alive = without.mean(axis=0)  # the share without an alarm after each value
    early = 1.0 + float(alive[: window - 1].sum())
    alarms, at_risk = float(alive[window - 1] - alive[-1]), float(alive[window - 1 : -1].sum())
    if alarms <= 0:
        return math.inf if alive[-1] > 0 else early
    return early + float(alive[window - 1]) * at_risk / alarms
