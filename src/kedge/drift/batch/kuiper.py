"""Two-sample Kuiper."""

from typing import ClassVar

from kedge.drift.batch.limits import kuiper_tail
from kedge.drift.batch.ordered import RANK_PARAMS, RankTest
from kedge.drift.batch.ordering import Ordering
from kedge.drift.kernels.layout import KUIPER
from kedge.drift.spec import DetectorSpec


class Kuiper(RankTest):
    """Do window and reference come from the same distribution, wherever on a scale or circle they differ?

    The statistic is the largest gap of the one distribution function above the other plus the largest below: a change of
    spread, which lifts one tail and lowers the other, counts twice. It does not depend on where a circle (hours, angles)
    is cut open. The limit takes the values for continuous; with many equal ones it raises fewer false alarms.

    Parameters
    ----------
    alpha : float in (0, 1), default 0.05
        Chance of a false alarm on one window. Larger values find smaller changes and raise more false alarms; with tens of
        thousands of values any trifle is significant, so judge the statistic too.
    method : "auto", "exact", "asymptotic" or "permutation", default "auto"
        How the p-value is had. "auto" goes through all splits of the values where these are at most 10,000 ("exact"), draws
        splits at random where a sample has fewer than 10 values, and else takes the limit. "exact" becomes
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
    >>> detector = Kuiper().fit(rng.normal(0, 1, 500))
    >>> result = detector.test(rng.normal(0.3, 1, 500))
    >>> result.drift, round(result.statistic, 3)
    (True, 0.168)

    References
    ----------
    Kuiper (1960), Tests concerning random points on a circle; Stephens (1970), Use of the Kolmogorov-Smirnov, Cramer-von
    Mises and related statistics without extensive tables, JRSS B 32 (for the p-value).
    """

    spec: ClassVar[DetectorSpec] = DetectorSpec(
        name="Kuiper",
        mode="batch",
        input="real",
        direction="both",
        params=RANK_PARAMS,
        paper="Kuiper 1960",
        equations="V = sup (F - G) + sup (G - F)",
        false_alarms="alpha a window",
        cost="O(n log n + m) a window; by permutation O(permutations (n + m)) more",
        libraries=("Frouros",),
        examples=(
            {},
            {"alpha": 0.001, "method": "asymptotic"},
            {"method": "permutation", "permutations": 1999},
        ),
    )
    measure: ClassVar[int] = KUIPER

    def _tail(self, ordering: Ordering) -> float:
        return kuiper_tail(self._statistic(ordering), *ordering.sizes)
