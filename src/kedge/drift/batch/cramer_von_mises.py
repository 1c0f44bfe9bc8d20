"""Two-sample Cramer-von Mises."""

import math
from typing import ClassVar

from kedge.drift.batch.limits import cramer_von_mises_tail, three_cumulants_tail
from kedge.drift.batch.ordered import RANK_PARAMS, RankTest
from kedge.drift.batch.ordering import Ordering
from kedge.drift.kernels.layout import CRAMER_VON_MISES
from kedge.drift.spec import DetectorSpec


class CramerVonMises(RankTest):
    """Do window and reference come from the same distribution, judged over its whole range?

    The statistic is the squared gap between the two empirical distribution functions, summed over all values: wide gaps
    count, not only the deepest as in Kolmogorov-Smirnov. At equal values the gap counts half before them and half after,
    so that turning the sign of all values changes nothing; SciPy's statistic, by mid-ranks, finds two constants that are
    equal to differ where the samples' sizes do.

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
    >>> detector = CramerVonMises().fit(rng.normal(0, 1, 500))
    >>> result = detector.test(rng.normal(0.3, 1, 500))
    >>> result.drift, round(result.statistic, 3)
    (True, 1.998)

    References
    ----------
    Anderson (1962), On the distribution of the two-sample Cramer-von Mises criterion, Annals of Mathematical Statistics
    33. With ties: Hall (1983), Chi squared approximations to the distribution of a sum of independent random variables,
    Annals of Probability 11.
    """

    spec: ClassVar[DetectorSpec] = DetectorSpec(
        name="CramerVonMises",
        mode="batch",
        input="real",
        direction="both",
        params=RANK_PARAMS,
        paper="Anderson 1962",
        equations="T = m n / (m + n)^2 sum (F - G)^2 over all values",
        false_alarms="alpha a window",
        cost="O(n log n + m) a window; by permutation O(permutations (n + m)) more",
        libraries=("Alibi Detect", "Frouros", "Evidently"),
        examples=(
            {},
            {"alpha": 0.001, "method": "asymptotic"},
            {"method": "permutation", "permutations": 1999},
        ),
    )
    measure: ClassVar[int] = CRAMER_VON_MISES

    def _tail(self, ordering: Ordering) -> float:
        (m, n), statistic = ordering.sizes, self._statistic(ordering)
        if ordering.tied:
            return three_cumulants_tail(statistic, *ordering.cumulants(self.measure))
        total = float(m + n)
        # Mean and variance of T are those of the limit only for infinite samples (Anderson 1962, equations 8 and 9).
        mean = (1 + 1 / total) / 6
        variance = (total + 1) * (4 * m * n * total - 3 * (m * m + n * n) - 2 * m * n)
        variance /= 45 * total * total * 4 * m * n
        if variance <= 0:  # of one value each
            return 1.0
        return cramer_von_mises_tail(1 / 6 + (statistic - mean) / math.sqrt(45 * variance))
