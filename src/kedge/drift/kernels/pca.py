"""Histograms of principal components over a sliding window, and Page-Hinkley on their divergence.

`kept`: components in use, values in the window, next slot, values since the last score, scores, their mean, cumulative sum, its
minimum, size of the reference; then d means, d scales, d x d directions (a row a component), d lowest and d highest projections; then d x bins counts of
the reference and of the window; then w x d bins of the window's vectors.
"""

import math

import numpy as np
import numpy.typing as npt
from numba import njit

from kedge.drift.kernels.layout import DRIFT, PCA_HEAD


@njit(cache=True, nogil=True, error_model="numpy")
def _project(kept: npt.NDArray[np.float64], row: npt.NDArray[np.float64], component: int, d: int) -> float:
    base = PCA_HEAD + (2 + component) * d
    found = 0.0
    for j in range(d):
        found += (row[j] - kept[PCA_HEAD + j]) / kept[PCA_HEAD + d + j] * kept[base + j]
    return found


@njit(cache=True, nogil=True, error_model="numpy")
def _bin(value: float, low: float, high: float, bins: int) -> int:
    """The first and the last bin are for what lies outside the reference's range."""
    if value < low:
        return 0
    if value > high:
        return bins - 1
    if high == low:
        return 1
    return 1 + min(int((value - low) / (high - low) * (bins - 2)), bins - 3)


@njit(cache=True, nogil=True, error_model="numpy")
def learn(kept: npt.NDArray[np.float64], reference: npt.NDArray[np.float64], bins: int) -> None:
    """Ranges and counts of the reference's projections."""
    m, d = reference.shape
    low = kept[PCA_HEAD + 2 * d + d * d : PCA_HEAD + 3 * d + d * d]
    high = kept[PCA_HEAD + 3 * d + d * d : PCA_HEAD + 4 * d + d * d]
    counts = kept[PCA_HEAD + 4 * d + d * d : PCA_HEAD + 4 * d + d * d + d * bins]
    kept[8] = m
    for c in range(int(kept[0])):
        projections = np.empty(m)
        for i in range(m):
            projections[i] = _project(kept, reference[i], c, d)
        low[c], high[c] = projections.min(), projections.max()
        for i in range(m):
            counts[c * bins + _bin(projections[i], low[c], high[c], bins)] += 1.0


@njit(cache=True, nogil=True, error_model="numpy")
def _divergence(
    before: npt.NDArray[np.float64], m: int, after: npt.NDArray[np.float64], w: int, kl: bool
) -> float:
    """The larger of the two Kullback-Leibler divergences, shares smoothed by half a value a bin; or the area not shared."""
    bins = before.size
    forth, back, area = 0.0, 0.0, 0.0
    for b in range(bins):
        if kl:
            p = (before[b] + 0.5) / (m + 0.5 * bins)
            q = (after[b] + 0.5) / (w + 0.5 * bins)
            forth += p * math.log(p / q)
            back += q * math.log(q / p)
        else:
            area += min(before[b] / m, after[b] / w)
    return max(forth, back, 0.0) if kl else max(1.0 - area, 0.0)


@njit(cache=True, nogil=True, error_model="numpy")
def run(
    kept: npt.NDArray[np.float64],
    rows: npt.NDArray[np.float64],
    flags: npt.NDArray[np.int8],
    statistics: npt.NDArray[np.float64],
    w: int,
    bins: int,
    step: int,
    kl: bool,
    delta: float,
    threshold: float,
) -> int:
    """For each row: count its projections in the oldest's place; at every `step`-th, score the divergence. How many rows
    were taken: up to the first change."""
    d = rows.shape[1]
    base = PCA_HEAD + 2 * d + d * d
    low, high = kept[base : base + d], kept[base + d : base + 2 * d]
    before = kept[base + 2 * d : base + 2 * d + d * bins]
    after = kept[base + 2 * d + d * bins : base + 2 * d + 2 * d * bins]
    ring = kept[base + 2 * d + 2 * d * bins :]
    components, m = int(kept[0]), int(kept[8])
    for i in range(rows.shape[0]):
        n, slot = int(kept[1]), int(kept[2])
        for c in range(components):
            if n == w:
                after[c * bins + int(ring[slot * d + c])] -= 1.0
            place = _bin(_project(kept, rows[i], c, d), low[c], high[c], bins)
            ring[slot * d + c] = place
            after[c * bins + place] += 1.0
        kept[1], kept[2] = min(n + 1, w), (slot + 1) % w
        kept[3] += 1.0
        if kept[1] == w and kept[3] >= step:
            score = 0.0
            for c in range(components):
                one = slice(c * bins, (c + 1) * bins)
                score = max(score, _divergence(before[one], m, after[one], w, kl))
            kept[3] = 0.0
            kept[4] += 1.0
            kept[5] += (score - kept[5]) / kept[4]
            kept[6] += score - kept[5] - delta
            kept[7] = min(kept[7], kept[6])
        statistics[i] = kept[6] - kept[7]
        if statistics[i] > threshold:
            flags[i] = DRIFT
            return i + 1
    return len(rows)
