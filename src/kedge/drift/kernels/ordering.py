"""Two samples in one ordering: every rank and distribution-function statistic from a single pass, and its null by relabelling.

`pooled` holds both samples sorted, `labels` says which values are the reference's (1) and which the window's (0); F and G
are their distribution functions, m and n their sizes, N = m + n. Equal values are one step: all statistics depend on the
values only through F and G just before and just after each distinct value.
"""

import numpy as np
import numpy.typing as npt
from numba import njit

from kedge.drift.kernels.layout import (
    ANDERSON_DARLING,
    BAUMGARTNER,
    CRAMER_VON_MISES,
    ENERGY,
    KOLMOGOROV,
    KUIPER,
    MANN_WHITNEY,
    MEASURES,
    TIES,
    WASSERSTEIN,
)

_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)


@njit(cache=True, nogil=True, error_model="numpy")
def merge(
    reference: npt.NDArray[np.float64],
    window: npt.NDArray[np.float64],
    pooled: npt.NDArray[np.float64],
    labels: npt.NDArray[np.uint8],
) -> None:
    """Merge two sorted samples."""
    i, j = 0, 0
    m, n = reference.size, window.size
    for k in range(m + n):
        if j == n or (i < m and reference[i] <= window[j]):
            pooled[k] = reference[i]
            labels[k] = 1
            i += 1
        else:
            pooled[k] = window[j]
            labels[k] = 0
            j += 1


@njit(cache=True, nogil=True, error_model="numpy")
def _midrank_term(middle: float, inside: float, times: float, m: float, total: float) -> float:
    """The squared deviation of the reference's mid-count below a value, over its variance (Anderson-Darling)."""
    deviation = total * inside - m * middle
    spread = middle * (total - middle) - 0.25 * total * times
    return deviation * deviation / spread if spread > 0.0 else 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def _rank_term(count: float, upto: float, own: float, other: float, gap: float) -> float:
    """The squared deviation of a rank from the expected, over its variance, times the values there (BWS)."""
    if count == 0.0:
        return 0.0
    share = upto / (own + 1.0)
    return count * other * gap * gap / (share * (1.0 - share) * (own + other))


@njit(cache=True, nogil=True, error_model="numpy")
def measure(
    pooled: npt.NDArray[np.float64],
    labels: npt.NDArray[np.uint8],
    m: float,
    n: float,
    out: npt.NDArray[np.float64],
) -> None:
    """All statistics, each in its slot of `out`."""
    size = pooled.size
    total = m + n
    above, below, cramer, anderson, baumgartner = 0.0, 0.0, 0.0, 0.0, 0.0
    wins, ties, transport, energy = 0.0, 0.0, 0.0, 0.0
    first, second, gap, i = 0.0, 0.0, 0.0, 0  # values of either sample so far, F - G there
    while i < size:
        x = pooled[i]
        begin = i
        old = first
        while i < size and pooled[i] == x:
            first += labels[i]
            i += 1
        times = float(i - begin)
        mine = first - old
        other = times - mine
        anderson += times * _midrank_term(begin + 0.5 * times, old + 0.5 * mine, times, m, total)
        wins += other * (old + 0.5 * mine)
        ties += times * times * times - times
        second += other
        last = gap
        gap = first / m - second / n
        above = max(above, gap)
        below = max(below, -gap)
        cramer += 0.5 * times * (last * last + gap * gap)
        baumgartner += _rank_term(mine, first, m, n, gap) + _rank_term(other, second, n, m, gap)
        if i < size:
            width = pooled[i] - x
            transport += abs(gap) * width
            energy += gap * gap * width
    out[KOLMOGOROV] = max(above, below)
    out[KUIPER] = above + below
    out[CRAMER_VON_MISES] = cramer * m * n / (total * total)
    out[ANDERSON_DARLING] = anderson * (total - 1.0) / (total * total) * (1.0 / m + 1.0 / n)
    out[BAUMGARTNER] = 0.5 * baumgartner
    out[MANN_WHITNEY] = wins
    out[TIES] = ties
    out[WASSERSTEIN] = transport
    out[ENERGY] = np.sqrt(2.0 * energy)


