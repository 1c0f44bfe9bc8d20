"""Two-sample Kolmogorov-Smirnov over a sliding window, and the exact distribution of its statistic.

Gaps between distribution functions are counted in units of 1 / (m w): a reference value raises the gap by w, a window value
lowers it by m, so that all sums are exact integers.

Layout of `kept`: distinct reference values k, leaves p (a power of two), critical gap, values in the window, next slot; then m
distinct values; then w slots, each the place of a window value (2 j: before the j-th distinct value, 2 j + 1: equal to it); then
2 p sums, 2 p largest and 2 p smallest prefix sums of a segment tree; then p sums of window values before each distinct value.
"""

import numpy as np
import numpy.typing as npt
from numba import njit

from kedge.drift.kernels.layout import DRIFT, SMIRNOV_HEAD


@njit(cache=True, nogil=True, error_model="numpy")
def _up(tree: npt.NDArray[np.float64], leaf: int, p: int) -> None:
    """Bring the nodes above a leaf up to date."""
    node = (leaf + p) // 2
    while node >= 1:
        left, right = 2 * node, 2 * node + 1
        before = tree[left]
        tree[node] = before + tree[right]
        tree[2 * p + node] = max(tree[2 * p + left], before + tree[2 * p + right])
        tree[4 * p + node] = min(tree[4 * p + left], before + tree[4 * p + right])
        node //= 2


@njit(cache=True, nogil=True, error_model="numpy")
def _add(tree: npt.NDArray[np.float64], place: int, amount: float, p: int) -> None:
    """Add to the gap from one place on."""
    leaf = place // 2
    node = leaf + p
    tree[node] += amount
    if place % 2 == 0:
        tree[6 * p + leaf] += amount
    # Inside a leaf the gap has two values: before the reference value, and after it.
    tree[2 * p + node] = max(tree[6 * p + leaf], tree[node])
    tree[4 * p + node] = min(tree[6 * p + leaf], tree[node])
    _up(tree, leaf, p)


@njit(cache=True, nogil=True, error_model="numpy")
def learn(kept: npt.NDArray[np.float64], ordered: npt.NDArray[np.float64], w: int, critical: float) -> None:
    """Prepare for windows of w values against a sorted reference."""
    m = ordered.size
    p = 1
    while p < m + 1:
        p *= 2
    tree = kept[SMIRNOV_HEAD + m + w :]
    k = 0
    for i in range(m):
        if i == 0 or ordered[i] != ordered[i - 1]:
            kept[SMIRNOV_HEAD + k] = ordered[i]
            k += 1
        tree[p + k - 1] += w
    for leaf in range(k):
        tree[2 * p + p + leaf] = tree[p + leaf]
    for node in range(p - 1, 0, -1):
        tree[node] = tree[2 * node] + tree[2 * node + 1]
        tree[2 * p + node] = max(tree[2 * p + 2 * node], tree[2 * node] + tree[2 * p + 2 * node + 1])
        tree[4 * p + node] = min(tree[4 * p + 2 * node], tree[2 * node] + tree[4 * p + 2 * node + 1])
    kept[0], kept[1], kept[2] = k, p, critical


@njit(cache=True, nogil=True, error_model="numpy")
def run(
    kept: npt.NDArray[np.float64],
    xs: npt.NDArray[np.float64],
    flags: npt.NDArray[np.int8],
    statistics: npt.NDArray[np.float64],
    m: int,
    w: int,
) -> None:
    """For each x: let it take the oldest value's place; a change where the largest gap reaches the critical one."""
    k, p, critical = int(kept[0]), int(kept[1]), kept[2]
    n, slot = int(kept[3]), int(kept[4])
    values = kept[SMIRNOV_HEAD : SMIRNOV_HEAD + k]
    places = kept[SMIRNOV_HEAD + m : SMIRNOV_HEAD + m + w]
    tree = kept[SMIRNOV_HEAD + m + w :]
    for i in range(xs.size):
        if n == w:
            _add(tree, int(places[slot]), float(m), p)
        else:
            n += 1
        j = np.searchsorted(values, xs[i])
        place = 2 * j + (1 if j < k and values[j] == xs[i] else 0)
        places[slot] = place
        _add(tree, place, -float(m), p)
        slot = slot + 1 if slot + 1 < w else 0
        if n < w:
            statistics[i] = 0.0
            continue
        gap = max(tree[2 * p + 1], -tree[4 * p + 1])
        statistics[i] = gap / (m * w)
        if gap >= critical:
            flags[i] = DRIFT
            for each in range(w):
                _add(tree, int(places[each]), float(m), p)
            n, slot = 0, 0
            places[:] = 0.0
    kept[3], kept[4] = n, slot


@njit(cache=True, nogil=True, error_model="numpy")
def exceeds(m: int, n: int, gap: int) -> float:
    """The chance that samples of m and n values from one continuous distribution have a gap of at least `gap` / (m n).

    The pooled order is a lattice path from (0, 0) to (m, n), all equally likely; summed are the chances that a path first
    leaves the band |i n - j m| < gap at each of its borders. All terms are positive, so small chances are exact too.
    """
    if gap <= 0:
        return 1.0
    inside = np.zeros(n + 1)
    inside[0] = 1.0
    p = 0.0
    for i in range(m + 1):
        # The band's part of this row; what is left of it is not read again, and what is right of it is still 0.
        for j in range(max(0, (i * n - gap) // m + 1), min(n, (i * n + gap - 1) // m) + 1):
            chance = inside[j]
            if chance == 0.0:
                continue
            left = m + n - i - j
            if left == 0:
                continue
            across = chance * (m - i) / left
            up = chance * (n - j) / left
            if j < n:
                if abs(i * n - (j + 1) * m) >= gap:
                    p += up
                else:
                    inside[j + 1] += up
            if i < m and abs((i + 1) * n - j * m) >= gap:
                p += across
                across = 0.0
            inside[j] = across
    return min(p, 1.0)
