"""A kdq-tree over a reference, and the divergence of a sliding window's counts in its leaves.

`kept`: nodes, leaves, critical divergence, values in the window, next slot, consecutive values above; then `most` cut dimensions
(-1: a leaf), `most` cut points, `most` first children (the second follows) or numbers of the leaf; then `most` shares of the
reference and `most` counts of the window; then w leaves of the window's vectors.
"""

import math

import numpy as np
import numpy.typing as npt
from numba import njit

from kedge.drift.kernels.layout import DRIFT, KDQ_HEAD


@njit(cache=True, nogil=True, error_model="numpy")
def _leaf(kept: npt.NDArray[np.float64], row: npt.NDArray[np.float64], most: int) -> int:
    node = 0
    while kept[KDQ_HEAD + node] >= 0:
        child = int(kept[KDQ_HEAD + 2 * most + node])
        node = child if row[int(kept[KDQ_HEAD + node])] <= kept[KDQ_HEAD + most + node] else child + 1
    return int(kept[KDQ_HEAD + 2 * most + node])


@njit(cache=True, nogil=True, error_model="numpy")
def build(
    kept: npt.NDArray[np.float64],
    reference: npt.NDArray[np.float64],
    most: int,
    leaf_size: int,
    shortest: float,
) -> None:
    """Halve cells, dimension after dimension, breadth first, while they hold more than `leaf_size` values.

    A dimension whose side is less than `shortest` of the whole is not halved; a node too many is not made.
    """
    m, d = reference.shape
    lows, highs, cells = np.empty((most, d)), np.empty((most, d)), np.zeros(m, np.int64)
    counts, turns = np.zeros(most, np.int64), np.zeros(most, np.int64)
    for j in range(d):
        lows[0, j], highs[0, j] = reference[:, j].min(), reference[:, j].max()
    whole = highs[0] - lows[0]
    counts[0] = m
    nodes, leaves, node = 1, 0, 0
    while node < nodes:
        dimension = -1
        for turn in range(d):
            j = (turns[node] + turn) % d
            side = highs[node, j] - lows[node, j]
            if dimension < 0 and side > 0 and side / 2 >= shortest * whole[j]:
                dimension = j
        if dimension < 0 or counts[node] <= leaf_size or nodes + 2 > most:
            kept[KDQ_HEAD + node] = -1.0
            kept[KDQ_HEAD + 2 * most + node] = leaves
            leaves += 1
        else:
            cut = lows[node, dimension] + (highs[node, dimension] - lows[node, dimension]) / 2
            kept[KDQ_HEAD + node] = dimension
            kept[KDQ_HEAD + most + node] = cut
            kept[KDQ_HEAD + 2 * most + node] = nodes
            for child in range(nodes, nodes + 2):
                lows[child], highs[child] = lows[node], highs[node]
                turns[child] = dimension + 1
            highs[nodes, dimension], lows[nodes + 1, dimension] = cut, cut
            for i in range(m):
                if cells[i] == node:
                    cells[i] = nodes if reference[i, dimension] <= cut else nodes + 1
                    counts[cells[i]] += 1
            nodes += 2
        node += 1
    kept[0], kept[1] = nodes, leaves
    shares = kept[KDQ_HEAD + 3 * most : KDQ_HEAD + 4 * most]
    for i in range(m):
        shares[_leaf(kept, reference[i], most)] += 1.0
    for leaf in range(leaves):
        shares[leaf] = (shares[leaf] + 0.5) / (m + 0.5 * leaves)


@njit(cache=True, nogil=True, error_model="numpy")
def _divergence(shares: npt.NDArray[np.float64], counts: npt.NDArray[np.float64], w: int) -> float:
    """Kullback-Leibler from the reference's shares to the window's, which are smoothed by half a value a leaf."""
    leaves = shares.size
    found = 0.0
    for leaf in range(leaves):
        found += shares[leaf] * math.log(shares[leaf] * (w + 0.5 * leaves) / (counts[leaf] + 0.5))
    return max(found, 0.0)


@njit(cache=True, nogil=True, error_model="numpy")
def divergences(
    before: npt.NDArray[np.int64], after: npt.NDArray[np.int64], m: int, w: int
) -> npt.NDArray[np.float64]:
    """Of each row of counts of m values to the same row of counts of w."""
    rows, leaves = before.shape
    found = np.empty(rows)
    for row in range(rows):
        shares = (before[row] + 0.5) / (m + 0.5 * leaves)
        found[row] = _divergence(shares, after[row].astype(np.float64), w)
    return found


@njit(cache=True, nogil=True, error_model="numpy")
def run(
    kept: npt.NDArray[np.float64],
    rows: npt.NDArray[np.float64],
    flags: npt.NDArray[np.int8],
    statistics: npt.NDArray[np.float64],
    most: int,
    w: int,
    patience: int,
) -> int:
    """For each row: count it in the oldest's place; a change where the divergence has been above the critical one for more
    than `patience` rows. How many rows were taken: up to the first change."""
    leaves, critical = int(kept[1]), kept[2]
    shares = kept[KDQ_HEAD + 3 * most : KDQ_HEAD + 3 * most + leaves]
    counts = kept[KDQ_HEAD + 4 * most : KDQ_HEAD + 4 * most + leaves]
    ring = kept[KDQ_HEAD + 5 * most :]
    for i in range(rows.shape[0]):
        slot = int(kept[4])
        if kept[3] == w:
            counts[int(ring[slot])] -= 1.0
        else:
            kept[3] += 1.0
        leaf = _leaf(kept, rows[i], most)
        ring[slot] = leaf
        counts[leaf] += 1.0
        kept[4] = (slot + 1) % w
        statistics[i] = 0.0
        if kept[3] == w:
            statistics[i] = _divergence(shares, counts, w)
            kept[5] = kept[5] + 1.0 if statistics[i] > critical else 0.0
        if kept[5] > patience:
            flags[i] = DRIFT
            return i + 1
    return len(rows)
