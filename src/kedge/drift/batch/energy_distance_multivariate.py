"""Energy distance between samples of rows."""

from typing import ClassVar, Literal

import numpy as np

from kedge.drift.batch import pairwise
from kedge.drift.batch.base import Floats, TestResult
from kedge.drift.batch.vectors import (
    VectorDetector,
    assignments,
    generator,
    permutation_p_value,
    require_attainable,
)
from kedge.drift.spec import Choice, DetectorSpec, Interval


class EnergyDistanceMultivariate(VectorDetector):
    """Do the rows of window and reference come from the same distribution, with nothing to tune?

    The statistic is 2 E|X - Y| - E|X - X'| - E|Y - Y'| with Euclidean distances: zero only between equal distributions, in
    the unit of the columns (which should be comparable: scale them before). It sees differences of location well, and those
    of shape less than MMD with a fitting bandwidth. Distances are made block by block, as there.

    Parameters
    ----------
    alpha : float in (0, 1), default 0.05
        Chance of a false alarm on one window. Larger values find smaller changes.
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
    >>> detector = EnergyDistanceMultivariate().fit(rng.normal(0, 1, (300, 5)))
    >>> result = detector.test(rng.normal(0.3, 1, (200, 5)))
    >>> result.drift, round(result.statistic, 3), round(result.p_value, 3)
    (True, 0.227, 0.01)

    References
    ----------
    Szekely and Rizzo (2013), Energy statistics: a class of statistics based on distances, equations (6.1) and (6.2), without
    the factor nm / (n + m).
    """

    spec: ClassVar[DetectorSpec] = DetectorSpec(
        name="EnergyDistanceMultivariate",
        mode="batch",
        input="vector",
        direction="both",
        params={
            "alpha": Interval(float, 0, 1, "neither"),
            "permutations": Interval(int, 1, 100_000),
            "seed": Interval(int, 0, 2**63, "left"),
            "missing": Choice(("raise", "skip")),
        },
        paper="Szekely and Rizzo 2013",
        equations="2 mean |x - y| - mean |x - x'| - mean |y - y'|, means over all pairs",
        false_alarms="alpha a window (exact by permutation)",
        cost="O((n + m)^2 (d + permutations)) a window, memory O(block^2)",
        examples=({}, {"permutations": 400, "alpha": 0.01, "seed": 3}),
    )

    def __init__(
        self,
        alpha: float = 0.05,
        *,
        permutations: int = 100,
        seed: int = 0,
        missing: Literal["raise", "skip"] = "raise",
    ) -> None:
        self.alpha = alpha
        self.permutations = permutations
        self.seed = seed
        self.missing = missing
        super().__init__()
        require_attainable(self.spec.name, alpha, permutations)

    def _compare(self, reference: Floats, window: Floats) -> TestResult:
        both = np.concatenate([reference, window])
        first, second = len(reference), len(window)
        groups = assignments(first, len(both), self.permutations, generator(self.seed, reference, window))
        sums = pairwise.group_sums(pairwise.euclidean(both), groups)
        within = sums.first / first**2 + sums.second / second**2
        between = 2 * sums.between / (first * second)
        statistics = between - within
        p_value = permutation_p_value(statistics, float(between[0]))
        method = f"{self.permutations} permutations"
        return self._significant(statistics[0], p_value, self.alpha, second, method)
