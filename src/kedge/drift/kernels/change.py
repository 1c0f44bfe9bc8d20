"""Detectors of a changed mean or distribution over an array."""

import math

import numpy as np
import numpy.typing as npt
from numba import njit

from kedge.drift.kernels.layout import DRIFT

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.int8]

_SHARPEST = 1e-12
"""Relative to the mean: a smaller deviation is rounding, and standardises nothing."""


@njit(cache=True, nogil=True, error_model="numpy")
def cusum(
    state: Floats,
    xs: Floats,
    flags: Flags,
    statistics: Floats,
    minimum: int,
    delta: float,
    threshold: float,
    mode: int,
) -> None:
    """Page's sums against the running mean. `state` is (n, mean, sum up, sum down); `mode` 1 up, -1 down, 0 both."""
    n, mean, up, down = state
    for i in range(xs.size):
        n += 1.0
        mean += (xs[i] - mean) / n
        up = max(0.0, up + (xs[i] - mean - delta))
        down = max(0.0, down - (xs[i] - mean + delta))
        statistics[i] = up if mode == 1 else (down if mode == -1 else max(up, down))
        if n >= minimum and statistics[i] > threshold:
            flags[i] = DRIFT
            n, mean, up, down = 0.0, 0.0, 0.0, 0.0
    state[0], state[1], state[2], state[3] = n, mean, up, down


@njit(cache=True, nogil=True, error_model="numpy")
def standardised_cusum(
    state: Floats,
    xs: Floats,
    flags: Flags,
    statistics: Floats,
    minimum: int,
    delta: float,
    threshold: float,
    mode: int,
) -> None:
    """The same in deviations of the first `minimum` values, whose mean and deviation stay what they are. `state` is (n,
    mean, sum of squares, sum up, sum down, deviation or 0 while it is being measured)."""
    n, mean, squares, up, down, spread = state
    for i in range(xs.size):
        x = xs[i]
        if spread == 0.0:
            n += 1.0
            before = mean
            mean += (x - mean) / n
            squares += (x - before) * (x - mean)
            statistics[i] = 0.0
            if n >= minimum and n > 1.0:
                found = math.sqrt(squares / (n - 1.0))
                spread = found if found > _SHARPEST * abs(mean) else 0.0
            continue
        z = (x - mean) / spread
        up = max(0.0, up + (z - delta))
        down = max(0.0, down - (z + delta))
        statistics[i] = up if mode == 1 else (down if mode == -1 else max(up, down))
        if statistics[i] > threshold:
            flags[i] = DRIFT
            n, mean, squares, up, down, spread = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    state[0], state[1], state[2], state[3], state[4], state[5] = n, mean, squares, up, down, spread


@njit(cache=True, nogil=True, error_model="numpy")
def geometric(
    state: Floats,
    xs: Floats,
    flags: Flags,
    statistics: Floats,
    minimum: int,
    alpha: float,
    threshold: float,
    mode: int,
) -> None:
    """A geometric moving average of deviations from the running mean. `state` is (n, mean, average)."""
    n, mean, average = state
    for i in range(xs.size):
        n += 1.0
        mean += (xs[i] - mean) / n
        average = alpha * average + (1.0 - alpha) * (xs[i] - mean)
        statistics[i] = average if mode == 1 else (-average if mode == -1 else abs(average))
        if n >= minimum and statistics[i] > threshold:
            flags[i] = DRIFT
            n, mean, average = 0.0, 0.0, 0.0
    state[0], state[1], state[2] = n, mean, average
