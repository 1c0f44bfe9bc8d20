"""Two-sample Kolmogorov-Smirnov."""

import functools
import math
from importlib import import_module
from typing import Any, ClassVar, Literal

import numpy as np

from kedge.drift.batch.base import Floats
from kedge.drift.batch.ordered import OrderedDetector, Outcome
from kedge.drift.batch.ordering import Ordering
from kedge.drift.kernels.layout import KOLMOGOROV
from kedge.drift.spec import Choice, DetectorSpec, Interval

EXACT_UP_TO = 10_000
MOST_STEPS = 2**31 - 1
"""SciPy's exact p-value counts in steps of 1 / lcm(m, n), and gives up beyond so many."""
SECOND_SIDE_LOST = 2.2
"""From this n D^2 on a sample that is too far above and too far below at once adds less than 1e-7 of the p-value."""


@functools.cache
def _kernel() -> Any:
    return import_module("kedge.drift.kernels.smirnov_tail")  # brings numba, a second, at the first test


class KolmogorovSmirnov(OrderedDetector):
    """Do window and reference come from the same continuous distribution?

    The statistic is the largest gap between the two empirical distribution functions. The reference is sorted once; a
    window of n values then costs O(n log n + m). The result also counts both samples in common bins, for showing one over
    the other; the test does not use them.

    Parameters
    ----------
    alpha : float in (0, 1), default 0.05
        Chance of a false alarm on one window. Larger values find smaller changes and raise more false alarms; with tens of
        thousands of values any trifle is significant, so judge the statistic too.
    method : "auto", "exact" or "asymptotic", default "auto"
        How the p-value is had; "auto" is exact while both samples hold at most 10,000 values, as in SciPy. "exact"
        becomes asymptotic where the counts of paths would overflow; the result's `method` says what was done.
    missing : "raise" or "skip", default "raise"
        What NaN and infinities do.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> detector = KolmogorovSmirnov().fit(rng.normal(0, 1, 500))
    >>> result = detector.test(rng.normal(0.3, 1, 500))
    >>> result.drift, round(result.statistic, 3)
    (True, 0.158)

    References
    ----------
    Smirnov (1939); Hodges (1958), The significance probability of the Smirnov two-sample test; p-values are SciPy's.
    """

    spec: ClassVar[DetectorSpec] = DetectorSpec(
        name="KolmogorovSmirnov",
        mode="batch",
        input="real",
        direction="both",
        params={
            "alpha": Interval(float, 0, 1, "neither"),
            "method": Choice(("auto", "exact", "asymptotic")),
            "missing": Choice(("raise", "skip")),
        },
        paper="Smirnov 1939",
        equations="D = sup |F_reference - F_window|",
        false_alarms="alpha a window",
        cost="O(n log n + m) a window",
        threshold="alpha",
        stricter="smaller",
        libraries=("Alibi Detect", "TorchDrift", "Frouros", "Evidently", "NannyML"),
        examples=({}, {"alpha": 0.001, "method": "asymptotic"}, {"method": "exact"}),
    )

    def __init__(
        self,
        alpha: float = 0.05,
        *,
        method: Literal["auto", "exact", "asymptotic"] = "auto",
        missing: Literal["raise", "skip"] = "raise",
    ) -> None:
        self.alpha = alpha
        self.method = method
        self.missing = missing
        super().__init__()

    def _outcome(self, ordering: Ordering) -> Outcome:
        statistic = float(ordering.measures[KOLMOGOROV])
        return Outcome(statistic, *self._p_value(statistic, ordering.reference, ordering.window))

    def _p_value(self, statistic: float, reference: Floats, window: Floats) -> tuple[float, str]:
        from scipy import stats  # half a second to import, and only p-values need it

        m, n = reference.size, window.size
        wanted = self.method == "exact" or (self.method == "auto" and max(m, n) <= EXACT_UP_TO)
        if wanted and m == n and statistic < 1.5 / n:
            return (
                1.0,
                "exact",
            )  # no gap can be smaller; SciPy's sum may round to above 1, and is then given up
        if wanted and math.lcm(m, n) < MOST_STEPS:
            return float(stats.ks_2samp(reference, window, method="exact").pvalue), "exact"
        return _limit(statistic, max(round(m * n / (m + n)), 1)), "asymptotic"


def _limit(statistic: float, effective: int) -> float:
    """The one-sample statistic's distribution at the effective size."""
    from scipy import stats  # half a second to import, and only p-values need it

    if 0 < statistic < 1 and effective * statistic**2 >= SECOND_SIDE_LOST:
        return min(2 * float(_kernel().tail(effective, statistic)), 1.0)
    return float(np.clip(stats.kstwo.sf(statistic, effective), 0, 1))
