"""Two-sample Baumgartner-Weiss-Schindler."""

from typing import ClassVar

from kedge.drift.batch.limits import anderson_darling_tail, three_cumulants_tail
from kedge.drift.batch.ordered import RANK_PARAMS, RankTest
from kedge.drift.batch.ordering import Ordering
from kedge.drift.kernels.layout import BAUMGARTNER
from kedge.drift.spec import DetectorSpec


class BaumgartnerWeissSchindler(RankTest):
    """Do window and reference come from the same distribution, judged by ranks with weight on the tails?

    The statistic averages, over the values of each sample, the squared difference between rank and expected rank, divided
    by its variance. It is close to Anderson-Darling's, and as strong for small samples of unequal spread. Equal values take
    the highest of their ranks, in the sample as in both together; without ties it is SciPy's. It expects about 1.

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
    >>> detector = BaumgartnerWeissSchindler().fit(rng.normal(0, 1, 500))
    >>> result = detector.test(rng.normal(0.3, 1, 500))
    >>> result.drift, round(result.statistic, 3)
    (True, 11.607)

    References
    ----------
    Baumgartner, Weiss and Schindler (1998), A nonparametric test for the general two-sample problem, Biometrics 54,
    equations 2.1 and 2.2. With ties the p-value is had as in Hall (1983), Annals of Probability 11.
    """

    spec: ClassVar[DetectorSpec] = DetectorSpec(
        name="BaumgartnerWeissSchindler",
        mode="batch",
        input="real",
        direction="both",
        params=RANK_PARAMS,
        paper="Baumgartner, Weiss and Schindler 1998",
        equations="B = (B_X + B_Y) / 2 (equation 2.2)",
        false_alarms="alpha a window",
        cost="O(n log n + m) a window; by permutation O(permutations (n + m)) more",
        libraries=("Frouros",),
        examples=(
            {},
            {"alpha": 0.001, "method": "asymptotic"},
            {"method": "permutation", "permutations": 1999},
        ),
    )
    measure: ClassVar[int] = BAUMGARTNER

    def _tail(self, ordering: Ordering) -> float:
        statistic = self._statistic(ordering)
        if ordering.tied:
            return three_cumulants_tail(statistic, *ordering.cumulants(self.measure))
        return anderson_darling_tail(statistic)  # the same limit, by the authors' theorem 2.1
