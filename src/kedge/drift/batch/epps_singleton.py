"""Two-sample Epps-Singleton."""

import sys
from typing import ClassVar, Literal

import numpy as np

from kedge.drift.batch.base import Floats
from kedge.drift.batch.ordered import OrderedDetector, Outcome
from kedge.drift.batch.ordering import Ordering
from kedge.drift.batch.welch import parting_chance
from kedge.drift.spec import Choice, DetectorSpec, Interval

POINTS = np.array([0.4, 0.8])
_SMALL = 25
_OUTSIDE = 1e-9


class EppsSingleton(OrderedDetector):
    """Do window and reference come from the same distribution, continuous or not?

    Compares the empirical characteristic functions at 0.4 and 0.8 over half the interquartile range of both samples
    together. It takes discrete values as they are, and is often stronger than Kolmogorov-Smirnov. Where the middle half of
    all values is a single one, the standard deviation takes the place of that range. Where the samples are parted without
    variance (two constants that differ), the statistic is the largest float and the p-value the chance that a random split
    parts them so.

    Parameters
    ----------
    alpha : float in (0, 1), default 0.05
        Chance of a false alarm on one window, which must hold 5 values, as must the reference. Larger values find smaller
        changes and raise more false alarms; with tens of thousands of values any trifle is significant.
    missing : "raise" or "skip", default "raise"
        What NaN and infinities do.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> detector = EppsSingleton().fit(rng.poisson(2, 500))
    >>> result = detector.test(rng.poisson(3, 500))
    >>> result.drift, round(result.statistic, 1)
    (True, 71.0)

    References
    ----------
    Epps and Singleton (1986), An omnibus test for the two-sample problem using the empirical characteristic function,
    Journal of Statistical Computation and Simulation 26; Goerg and Kaiser (2009), Stata Journal 9, for small samples.
    """

    spec: ClassVar[DetectorSpec] = DetectorSpec(
        name="EppsSingleton",
        mode="batch",
        input="real",
        direction="both",
        params={"alpha": Interval(float, 0, 1, "neither"), "missing": Choice(("raise", "skip"))},
        paper="Epps and Singleton 1986",
        equations="W = N (g1 - g2)' S^+ (g1 - g2) at t = 0.4 and 0.8, chi-square of rank(S) degrees of freedom",
        false_alarms="alpha a window, about, from some dozens of values",
        cost="O(n log n + m) a window",
        libraries=("Evidently",),
        examples=({}, {"alpha": 0.001}),
    )
    least: ClassVar[int] = 5

    def __init__(self, alpha: float = 0.05, *, missing: Literal["raise", "skip"] = "raise") -> None:
        self.alpha = alpha
        self.missing = missing
        super().__init__()

    def _outcome(self, ordering: Ordering) -> Outcome:
        from scipy import special  # imported with the first p-value

        if ordering.constant:
            return Outcome(0.0, 1.0, "exact")
        (m, n), (reference, window) = ordering.sizes, ordering.moderate()
        total = m + n
        scale = _scale(np.concatenate([reference, window]))
        before, after = _waves(reference / scale), _waves(window / scale)
        apart = before.mean(axis=1) - after.mean(axis=1)
        covariance = total / m * np.cov(before, bias=True) + total / n * np.cov(after, bias=True)
        inverse = np.linalg.pinv(covariance, hermitian=True)
        outside = apart - covariance @ (inverse @ apart)
        if np.abs(outside).max() > _OUTSIDE:
            return Outcome(sys.float_info.max, parting_chance(ordering), "exact")
        statistic = float(total * apart @ inverse @ apart)
        if max(m, n) < _SMALL:
            statistic /= 1 + total**-0.45 + 10.1 * (m**-1.7 + n**-1.7)
        rank = int(np.linalg.matrix_rank(covariance, hermitian=True))
        return Outcome(statistic, float(special.chdtrc(rank, max(statistic, 0.0))), "asymptotic")


def _scale(pooled: Floats) -> float:
    low, high = np.quantile(pooled, [0.25, 0.75])
    return float(high - low) / 2 or float(np.std(pooled))


def _waves(scaled: Floats) -> Floats:
    """Cosines and sines at both points, shape (4, n)."""
    angles = POINTS[:, None] * scaled
    return np.concatenate([np.cos(angles), np.sin(angles)])
