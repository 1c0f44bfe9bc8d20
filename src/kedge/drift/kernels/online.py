"""Two-sample tests over a sliding window of single values, and their simulation on parts of the reference.

`kept` begins with the threshold, the number of values in the window, and the next slot of the ring of its values.
"""

import math

import numpy as np
import numpy.typing as npt
from numba import njit

from kedge.drift.kernels.layout import DRIFT, ONLINE_HEAD


@njit(cache=True, nogil=True, error_model="numpy")
def choose(uniforms: npt.NDArray[np.float64], m: int) -> npt.NDArray[np.int64]:
    """For each row of uniforms, as many different places below m, all equally likely."""
    rows, n = uniforms.shape
    chosen = np.empty((rows, n), np.int64)
    order = np.arange(m)
    for row in range(rows):
        for k in range(n):
            other = k + int(uniforms[row, k] * (m - k))
            order[k], order[other] = order[other], order[k]
            chosen[row, k] = order[k]
    return chosen


# Cramér-von Mises ----------------------------------------------------------------------------------------------------


@njit(cache=True, nogil=True, error_model="numpy")
def cvm_learn(ordered: npt.NDArray[np.float64], suffix: npt.NDArray[np.float64]) -> float:
    """Suffix sums of the reference's ranks (how many values are at most the j-th), and their sum of squares."""
    m = ordered.size
    squares, rank = 0.0, m
    suffix[m] = 0.0
    for j in range(m - 1, -1, -1):
        if j + 1 < m and ordered[j] != ordered[j + 1]:
            rank = j + 1
        suffix[j] = suffix[j + 1] + rank
        squares += float(rank) * rank
    return squares


@njit(cache=True, nogil=True, error_model="numpy")
def _remove(window: npt.NDArray[np.float64], n: int, w: int, x: float) -> None:
    """Take x out of the sorted window: rows are values, reference values below each, and up to each."""
    at = np.searchsorted(window[:n], x)
    for row in range(3):
        for i in range(row * w + at, row * w + n - 1):
            window[i] = window[i + 1]


@njit(cache=True, nogil=True, error_model="numpy")
def _insert(
    window: npt.NDArray[np.float64], n: int, w: int, x: float, ordered: npt.NDArray[np.float64]
) -> None:
    """Put x into the sorted window of n values."""
    at = np.searchsorted(window[:n], x)
    for row in range(3):
        for i in range(row * w + n, row * w + at, -1):
            window[i] = window[i - 1]
    window[at] = x
    window[w + at] = np.searchsorted(ordered, x)
    window[2 * w + at] = np.searchsorted(ordered, x, side="right")


@njit(cache=True, nogil=True, error_model="numpy")
def _cvm(
    window: npt.NDArray[np.float64], w: int, m: int, suffix: npt.NDArray[np.float64], squares: float
) -> float:
    """The statistic of a full window, in whole numbers until the last step."""
    own, both, inside, upto = 0.0, 0.0, 0.0, w
    for k in range(w - 1, -1, -1):
        if k + 1 < w and window[k] != window[k + 1]:
            upto = k + 1
        below = window[w + k]
        own += (2 * k + 1) * (m - below)
        both += suffix[int(below)]
        inside += (float(upto) * m - window[2 * w + k] * w) ** 2
    over = own * m * m - 2.0 * both * w * m + squares * w * w
    return (over + inside) / (float(w) * m * (w + m) * (w + m))


@njit(cache=True, nogil=True, error_model="numpy")
def cvm_run(
    kept: npt.NDArray[np.float64],
    xs: npt.NDArray[np.float64],
    flags: npt.NDArray[np.int8],
    statistics: npt.NDArray[np.float64],
    m: int,
    w: int,
) -> None:
    """For each x: let it take the oldest value's place; a change where the statistic exceeds the threshold.

    After the head: sum of squared ranks, sorted reference, suffix sums, ring, sorted window (three rows).
    """
    threshold, n, slot = kept[0], int(kept[1]), int(kept[2])
    base = ONLINE_HEAD + 1
    squares = kept[ONLINE_HEAD]
    ordered, suffix = kept[base : base + m], kept[base + m : base + 2 * m + 1]
    ring = kept[base + 2 * m + 1 : base + 2 * m + 1 + w]
    window = kept[base + 2 * m + 1 + w :]
    for i in range(xs.size):
        if n == w:
            _remove(window, n, w, ring[slot])
            n -= 1
        _insert(window, n, w, xs[i], ordered)
        ring[slot] = xs[i]
        n += 1
        slot = slot + 1 if slot + 1 < w else 0
        statistics[i] = _cvm(window, w, m, suffix, squares) if n == w else 0.0
        if n == w and statistics[i] > threshold:
            flags[i] = DRIFT
            n, slot = 0, 0
            ring[:] = 0.0
            window[:] = 0.0
    kept[1], kept[2] = n, slot


