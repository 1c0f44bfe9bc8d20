"""Distances between the mean features of a sliding window and of a reference.

`kept`: threshold, vectors in the window, next slot of the ring; then of as many numbers as there are features: reference mean,
running sum, and the ring's rows.
"""

import math

import numpy as np
import numpy.typing as npt
from numba import njit

from kedge.drift.kernels.layout import DRIFT, ONLINE_HEAD


@njit(cache=True, nogil=True, error_model="numpy")
def fourier(rows: npt.NDArray[np.float64], frequencies: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """cos and sin of each row's product with each frequency: their inner products approximate a Gaussian kernel."""
    count, d = frequencies.shape
    found = np.empty((rows.shape[0], 2 * count))
    scale = 1.0 / math.sqrt(count)
    for i in range(rows.shape[0]):
        for k in range(count):
            phase = 0.0
            for j in range(d):
                phase += rows[i, j] * frequencies[k, j]
            found[i, 2 * k] = scale * math.cos(phase)
            found[i, 2 * k + 1] = scale * math.sin(phase)
    return found


@njit(cache=True, nogil=True, error_model="numpy")
def bumps(
    rows: npt.NDArray[np.float64],
    centers: npt.NDArray[np.float64],
    mixing: npt.NDArray[np.float64],
    bandwidth: float,
) -> npt.NDArray[np.float64]:
    """Gaussian bumps of each row around the centers, mixed by a matrix."""
    count, d = centers.shape
    found = np.empty((rows.shape[0], count))
    near = np.empty(count)
    for i in range(rows.shape[0]):
        for k in range(count):
            square = 0.0
            for j in range(d):
                square += (rows[i, j] - centers[k, j]) ** 2
            near[k] = math.exp(-square / (2.0 * bandwidth * bandwidth))
        for k in range(count):
            total = 0.0
            for j in range(count):
                total += mixing[k, j] * near[j]
            found[i, k] = total
    return found


@njit(cache=True, nogil=True, error_model="numpy")
def _distance(total: npt.NDArray[np.float64], w: int, mean: npt.NDArray[np.float64]) -> float:
    square = 0.0
    for k in range(mean.size):
        square += (total[k] / w - mean[k]) ** 2
    return square


@njit(cache=True, nogil=True, error_model="numpy")
def run(
    kept: npt.NDArray[np.float64],
    features: npt.NDArray[np.float64],
    flags: npt.NDArray[np.int8],
    statistics: npt.NDArray[np.float64],
    w: int,
) -> None:
    """For each row: let it take the oldest row's place; a change where the distance exceeds the threshold."""
    threshold, n, slot = kept[0], int(kept[1]), int(kept[2])
    count = features.shape[1]
    mean = kept[ONLINE_HEAD : ONLINE_HEAD + count]
    total = kept[ONLINE_HEAD + count : ONLINE_HEAD + 2 * count]
    ring = kept[ONLINE_HEAD + 2 * count :].reshape(w, count)
    for i in range(features.shape[0]):
        for k in range(count):
            total[k] += features[i, k] - ring[slot, k]  # rows not in use are 0
            ring[slot, k] = features[i, k]
        n = min(n + 1, w)
        slot += 1
        if slot == w:  # once a round the sum is made anew, so that rounding does not pile up
            slot = 0
            total[:] = 0.0
            for row in range(w):
                for k in range(count):
                    total[k] += ring[row, k]
        statistics[i] = _distance(total, w, mean) if n == w else 0.0
        if n == w and statistics[i] > threshold:
            flags[i] = DRIFT
            n, slot = 0, 0
            total[:] = 0.0
            ring[:] = 0.0
    kept[1], kept[2] = n, slot


@njit(cache=True, nogil=True, error_model="numpy")
def simulate(
    features: npt.NDArray[np.float64], chosen: npt.NDArray[np.int64], w: int
) -> npt.NDArray[np.float64]:
    """Distances of streams of the rows chosen from a reference, against the rows left over."""
    rows, length = chosen.shape
    size, count = features.shape
    everything, mean, total = np.zeros(count), np.empty(count), np.empty(count)
    for i in range(size):
        everything += features[i]
    found = np.empty((rows, length - w + 1))
    for row in range(rows):
        mean[:] = everything
        for t in range(length):
            mean -= features[chosen[row, t]]
        mean /= size - length
        total[:] = 0.0
        for t in range(length):
            total += features[chosen[row, t]]
            if t >= w:
                total -= features[chosen[row, t - w]]
            if t >= w - 1:
                found[row, t - w + 1] = _distance(total, w, mean)
    return found
