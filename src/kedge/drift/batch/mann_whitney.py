"""Mann-Whitney U, or Wilcoxon's rank sum."""

import math
from typing import ClassVar

from kedge.drift.batch.ordered import RANK_PARAMS, RankTest
from kedge.drift.batch.ordering import Ordering
from kedge.drift.kernels.layout import MANN_WHITNEY, TIES
from kedge.drift.spec import DetectorSpec


class MannWhitney(RankTest):
    """Are the window's values larger, or smaller, than the reference's?

    The statistic is the rank-biserial correlation 2 U / (m n) - 1, from -1 (every value of the window is below every one
    of the reference) over 0 to 1: an effect size that does not grow with the number of values. The test is on U, two-sided.
    It answers to a shift, and does not see a change of spread about the same middle.

    Parameters
    ----------
    alpha : float in (0, 1), default 0.05
        Chance of a false alarm on one window. Larger values find smaller changes and raise more false alarms; with tens of
        thousands of values any trifle is significant, so judge the statistic too.
    method : "auto", "exact", "asymptotic" or "permutation", default "auto"
        How the p-value is had. "auto" goes through all splits of the values where these are at most 10,000 ("exact"), draws
        splits at random where a sample has fewer than 10 values, and else takes the limit, which counts with ties. "exact" becomes
        "permutation" beyond a million splits; the result's `method` says what was done.
    permutations : int in [99, 1000000], default 9999
        Splits drawn. The least p-value is 1 / (permutations + 1).
    seed : int in [0, 4294967295], default 0
        Of the splits drawn: the same samples give the same p-value.
    missing : "raise" or "skip", default "raise"
        What NaN and infinities do.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> detector = MannWhitney().fit(rng.normal(0, 1, 500))
    >>> result = detector.test(rng.normal(0.3, 1, 500))
    >>> result.drift, round(result.statistic, 3)
    (True, 0.151)

    References
    ----------
    Mann and Whitney (1947), On a test of whether one of two random variables is stochastically larger than the other;
    Cureton (1956), Rank-biserial correlation, Psychometrika 21. The limit is normal, with the corrections for ties and
    continuity.
    """

    spec: ClassVar[DetectorSpec] = DetectorSpec(
        name="MannWhitney",
        mode="batch",
        input="real",
        direction="both",
        params=RANK_PARAMS,
        paper="Mann and Whitney 1947",
        equations="U = number of pairs with window above reference, ties by half",
        false_alarms="alpha a window",
        cost="O(n log n + m) a window; by permutation O(permutations (n + m)) more",
        libraries=("Frouros", "Evidently"),
        examples=(
            {},
            {"alpha": 0.001, "method": "asymptotic"},
            {"method": "permutation", "permutations": 1999},
        ),
    )
    measure: ClassVar[int] = MANN_WHITNEY

    def _statistic(self, ordering: Ordering) -> float:
        m, n = ordering.sizes
        return float(2 * ordering.measures[self.measure] / (m * n) - 1)

    def _tail(self, ordering: Ordering) -> float:
        m, n = (float(size) for size in ordering.sizes)
        total, ties = m + n, float(ordering.measures[TIES])
        variance = m * n / 12 * (total + 1 - ties / (total * (total - 1)))
        away = max(abs(float(ordering.measures[self.measure]) - m * n / 2) - 0.5, 0.0)
        return math.erfc(away / math.sqrt(2 * variance))
