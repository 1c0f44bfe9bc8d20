"""Detectors of concept drift over an array of errors: 1 for an error, 0 for none."""

import math

import numpy as np
import numpy.typing as npt
from numba import njit

from kedge.drift.kernels.layout import DRIFT, WARNING

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.int8]


@njit(cache=True, nogil=True, error_model="numpy")
def ddm(
    state: Floats, xs: Floats, flags: Flags, statistics: Floats, minimum: int, warn: float, drift: float
) -> None:
    """`state` is (n, error rate, rate and deviation where their sum was least, that sum)."""
    n, p, least_p, least_s, least = state
    for i in range(xs.size):
        n += 1.0
        p += (xs[i] - p) / n
        s = math.sqrt(p * (1.0 - p) / n)
        statistics[i] = p + s
        if n <= minimum:
            continue
        if p + s <= least:
            least_p, least_s, least = p, s, p + s
        if p + s > least_p + drift * least_s:
            flags[i] = DRIFT
            n, p, least_p, least_s, least = 0.0, 0.0, 0.0, 0.0, np.inf
        elif p + s > least_p + warn * least_s:
            flags[i] = WARNING
    state[0], state[1], state[2], state[3], state[4] = n, p, least_p, least_s, least


@njit(cache=True, nogil=True, error_model="numpy")
def eddm(
    state: Floats, xs: Floats, flags: Flags, statistics: Floats, minimum: int, warn: float, drift: float
) -> None:
    """`state` is (n, place of the last error, errors, mean and sum of squares of their distances, largest level, whether
    it warns, the level). The deviation is the sample's (divided by n - 1)."""
    n, last, errors, mean, squares, most, warns, level = state
    for i in range(xs.size):
        n += 1.0
        if xs[i] == 1.0:
            errors += 1.0
            distance = n - last
            before = mean
            mean += (distance - mean) / errors
            squares += (distance - before) * (distance - mean)
            last = n
            if n > minimum:
                spread = math.sqrt(squares / (errors - 1.0)) if errors > 1.0 else 0.0
                reach = mean + 2.0 * spread
                if reach > most:
                    most = reach
                    level = 1.0
                elif errors > minimum:
                    level = reach / most
                    warns = 1.0 if level < warn else 0.0
                    if level < drift:
                        warns = 2.0
        statistics[i] = level
        if warns == 2.0:
            flags[i] = DRIFT
            n, last, errors, mean, squares, most, warns, level = 0.0, 0.0, 0.0, 0.0, 0.0, -1.0, 0.0, 1.0
        elif warns == 1.0:
            flags[i] = WARNING
    state[0], state[1], state[2], state[3] = n, last, errors, mean
    state[4], state[5], state[6], state[7] = squares, most, warns, level


@njit(cache=True, nogil=True, inline="always")
def _cut_bound(whole: float, part: float, logarithm: float) -> float:
    return math.sqrt((whole - part) / part * (1.0 / whole) / 2.0 * logarithm)


@njit(cache=True, nogil=True, error_model="numpy")
def hddm_a(
    state: Floats, xs: Floats, flags: Flags, statistics: Floats, drift: float, warn: float, mode: int
) -> None:
    """Hoeffding bounds on the means before and after the best cut. `state` is (n, mean; n and mean of the part with the
    lowest upper bound; n and mean of the part with the highest lower bound). `mode` 1 up, -1 down, 0 both."""
    n, mean, low_n, low, high_n, high = state
    bound = math.log(1.0 / drift)
    at_drift, at_warning = math.log(2.0 / drift), math.log(2.0 / warn)
    for i in range(xs.size):
        n += 1.0
        mean += (xs[i] - mean) / n
        if low_n == 0.0:
            low_n, low, high_n, high = n, mean, n, mean
        eps = math.sqrt(bound / (2.0 * n))
        if low + math.sqrt(bound / (2.0 * low_n)) >= mean + eps:
            low_n, low = n, mean
        if high - math.sqrt(bound / (2.0 * high_n)) <= mean - eps:
            high_n, high = n, mean
        rise, fall = 0.0, 0.0
        if mode >= 0 and low_n < n:
            rise = (mean - low) / _cut_bound(n, low_n, at_drift)
        if mode <= 0 and high_n < n:
            fall = (high - mean) / _cut_bound(n, high_n, at_drift)
        statistics[i] = max(rise, fall)
        if statistics[i] >= 1.0:
            flags[i] = DRIFT
            n, mean, low_n, low, high_n, high = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        elif statistics[i] >= math.sqrt(at_warning / at_drift):
            flags[i] = WARNING
    state[0], state[1], state[2], state[3], state[4], state[5] = n, mean, low_n, low, high_n, high


