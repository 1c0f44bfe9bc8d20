"""Bayesian online change-point detection over an array."""

import math

import numpy as np
import numpy.typing as npt
from numba import njit

from kedge.drift.kernels.layout import BOCD_COLUMNS, BOCD_HEAD, DRIFT

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.int8]

_SHARPEST = 1e-12
"""Relative to the mean: a smaller deviation is rounding, and measures nothing."""


@njit(cache=True, nogil=True)
def _predictive(x: float, mean: float, strength: float, shape: float, scale: float, variance: float) -> float:
    """Log density of the next value: normal where the variance is known, else Student's t with 2 `shape` degrees."""
    if variance > 0.0:
        spread = variance * (1.0 + 1.0 / strength)
        return -0.5 * (math.log(2.0 * math.pi * spread) + (x - mean) ** 2 / spread)
    spread = scale * (strength + 1.0) / (shape * strength)
    degrees = 2.0 * shape
    constant = math.lgamma(shape + 0.5) - math.lgamma(shape) - 0.5 * math.log(degrees * math.pi * spread)
    return constant - (shape + 0.5) * math.log1p((x - mean) ** 2 / (degrees * spread))


@njit(cache=True, nogil=True, error_model="numpy")
def _grow(table: Floats, count: int, x: float, hazard: float, variance: float, grown: Floats) -> None:
    """Every run goes on by a value: its probability (equations 3 and 4) and what is known of its mean and variance."""
    most = -np.inf
    for k in range(count):
        row = table[k]
        grown[k] = math.log(row[1]) + _predictive(x, row[2], row[3], row[4], row[5], variance)
        most = max(most, grown[k])
    total = 0.0
    for k in range(count):
        grown[k] = math.exp(grown[k] - most)
        total += grown[k]
    for k in range(count):
        row = table[k]
        row[0] += 1.0
        row[1] = grown[k] / total * (1.0 - hazard)
        step = x - row[2]
        row[2] += step / (row[3] + 1.0)
        row[5] += 0.5 * row[3] * step * step / (row[3] + 1.0)
        row[3] += 1.0
        row[4] += 0.5


@njit(cache=True, nogil=True, error_model="numpy")
def run(
    state: Floats,
    xs: Floats,
    flags: Flags,
    statistics: Floats,
    hazard: float,
    threshold: float,
    least: float,
    prior: Floats,
    variance: float,
    burn_in: int,
) -> None:
    """Adams and MacKay's recursion. `state` is (hypotheses, age of the concept, values measured; their mean, sum of squares,
    deviation or 0 while they are measured), then a row for each hypothesis: run length, probability, mean, strength, shape, scale. Those less probable than `least` are dropped, and
    the least probable where there is no room."""
    table = state[BOCD_HEAD:].reshape((-1, BOCD_COLUMNS))
    room = table.shape[0]
    count, age = int(state[0]), state[1]
    grown = np.empty(room + 1)
    for i in range(xs.size):
        statistics[i] = 0.0
        if burn_in > 0 and state[5] == 0.0:
            _measure(state, xs[i], burn_in)
            continue
        x = (xs[i] - state[3]) / state[5] if burn_in > 0 else xs[i]
        if count == 0:
            table[0, 0], table[0, 1] = 0.0, 1.0
            table[0, 2:] = prior
            count, age = 1, 0.0
        _grow(table, count, x, hazard, variance, grown)
        age += 1.0
        count = _without_rare(table, count, least, room)
        table[count, 0], table[count, 1] = 0.0, hazard
        table[count, 2:] = prior
        count += 1
        since, likeliest, highest, all_of_them = 0.0, 0.0, -1.0, 0.0
        for k in range(count):
            all_of_them += table[k, 1]
            if table[k, 0] < age:
                since += table[k, 1]
                if table[k, 1] > highest:
                    highest, likeliest = table[k, 1], table[k, 0]
        for k in range(count):
            table[k, 1] /= all_of_them
        statistics[i] = since / all_of_them
        if statistics[i] > threshold:
            flags[i] = DRIFT
            age = likeliest
            count = _not_older(table, count, age)
    state[0], state[1] = count, age


@njit(cache=True, nogil=True)
def _measure(state: Floats, x: float, burn_in: int) -> None:
    """Mean and deviation of the first values; of more of them where those are all the same."""
    state[2] += 1.0
    before = state[3]
    state[3] += (x - before) / state[2]
    state[4] += (x - before) * (x - state[3])
    if state[2] >= burn_in and state[2] > 1.0:
        found = math.sqrt(state[4] / (state[2] - 1.0))
        state[5] = found if found > _SHARPEST * abs(state[3]) else 0.0


@njit(cache=True, nogil=True)
def _without_rare(table: Floats, count: int, least: float, room: int) -> int:
    kept = 0
    for k in range(count):
        if table[k, 1] >= least:
            if kept != k:
                table[kept] = table[k]
            kept += 1
    while kept > room - 1:
        rarest = 0
        for k in range(1, kept):
            if table[k, 1] < table[rarest, 1]:
                rarest = k
        for k in range(rarest, kept - 1):
            table[k] = table[k + 1]
        kept -= 1
    return kept


@njit(cache=True, nogil=True)
def _not_older(table: Floats, count: int, age: float) -> int:
    """Drop what began before the concept did, and share its probability among the others."""
    kept, total = 0, 0.0
    for k in range(count):
        if table[k, 0] <= age:
            if kept != k:
                table[kept] = table[k]
            total += table[kept, 1]
            kept += 1
    for k in range(kept):
        table[k, 1] /= total
    return kept