@njit(cache=True, nogil=True, error_model="numpy")
def cvm_simulate(
    reference: npt.NDArray[np.float64], chosen: npt.NDArray[np.int64], w: int
) -> npt.NDArray[np.float64]:
    """Statistics of streams of the values chosen from a sorted reference, against those left over."""
    rows, length = chosen.shape
    m = reference.size - length
    found = np.empty((rows, length - w + 1))
    ordered, suffix, window = np.empty(m), np.empty(m + 1), np.empty(3 * w)
    taken = np.zeros(reference.size, np.bool_)
    for row in range(rows):
        taken[:] = False
        for t in range(length):
            taken[chosen[row, t]] = True
        k = 0
        for j in range(reference.size):
            if not taken[j]:
                ordered[k] = reference[j]
                k += 1
        squares = cvm_learn(ordered, suffix)
        for t in range(length):
            if t >= w:
                _remove(window, w, w, reference[chosen[row, t - w]])
            _insert(window, min(t, w - 1), w, reference[chosen[row, t]], ordered)
            if t >= w - 1:
                found[row, t - w + 1] = _cvm(window, w, m, suffix, squares)
    return found


# Fisher's exact test -------------------------------------------------------------------------------------------------


@njit(cache=True, nogil=True, error_model="numpy")
def fisher(ones: int, m: int, w: int, direction: int) -> npt.NDArray[np.float64]:
    """-ln p for each number of ones in a window of w, against `ones` in m; direction 1: more, -1: fewer, 0: either."""
    total = ones + np.arange(w + 1)
    surprise = np.zeros(w + 1)
    for k in range(w + 1):
        drawn = total[k]  # ones in both samples; given them, the window's number is hypergeometric
        low, high = max(0, drawn - m), min(w, drawn)
        constant = _log_choose(m + w, drawn)
        here = _log_choose(w, k) + _log_choose(m, drawn - k) - constant
        p = 0.0
        for j in range(low, high + 1):
            each = _log_choose(w, j) + _log_choose(m, drawn - j) - constant
            if (
                (direction == 1 and j >= k)
                or (direction == -1 and j <= k)
                or (direction == 0 and each <= here + 1e-7)
            ):
                p += math.exp(each)
        surprise[k] = max(-math.log(p), 0.0)
    return surprise


@njit(cache=True, nogil=True, error_model="numpy")
def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1.0) - math.lgamma(k + 1.0) - math.lgamma(n - k + 1.0)


@njit(cache=True, nogil=True, error_model="numpy")
def fet_run(
    kept: npt.NDArray[np.float64],
    xs: npt.NDArray[np.float64],
    flags: npt.NDArray[np.int8],
    statistics: npt.NDArray[np.float64],
    w: int,
    weight: float,
) -> None:
    """For each x: count the ones of the window, smooth their surprise; a change where it exceeds the threshold.

    After the head: ones in the window, smoothed surprise, surprises of 0 to w ones, ring.
    """
    threshold, n, slot = kept[0], int(kept[1]), int(kept[2])
    ones, smooth = int(kept[ONLINE_HEAD]), kept[ONLINE_HEAD + 1]
    surprise = kept[ONLINE_HEAD + 2 : ONLINE_HEAD + 3 + w]
    ring = kept[ONLINE_HEAD + 3 + w :]
    for i in range(xs.size):
        if n == w:
            ones -= int(ring[slot])
        else:
            n += 1
        ring[slot] = xs[i]
        ones += int(xs[i])
        slot = slot + 1 if slot + 1 < w else 0
        if n == w:
            smooth += weight * (surprise[ones] - smooth)
        statistics[i] = smooth
        if n == w and smooth > threshold:
            flags[i] = DRIFT
            n, slot, ones, smooth = 0, 0, 0, 0.0
            ring[:] = 0.0
    kept[1], kept[2], kept[ONLINE_HEAD], kept[ONLINE_HEAD + 1] = n, slot, ones, smooth


@njit(cache=True, nogil=True, error_model="numpy")
def fet_simulate(
    reference: npt.NDArray[np.float64],
    chosen: npt.NDArray[np.int64],
    w: int,
    weight: float,
    direction: int,
) -> npt.NDArray[np.float64]:
    """Statistics of streams of the values chosen from a reference, against those left over."""
    rows, length = chosen.shape
    m = reference.size - length
    total = int(reference.sum())
    tables = np.full((length + 1, w + 1), -1.0)
    found = np.empty((rows, length - w + 1))
    for row in range(rows):
        drawn = 0
        for t in range(length):
            drawn += int(reference[chosen[row, t]])
        if tables[drawn, 0] < 0:
            tables[drawn] = fisher(total - drawn, m, w, direction)
        ones, smooth = 0, 0.0
        for t in range(length):
            ones += int(reference[chosen[row, t]])
            if t >= w:
                ones -= int(reference[chosen[row, t - w]])
            if t >= w - 1:
                smooth += weight * (tables[drawn, ones] - smooth)
                found[row, t - w + 1] = smooth
    return found
