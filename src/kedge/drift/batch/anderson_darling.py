"""Two-sample Anderson-Darling."""

import math
from typing import ClassVar

import numpy as np

from kedge.drift.batch.limits import anderson_darling_tail, three_cumulants_tail
from kedge.drift.batch.ordered import RANK_PARAMS, RankTest
from kedge.drift.batch.ordering import Ordering
from kedge.drift.kernels.layout import ANDERSON_DARLING
from kedge.drift.spec import DetectorSpec

_LARGE = 5000


class AndersonDarling(RankTest):
    """Do window and reference come from the same distribution, its tails as much as its middle?

    The statistic is the squared gap between the distribution functions, each point weighed by the inverse of its variance:
    a shift in the tails, which Kolmogorov-Smirnov hardly sees, counts in full. It is Scholz and Stephens's A2_akN, with
    mid-ranks for equal values, not standardised: SciPy's is (statistic - 1) / sigma. Its expectation without drift is 1.

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
    >>> detector = AndersonDarling().fit(rng.normal(0, 1, 500))
    >>> result = detector.test(rng.normal(0.3, 1, 500))
    >>> result.drift, round(result.statistic, 3)
    (True, 11.164)

    References
    ----------
    Scholz and Stephens (1987), K-sample Anderson-Darling tests, JASA 82, equation 7. The p-value is that of the limit, in
    full, where SciPy interpolates between 0.001 and 0.25; with ties as in Hall (1983), Annals of Probability 11.
    """

    spec: ClassVar[DetectorSpec] = DetectorSpec(
        name="AndersonDarling",
        mode="batch",
        input="real",
        direction="both",
        params=RANK_PARAMS,
        paper="Scholz and Stephens 1987",
        equations="A2_akN (equation 7)",
        false_alarms="alpha a window",
        cost="O(n log n + m) a window; by permutation O(permutations (n + m)) more",
        libraries=("Frouros", "Evidently"),
        examples=(
            {},
            {"alpha": 0.001, "method": "asymptotic"},
            {"method": "permutation", "permutations": 1999},
        ),
    )
    measure: ClassVar[int] = ANDERSON_DARLING

    def _tail(self, ordering: Ordering) -> float:
        statistic = self._statistic(ordering)
        if ordering.tied:
            return three_cumulants_tail(statistic, *ordering.cumulants(self.measure))
        return anderson_darling_tail(1 + (statistic - 1) * _stretch(*ordering.sizes))


def _stretch(m: int, n: int) -> float:
    """The limit's standard deviation over that of samples of these sizes (Scholz and Stephens 1987, equation 4)."""
    total = m + n
    if total < 8 or total > _LARGE:
        return 1.0
    sums = np.cumsum(1 / np.arange(total - 1, 1, -1.0))
    h = sums[-1] + 1
    g = float(np.sum(sums / np.arange(2, total)))
    inverse = 1 / m + 1 / n
    a = 4 * g - 6 + (10 - 6 * g) * inverse
    b = 12 * g - 22 + 8 * h + (2 * g - 14 * h - 4) * inverse
    c = 36 * h + 4 + (2 * h - 6) * inverse
    variance = (a * total**3 + b * total**2 + c * total + 24) / ((total - 1) * (total - 2) * (total - 3))
    return math.sqrt(2 * (math.pi**2 - 9) / 3 / variance)
