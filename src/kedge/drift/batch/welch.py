"""Welch's t-test: two means, with variances that may differ."""

import math
import sys
from typing import ClassVar, Literal

import numpy as np

from kedge.drift.batch.base import Floats
from kedge.drift.batch.ordered import OrderedDetector, Outcome
from kedge.drift.batch.ordering import Ordering
from kedge.drift.spec import Choice, DetectorSpec, Interval


class Welch(OrderedDetector):
    """Has the mean moved, whatever the variances?

    The statistic is Welch's t of window minus reference: negative where the mean fell. The p-value takes the means for
    normal, which a few dozen values make them unless the tails are heavy. Two constants that differ have an infinite t: the
    statistic is then the largest float, and the p-value the chance that a random split of the values parts them so.

    Parameters
    ----------
    alpha : float in (0, 1), default 0.05
        Chance of a false alarm on one window. Larger values find smaller changes and raise more false alarms; with tens of
        thousands of values any trifle is significant, so judge the difference itself too.
    missing : "raise" or "skip", default "raise"
        What NaN and infinities do.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> detector = Welch().fit(rng.normal(0, 1, 500))
    >>> result = detector.test(rng.normal(0.3, 1, 500))
    >>> result.drift, round(result.statistic, 2)
    (True, 4.21)

    References
    ----------
    Welch (1947), The generalization of Student's problem when several different population variances are involved,
    Biometrika 34; degrees of freedom after Satterthwaite (1946).
    """

    spec: ClassVar[DetectorSpec] = DetectorSpec(
        name="Welch",
        mode="batch",
        input="real",
        direction="both",
        params={"alpha": Interval(float, 0, 1, "neither"), "missing": Choice(("raise", "skip"))},
        paper="Welch 1947",
        equations="t = (mean difference) / sqrt(s1^2 / m + s2^2 / n), degrees of freedom after Satterthwaite",
        false_alarms="alpha a window, of means that are about normal",
        cost="O(n log n) a window",
        libraries=("Frouros", "Evidently"),
        examples=({}, {"alpha": 0.001}),
    )
    least: ClassVar[int] = 2

    def __init__(self, alpha: float = 0.05, *, missing: Literal["raise", "skip"] = "raise") -> None:
        self.alpha = alpha
        self.missing = missing
        super().__init__()

    def _outcome(self, ordering: Ordering) -> Outcome:
        from scipy import special  # imported with the first p-value

        if ordering.constant:
            return Outcome(0.0, 1.0, "exact")
        (m, n), (reference, window) = ordering.sizes, ordering.moderate()
        (first, before), (second, after) = _moments(reference), _moments(window)
        error = before / m + after / n
        if error == 0:
            return Outcome(
                math.copysign(sys.float_info.max, second - first), parting_chance(ordering), "exact"
            )
        t = (second - first) / math.sqrt(error)
        share = before / m / error  # apart from the squares of variances, which may leave the floats
        degrees = 1 / (share**2 / (m - 1) + (1 - share) ** 2 / (n - 1))
        return Outcome(t, float(2 * special.stdtr(degrees, -abs(t))), "asymptotic")


def parting_chance(ordering: Ordering) -> float:
    """The chance that a random split into samples of these sizes parts the lower from the higher values as this one does."""
    m, n = ordering.sizes
    return (2 if m == n else 1) / ordering.splits


def _moments(ordered: Floats) -> tuple[float, float]:
    """Mean and variance of sorted values, of a constant exactly."""
    if ordered[0] == ordered[-1]:
        return float(ordered[0]), 0.0
    return float(np.mean(ordered)), float(np.var(ordered, ddof=1))
