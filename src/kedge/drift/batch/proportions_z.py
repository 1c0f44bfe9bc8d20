"""Two-proportion z-test."""

import math
from typing import ClassVar, Literal

import numpy as np

from kedge.drift.batch.ordered import Outcome
from kedge.drift.batch.tables import Counts, TableTest, expected, hypergeometric_p_value
from kedge.drift.spec import Choice, DetectorSpec, Interval


class ProportionsZ(TableTest):
    """Has the share of the most frequent category moved?

    The category is the reference's most frequent, of equals the first in the order of text; all others count together. Of
    two categories it does not matter which is taken. The statistic is z with the pooled share, window minus reference. For
    changes among the other categories use ChiSquare.

    Parameters
    ----------
    alpha : float in (0, 1), default 0.05
        Chance of a false alarm on one window. Larger values find smaller changes; with tens of thousands of values any
        trifle is significant, so judge the difference itself too.
    method : "auto", "exact" or "asymptotic", default "auto"
        How the p-value is had. "auto" takes the normal limit unless a cell of the 2 x 2 table expects less than 5: then
        Fisher's exact one.
    missing : "raise" or "skip", default "raise"
        What None and NaN do.

    Examples
    --------
    >>> detector = ProportionsZ().fit([1] * 60 + [0] * 40)
    >>> result = detector.test([1] * 45 + [0] * 55)
    >>> result.drift, round(result.statistic, 3)
    (True, -2.124)

    References
    ----------
    Fleiss, Levin and Paik (2003), Statistical Methods for Rates and Proportions, section 3.1, without continuity
    correction: its square is Pearson's chi-square of the 2 x 2 table.
    """

    spec: ClassVar[DetectorSpec] = DetectorSpec(
        name="ProportionsZ",
        mode="batch",
        input="categorical",
        direction="both",
        params={
            "alpha": Interval(float, 0, 1, "neither"),
            "method": Choice(("auto", "exact", "asymptotic")),
            "missing": Choice(("raise", "skip")),
        },
        paper="Fleiss, Levin and Paik 2003",
        equations="z = (q - p) / sqrt(s (1 - s) (1 / m + 1 / n)), s the share in both samples",
        false_alarms="alpha a window",
        cost="O(n) a window",
        libraries=("Evidently",),
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

    def _outcome(self, before: Counts, after: Counts) -> Outcome:
        if before.size == 1:
            return Outcome(0.0, 1.0, "exact")
        (m, n), top = (int(before.sum()), int(after.sum())), int(np.argmax(before))
        first, second = (np.array([side[top], side.sum() - side[top]], np.int64) for side in (before, after))
        share = float(first[0] + second[0]) / (m + n)
        z = (second[0] / n - first[0] / m) / math.sqrt(share * (1 - share) * (1 / m + 1 / n))
        if self.method == "exact" or (self.method == "auto" and expected(first, second).min() < 5):
            return Outcome(float(z), hypergeometric_p_value(first, second), "exact")
        return Outcome(float(z), math.erfc(abs(z) / math.sqrt(2)), "asymptotic")