@njit(cache=True, nogil=True, error_model="numpy")
def cumulants(pooled: npt.NDArray[np.float64], law: int, out: npt.NDArray[np.float64]) -> None:
    """The first three cumulants of a statistic's limit, given the ties.

    With few distinct values the limit is a weighted sum of a few squares, sum w B(u)^2 over the steps of the pooled
    distribution function, not the integral over a Brownian bridge B that tables give. The trace of the k-th power of
    the weighted covariance, u_y (1 - u_z) for y <= z, is had by prefix sums.
    """
    size = pooled.size
    first, second, third = 0.0, 0.0, 0.0
    squares, cubes, chains = 0.0, 0.0, 0.0
    i = 0
    while i < size:
        begin = i
        while i < size and pooled[i] == pooled[begin]:
            i += 1
        times = (i - begin) / size
        u = i / size
        v = u * (1.0 - u)
        if law == ANDERSON_DARLING:
            u = 0.5 * (begin + i) / size
            v = u * (1.0 - u) - 0.25 * times
        if v <= 0.0:
            break
        if law == CRAMER_VON_MISES:
            j = i
            while j < size and pooled[j] == pooled[i]:
                j += 1
            w = 0.5 * (j - begin) / size
        else:
            w = times / v
        rest = w * (1.0 - u) * (1.0 - u)
        own = w * v
        first += own
        second += own * own + 2.0 * rest * squares
        third += own * own * own + 3.0 * rest * (cubes + own * squares) + 6.0 * rest * chains
        chains += w * u * (1.0 - u) * squares
        squares += w * u * u
        cubes += w * own * u * u
    out[0], out[1], out[2] = first, 2.0 * second, 8.0 * third


@njit(cache=True, nogil=True, error_model="numpy")
def uniform(state: npt.NDArray[np.uint64]) -> float:
    """The next number in [0, 1) of SplitMix64."""
    state[0] += _STEP
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * _FIRST
    z = (z ^ (z >> np.uint64(27))) * _SECOND
    z = z ^ (z >> np.uint64(31))
    return float(z >> np.uint64(11)) * 2.0**-53


@njit(cache=True, nogil=True, error_model="numpy")
def _relabel(labels: npt.NDArray[np.uint8], m: int, state: npt.NDArray[np.uint64]) -> None:
    """Draw which m of the values are the reference's, all choices alike; `state` is SplitMix64's."""
    left = m
    for i in range(labels.size):
        chosen = uniform(state) * (labels.size - i) < left
        labels[i] = 1 if chosen else 0
        left -= labels[i]


@njit(cache=True, nogil=True, error_model="numpy")
def _advance(labels: npt.NDArray[np.uint8]) -> bool:
    """The next arrangement of the labels in lexicographic order; False after the last."""
    i = labels.size - 2
    while i >= 0 and labels[i] >= labels[i + 1]:
        i -= 1
    if i < 0:
        return False
    j = labels.size - 1
    while labels[j] <= labels[i]:
        j -= 1
    labels[i], labels[j] = labels[j], labels[i]
    low, high = i + 1, labels.size - 1
    while low < high:
        labels[low], labels[high] = labels[high], labels[low]
        low += 1
        high -= 1
    return True


@njit(cache=True, nogil=True, error_model="numpy")
def extremes(
    pooled: npt.NDArray[np.float64], m: int, which: int, observed: float, drawn: int, seed: int
) -> tuple[float, float]:
    """How many relabellings have a statistic at least as extreme as `observed`, and of how many.

    All of them where `drawn` is 0, else that many drawn at random. For the Mann-Whitney count extreme means far from its
    mean, and `observed` is that distance.
    """
    n = pooled.size - m
    labels = np.zeros(pooled.size, np.uint8)
    labels[n:] = 1
    out = np.zeros(MEASURES)
    state = np.zeros(1, np.uint64)
    state[0] = np.uint64(seed)
    least = observed - 1e-9 * max(abs(observed), 1e-300)  # rounding must not part equal statistics
    found, tried = 0.0, 0.0
    going = True
    while going:
        if drawn > 0:
            _relabel(labels, m, state)
        measure(pooled, labels, float(m), float(n), out)
        value = out[which]
        if which == MANN_WHITNEY:
            value = abs(value - 0.5 * m * n)
        tried += 1.0
        if value >= least:
            found += 1.0
        going = tried < drawn if drawn > 0 else _advance(labels)
    return found, tried
