"""Detectors of concept drift that weigh recent errors against all of them: RDDM, ECDD-WT, STEPD."""

import math

import numpy as np
import numpy.typing as npt
from numba import njit

from kedge.drift.kernels.layout import DRIFT, RDDM_HEAD, STEPD_HEAD, WARNING

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.int8]


_LIMITS = (3.97, -6.56, 0.0, 48.73, 0.0, -330.13, 0.0, 848.18)
"""ECDD-WT's control limit for a run time of 400 values: a polynomial in the error rate, lowest power first."""


@njit(cache=True, nogil=True, error_model="numpy")
def rddm(
    state: Floats,
    xs: Floats,
    flags: Flags,
    statistics: Floats,
    minimum: int,
    warn: float,
    drift: float,
    longest: int,
    most_warnings: int,
) -> None:
    """DDM that forgets the beginning of a long concept, and alarms when it has warned for too long.

    `state` is (n, error rate, least rate, its deviation, their sum, values seen, when it began to warn or -1, what is due:
    0 nothing, 1 counting again, 2 counting again after an alarm; place of the newest, how many are kept, place where it
    began to warn or -1), then the errors kept, as a ring.
    """
    ring = state[RDDM_HEAD:]
    size = ring.size
    for i in range(xs.size):
        if state[7] != 0.0:
            _count_again(state, ring, minimum)
        place = (int(state[8]) + 1) % size
        ring[place] = xs[i]
        state[8] = place
        if state[9] < size:
            state[9] += 1.0
        elif state[10] == place:
            state[10] = -1.0
        state[5] += 1.0
        state[0] += 1.0
        state[1] += (xs[i] - state[1]) / state[0]
        s = math.sqrt(state[1] * (1.0 - state[1]) / state[0])
        level = state[1] + s
        statistics[i] = level
        if state[0] < minimum:
            continue
        if level < state[4]:
            state[2], state[3], state[4] = state[1], s, level
        if level > state[2] + drift * state[3]:
            flags[i] = DRIFT
            state[7] = 2.0
            if state[6] < 0.0:
                state[9] = 1.0
        elif level > state[2] + warn * state[3]:
            if state[6] >= 0.0 and state[6] + most_warnings <= state[5]:
                flags[i] = DRIFT
                state[7], state[9], state[10] = 2.0, 1.0, -1.0
            else:
                flags[i] = WARNING
                if state[6] < 0.0:
                    state[6], state[10] = state[5], float(place)
        else:
            state[6], state[10] = -1.0, -1.0
            if state[0] > longest:
                state[7] = 1.0


@njit(cache=True, nogil=True, error_model="numpy")
def _count_again(state: Floats, ring: Floats, minimum: int) -> None:
    """The rate from the errors kept alone: since it began to warn, where it did."""
    size = ring.size
    kept = int(state[9])
    if state[10] >= 0.0:
        kept = int(state[8] - state[10]) % size + 1
        state[9] = kept
    after_alarm = state[7] == 2.0
    state[0], state[1], state[2], state[3], state[4] = 0.0, 0.0, 0.0, 0.0, np.inf
    for back in range(kept - 1, -1, -1):
        state[0] += 1.0
        state[1] += (ring[(int(state[8]) - back) % size] - state[1]) / state[0]
        s = math.sqrt(state[1] * (1.0 - state[1]) / state[0])
        if after_alarm and state[0] >= minimum and state[1] + s < state[4]:
            state[2], state[3], state[4] = state[1], s, state[1] + s
    state[6], state[7], state[10] = -1.0, 0.0, -1.0


@njit(cache=True, nogil=True, error_model="numpy")
def ecdd(
    state: Floats,
    xs: Floats,
    flags: Flags,
    statistics: Floats,
    minimum: int,
    weight: float,
    share: float,
) -> None:
    """A weighted mean of errors against the rate of all. `state` is (n, error rate, weighted mean)."""
    n, p, z = state
    factor = weight / (2.0 - weight)
    for i in range(xs.size):
        n += 1.0
        p += (xs[i] - p) / n
        z = weight * xs[i] + (1.0 - weight) * z
        spread = math.sqrt(factor * (1.0 - (1.0 - weight) ** (2.0 * n)) * p * (1.0 - p))
        statistics[i] = (z - p) / spread if spread > 0.0 else 0.0
        if n < minimum or spread == 0.0:
            continue
        limit = 0.0
        for power in range(len(_LIMITS) - 1, -1, -1):
            limit = limit * p + _LIMITS[power]
        if z > p + limit * spread:
            flags[i] = DRIFT
            n, p, z = 0.0, 0.0, 0.0
        elif z > p + share * limit * spread:
            flags[i] = WARNING
    state[0], state[1], state[2] = n, p, z


@njit(cache=True, nogil=True, error_model="numpy")
def stepd(state: Floats, xs: Floats, flags: Flags, statistics: Floats, warn: float, drift: float) -> None:
    """The share of errors among the last against that of all before. `state` is (n, errors, errors among the last, place
    of the oldest of the last), then the last as a ring; `warn` and `drift` are quantiles of the normal distribution."""
    ring = state[STEPD_HEAD:]
    window = ring.size
    for i in range(xs.size):
        place = int(state[3])
        state[2] += xs[i] - (ring[place] if state[0] >= window else 0.0)
        ring[place] = xs[i]
        state[3] = (place + 1) % window
        state[0] += 1.0
        state[1] += xs[i]
        statistics[i] = 0.0
        if state[0] < 2 * window:
            continue
        before = state[0] - window
        inverse = 1.0 / before + 1.0 / window
        p = state[1] / state[0]
        rise = state[2] / window - (state[1] - state[2]) / before
        if rise <= 0.0 or p == 1.0:
            continue
        statistics[i] = (rise - 0.5 * inverse) / math.sqrt(p * (1.0 - p) * inverse)
        if statistics[i] > drift:
            flags[i] = DRIFT
            state[:] = 0.0
        elif statistics[i] > warn:
            flags[i] = WARNING
