"""Least-squares density difference."""

from typing import ClassVar, Literal

import numpy as np

from kedge.drift.batch import pairwise
from kedge.drift.batch.base import Floats, TestResult
from kedge.drift.batch.vectors import (
    NARROWEST,
    VectorDetector,
    assignments,
    generator,
    in_order,
    permutation_p_value,
    require_attainable,
)
from kedge.drift.spec import Choice, DetectorSpec, Interval, OrNone

RIDGES = tuple(4.0**-power for power in range(10))
"""Candidates for the regularisation, largest first."""


class LSDD(VectorDetector):
    """How far apart are the densities of window and reference, in squared L2 distance?

    The difference of the two densities is fitted as one function, a weighted sum of Gaussians at some of the rows, without
    estimating either density. Columns are standardised by the mean and deviation of both samples together. The statistic is
    the squared distance times (pi bandwidth^2)^(d / 2), in standardised columns: without that factor it would under- or
    overflow in many dimensions.

    Parameters
    ----------
    alpha : float in (0, 1), default 0.05
        Chance of a false alarm on one window. Larger values find smaller changes.
    bandwidth : float >= 1e-50 or None, default None
        Of the Gaussians exp(-|x - c|^2 / (2 bandwidth^2)), in standard deviations. Larger values see coarser differences.
        None: the median distance between the rows of both samples.
    centres : int in [1, 10000], default 100
        Rows, drawn from both samples, at which the Gaussians sit (all rows where there are fewer). More centres fit finer
        differences, at cubed cost.
    bias : float in (0, 1), default 0.2
        Largest share of the distance that regularisation may cost, as a mean over the permutations: the largest ridge of
        1, 1/4, 1/16, ... that stays below is taken. Larger values regularise more.
    permutations : int in [1, 100000], default 100
        Draws of the permutation test. More permutations tell smaller p-values. At least 1 / alpha.
    seed : int in [0, 2**63), default 0
        Of the centres and the permutations.
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
    >>> detector = LSDD().fit(rng.normal(0, 1, (300, 3)))
    >>> result = detector.test(rng.normal(0.4, 1, (200, 3)))
    >>> result.drift, round(result.p_value, 3)
    (True, 0.01)

    References
    ----------
    Sugiyama et al. (2013), Density-difference estimation, Neural Computation 25: equation (10). Bu, Alippi, Zhao (2018), A
    pdf-free change detection test based on density difference estimation, IEEE TNNLS 29, for the choice of the ridge.
    """

    spec: ClassVar[DetectorSpec] = DetectorSpec(
        name="LSDD",
        mode="batch",
        input="vector",
        direction="both",
        params={
            "alpha": Interval(float, 0, 1, "neither"),
            "bandwidth": OrNone(Interval(float, NARROWEST, float("inf"), "left")),
            "centres": Interval(int, 1, 10_000),
            "bias": Interval(float, 0, 1, "neither"),
            "permutations": Interval(int, 1, 100_000),
            "seed": Interval(int, 0, 2**63, "left"),
            "missing": Choice(("raise", "skip")),
        },
        paper="Sugiyama et al. 2013; Bu et al. 2018",
        equations="2 h'w - w'Hw with w = (H + ridge I)^-1 h",
        false_alarms="alpha a window (exact by permutation)",
        cost="O((n + m) centres (d + permutations) + centres^3) a window",
        libraries=("Alibi Detect",),
        examples=({}, {"bandwidth": 1.5, "centres": 30, "permutations": 400, "alpha": 0.01, "seed": 3}),
    )

    def __init__(
        self,
        alpha: float = 0.05,
        *,
        bandwidth: float | None = None,
        centres: int = 100,
        bias: float = 0.2,
        permutations: int = 100,
        seed: int = 0,
        missing: Literal["raise", "skip"] = "raise",
    ) -> None:
        self.alpha = alpha
        self.bandwidth = bandwidth
        self.centres = centres
        self.bias = bias
        self.permutations = permutations
        self.seed = seed
        self.missing = missing
        super().__init__()
        require_attainable(self.spec.name, alpha, permutations)

    def _compare(self, reference: Floats, window: Floats) -> TestResult:
        both = standardised(np.concatenate([reference, window]))
        bandwidth = self.bandwidth or pairwise.median_distance(both, self.seed)
        rng = generator(self.seed, reference, window)
        drawn = rng.permutation(len(both))[: self.centres]
        groups = assignments(len(reference), len(both), self.permutations, rng)
        means = mean_differences(both, in_order(both[drawn]), groups, bandwidth)
        overlaps = gaussian_overlaps(in_order(both[drawn]), bandwidth)
        distances, ridge = density_differences(means, overlaps, self.bias)
        # Equal constants leave squares of rounding alone, about 1e-26.
        p_value = permutation_p_value(distances, max(float(np.abs(means).max()), 1e-8))
        method = f"{self.permutations} permutations, bandwidth {bandwidth:.6g}, ridge {ridge:.6g}"
        return self._significant(distances[0], p_value, self.alpha, len(window), method)


def standardised(rows: Floats) -> Floats:
    """Columns of mean 0 and deviation 1; a constant column is 0."""
    centred = rows - rows.mean(axis=0)
    deviation = centred.std(axis=0)
    rounding = 1e-14 * np.abs(rows).max(axis=0)
    return np.where(deviation > rounding, centred / np.where(deviation > rounding, deviation, 1.0), 0.0)


def mean_differences(
    rows: Floats, centres: Floats, groups: np.typing.NDArray[np.bool_], bandwidth: float
) -> Floats:
    """Mean kernel value of the first group less that of the second, shape (centres, groupings); rows block by block."""
    first = int(groups[:, 0].sum())
    second = len(rows) - first
    here = slice(0, len(centres))
    total = np.zeros((len(centres), groups.shape[1]))
    for begin in range(0, len(rows), pairwise.BLOCK):
        part = slice(begin, begin + pairwise.BLOCK)
        stacked = np.concatenate([centres, rows[part]])
        kernel = pairwise.gaussian(stacked, bandwidth)(here, slice(len(centres), len(stacked)))
        total += kernel @ np.where(groups[part], 1 / first, -1 / second)
    return total


def gaussian_overlaps(centres: Floats, bandwidth: float) -> Floats:
    """Integrals of the products of Gaussians at each pair of centres, over that of a Gaussian squared."""
    return pairwise.all_pairs(pairwise.gaussian(centres, np.sqrt(2) * bandwidth), len(centres))


def density_differences(means: Floats, overlaps: Floats, bias: float) -> tuple[Floats, float]:
    """Squared distances, one a column of `means`, and the ridge: the largest whose relative cost is below `bias`."""
    values, vectors = np.linalg.eigh(overlaps)
    values = np.maximum(values, 0.0)
    squared = (vectors.T @ means) ** 2
    distances, ridge = np.zeros(means.shape[1]), RIDGES[-1]
    for ridge in RIDGES:
        weights = 1 / (values + ridge)
        linear, quadratic = weights @ squared, (weights**2 * values) @ squared
        distances = 2 * linear - quadratic
        cost = 1 - np.divide(quadratic, linear, out=np.ones_like(linear), where=linear > 0)
        if cost.mean() < bias:
            break
    return distances, ridge
