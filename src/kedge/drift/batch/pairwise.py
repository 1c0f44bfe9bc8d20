"""Kernels and distances between all pairs of rows, block by block: memory is that of a block, never of all pairs."""

import dataclasses
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from kedge.drift.batch.base import Floats

BLOCK = 1024
SAMPLE = 2000
"""Rows among which the median distance is sought: two million pairs, whose median is sure to about 0.1 %."""

Block = Callable[[slice, slice], Floats]


@dataclasses.dataclass(frozen=True)
class GroupSums:
    """Sums of a symmetric matrix within and between two groups of rows, for many ways of grouping.

    `first` and `second` are the sums over pairs within either group, without the diagonal; `between` those over pairs of
    one row each, counted once. Each has one entry a grouping.
    """

    first: Floats
    second: Floats
    between: Floats


def group_sums(block_of: Block, groups: npt.NDArray[np.bool_], block: int = BLOCK) -> GroupSums:
    """Sums for the groupings `groups`, shape (rows, groupings), True where a row is of the first group.

    One pass over the blocks on and above the diagonal serves all groupings: with u a grouping's indicators, its sums follow
    from u'Ku, u'K1 and 1'K1.
    """
    size, many = groups.shape
    inside, rows, diagonal = np.zeros(many), np.zeros(size), np.zeros(size)
    for begin in range(0, size, block):
        here = slice(begin, min(begin + block, size))
        own = groups[here].astype(np.float64)
        for start in range(begin, size, block):
            there = slice(start, min(start + block, size))
            matrix = block_of(here, there)
            if start == begin:
                diagonal[here] = matrix.diagonal()
                np.fill_diagonal(matrix, 0.0)
            else:
                rows[there] += matrix.sum(axis=0)
            rows[here] += matrix.sum(axis=1)
            found = np.einsum("ij,ij->j", own, matrix @ groups[there].astype(np.float64))
            inside += found if start == begin else 2 * found
    touched = np.array([rows[member].sum() for member in groups.T])
    return GroupSums(inside, rows.sum() - 2 * touched + inside, touched - inside)


def squared_distances(rows: Floats) -> Block:
    """Blocks of the squared Euclidean distances between rows, each by one matrix product."""
    centred = rows - np.median(rows, axis=0)  # one outlier must not cost the others their digits
    squares = np.einsum("ij,ij->i", centred, centred)
    left = np.column_stack([-2 * centred, squares, np.ones(len(rows))])
    right = np.column_stack([centred, np.ones(len(rows)), squares]).T.copy()

    def block(here: slice, there: slice) -> Floats:
        found: Floats = left[here] @ right[:, there]
        return np.maximum(found, 0.0, out=found)  # rounding leaves small negatives between equal rows

    return block


def gaussian(rows: Floats, bandwidth: float) -> Block:
    """Blocks of exp(-|x - y|^2 / (2 bandwidth^2))."""
    distances = squared_distances(rows / (np.sqrt(2) * bandwidth))

    def block(here: slice, there: slice) -> Floats:
        found = distances(here, there)
        np.negative(found, out=found)
        return np.exp(found, out=found)

    return block


def euclidean(rows: Floats) -> Block:
    """Blocks of the Euclidean distances between rows."""
    distances = squared_distances(rows)

    def block(here: slice, there: slice) -> Floats:
        found = distances(here, there)
        return np.sqrt(found, out=found)

    return block


def all_pairs(block_of: Block, size: int) -> Floats:
    """The whole matrix, for samples small enough."""
    return block_of(slice(0, size), slice(0, size))


def median_distance(rows: Floats, seed: int) -> float:
    """Median distance of the pairs of different rows (of SAMPLE of them where there are more); 1 where all are equal.

    Where most pairs are of equal rows, equal pairs do not count: a bandwidth must be above zero.
    """
    if len(rows) > SAMPLE:
        rows = rows[np.random.default_rng(seed).choice(len(rows), SAMPLE, replace=False)]
    above = np.triu_indices(len(rows), 1)
    pairs = all_pairs(squared_distances(rows), len(rows))[above]
    squares = np.sum((rows - np.median(rows, axis=0)) ** 2, axis=1)
    apart = pairs > 1e-14 * (squares[above[0]] + squares[above[1]])  # else rounding, of equal rows
    if not apart.any():
        return 1.0
    median = np.median(pairs if 2 * np.count_nonzero(apart) > pairs.size else pairs[apart])
    return float(np.sqrt(median))