@njit(cache=True, nogil=True, error_model="numpy")
def hddm_w(
    state: Floats,
    xs: Floats,
    flags: Flags,
    statistics: Floats,
    drift: float,
    warn: float,
    weight: float,
    mode: int,
) -> None:
    """McDiarmid bounds on exponentially weighted means before and after the best cut.

    `state` holds, each as (mean, sum of squared weights, whether it has values): all values, before and after the cut for
    a rise, before and after the cut for a fall; then the two cut points.
    """
    logarithm, milder = math.log(1.0 / drift), math.log(1.0 / warn)
    square, keep = weight * weight, (1.0 - weight) ** 2
    for i in range(xs.size):
        x = xs[i]
        _weigh(state, 0, x, weight, square, keep)
        eps = math.sqrt(state[1] * logarithm / 2.0)
        if state[0] + eps < state[15]:
            state[15] = state[0] + eps
            state[3:6] = state[0:3]
            state[6], state[7], state[8] = 0.0, 1.0, 0.0
        else:
            _weigh(state, 6, x, weight, square, keep)
        if state[0] - eps > state[16]:
            state[16] = state[0] - eps
            state[9:12] = state[0:3]
            state[12], state[13], state[14] = 0.0, 1.0, 0.0
        else:
            _weigh(state, 12, x, weight, square, keep)
        rise, fall = 0.0, 0.0
        if mode >= 0 and state[5] > 0.0 and state[8] > 0.0:
            rise = (state[6] - state[3]) / math.sqrt((state[4] + state[7]) * logarithm / 2.0)
        if mode <= 0 and state[11] > 0.0 and state[14] > 0.0:
            fall = (state[9] - state[12]) / math.sqrt((state[10] + state[13]) * logarithm / 2.0)
        statistics[i] = max(rise, fall)
        if statistics[i] > 1.0:
            flags[i] = DRIFT
            for base in range(0, 15, 3):
                state[base], state[base + 1], state[base + 2] = 0.0, 1.0, 0.0
            state[15], state[16] = np.inf, -np.inf
        elif statistics[i] > math.sqrt(milder / logarithm):
            flags[i] = WARNING


@njit(cache=True, nogil=True, inline="always")
def _weigh(state: Floats, base: int, x: float, weight: float, square: float, keep: float) -> None:
    state[base] = x if state[base + 2] == 0.0 else weight * x + (1.0 - weight) * state[base]
    state[base + 1] = square + keep * state[base + 1]
    state[base + 2] = 1.0


@njit(cache=True, nogil=True, error_model="numpy")
def fhddm(
    state: Floats,
    xs: Floats,
    flags: Flags,
    statistics: Floats,
    window: int,
    short: int,
    bound: float,
    short_bound: float,
) -> None:
    """Shares of right answers in a sliding window, and in its last `short` values where that is not 0, against the best so
    far. `state` is (values seen up to the window's size, place of the oldest, right ones, best share, right ones among the
    last, best share of those), then the window as a ring."""
    ring = state[6:]
    # In registers: a state that is written and read again for every value costs more than all the arithmetic.
    count, place, rights, best, short_rights, short_best = (
        state[0],
        int(state[1]),
        state[2],
        state[3],
        state[4],
        state[5],
    )
    for i in range(xs.size):
        right = 1.0 - xs[i]
        if count == window:
            rights -= ring[place]
        else:
            count += 1.0
        ring[place] = right
        rights += right
        if short > 0:
            short_rights += right
            oldest = place - short
            if oldest < 0:
                oldest += window
            short_rights -= ring[oldest] if count > short else 0.0
        place += 1
        if place == window:
            place = 0
        statistics[i] = 0.0
        if count < window:
            continue
        share = rights / window
        best = max(best, share)
        statistic = (best - share) / bound
        if short > 0:
            share = short_rights / short
            short_best = max(short_best, share)
            statistic = max(statistic, (short_best - share) / short_bound)
        statistics[i] = statistic
        if statistic > 1.0:
            flags[i] = DRIFT
            state[:] = 0.0
            count, place, rights, best, short_rights, short_best = 0.0, 0, 0.0, 0.0, 0.0, 0.0
    state[0], state[1], state[2], state[3], state[4], state[5] = (
        count,
        place,
        rights,
        best,
        short_rights,
        short_best,
    )
