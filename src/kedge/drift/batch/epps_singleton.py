"""Two-sample Epps-Singleton."""

import sys
from typing import ClassVar, Literal, Self

import numpy as np

from kedge.drift.batch.base import Floats
from kedge.drift.batch.ordered import RANK_PARAMS, Method, OrderedDetector, Outcome, chosen
from kedge.drift.batch.ordering import Ordering
from kedge.drift.batch.relabelling import Relabelling
from kedge.drift.batch.welch import parting_chance
from kedge.drift.spec import DetectorSpec

POINTS = np.array([0.4, 0.8])
_SMALL = 25
_OUTSIDE = 1e-9
_RANK = 1e-10
"""A variance is none below this share of the largest: sums leave about 1e-13 of it where there is none."""

_FIRST, _SECOND = np.triu_indices(4)


class EppsSingleton(OrderedDetector):
    """Do window and reference come from the same distribution, continuous or not?

    Compares the empirical characteristic functions at 0.4 and 0.8 over half the interquartile range of both samples
    together. It takes discrete values as they are, and is often stronger than Kolmogorov-Smirnov. Where the middle half of
    all values is a single one, the standard deviation takes the place of that range. Where the samples are parted without
    variance (two constants that differ), the statistic is the largest float and the p-value the chance that a random split
    parts them so.

    Its limit is a poor one: the covariance is estimated from the same few values as what it judges. Against a reference of
    500, windows of 25 would alarm 46 times in 100 at a level of 0.05, and of 400 still 6 times; so "auto" draws splits.

    Parameters
    ----------
    alpha : float in (0, 1), default 0.05
        Chance of a false alarm on one window, which must hold 5 values, as must the reference. Larger values find smaller
        changes and raise more false alarms; with tens of thousands of values any trifle is significant.
    method : "auto", "exact", "asymptotic" or "permutation", default "auto"
        How the p-value is had. "auto" goes through all splits of the values where these are at most 10,000 ("exact"), draws
        splits at random where the smaller sample has fewer than 200 + 10,000 (1 - r)^2 values, r the smaller size over the
        larger, and else takes the limit, which is then within a tenth of `alpha`. "asymptotic" is SciPy's and Evidently's
        p-value at any size. "exact" becomes "permutation" beyond a million splits; the result's `method` says what was done.
    permutations : int in [99, 1000000], default 9999
        Splits drawn. The least p-value is 1 / (permutations + 1). A test of 100 values takes about 0.03 s, one of 5,000 a
        second: fewer splits, or the limit, are faster.
    seed : int in [0, 4294967295], default 0
        Of the splits drawn: the same samples give the same p-value.
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
        params=RANK_PARAMS,
        paper="Epps and Singleton 1986",
        equations="W = N (g1 - g2)' S^+ (g1 - g2) at t = 0.4 and 0.8, chi-square of rank(S) degrees of freedom",
        false_alarms="alpha a window",
        cost="O(n log n + m) a window; by permutation O(permutations min(n, m)) more",
        libraries=("Evidently",),
        examples=(
            {},
            {"alpha": 0.001, "method": "asymptotic"},
            {"method": "permutation", "permutations": 1999},
        ),
    )
    least: ClassVar[int] = 5
    state_version: ClassVar[int] = 2
    older_versions: ClassVar[tuple[int, ...]] = (1,)

    def __init__(
        self,
        alpha: float = 0.05,
        *,
        method: Method = "auto",
        permutations: int = 9999,
        seed: int = 0,
        missing: Literal["raise", "skip"] = "raise",
    ) -> None:
        self.alpha = alpha
        self.method: Method = method
        self.permutations = permutations
        self.seed = seed
        self.missing = missing
        super().__init__()

    def _outcome(self, ordering: Ordering) -> Outcome:
        if ordering.constant:
            return Outcome(0.0, 1.0, "exact")
        (m, n), (reference, window) = ordering.sizes, ordering.moderate()
        total = m + n
        scale = _scale(np.concatenate([reference, window]))
        before, after = _waves(reference / scale), _waves(window / scale)
        apart = before.mean(axis=1) - after.mean(axis=1)
        covariance = total / m * np.cov(before, bias=True) + total / n * np.cov(after, bias=True)
        variances, axes = np.linalg.eigh(covariance)
        along = axes.T @ apart
        # Of two values the waves vary along one axis: what rounding leaves along the others must not be divided by.
        varies = variances > _RANK * variances[-1]
        if np.abs(along[~varies]).max(initial=0.0) > _OUTSIDE:
            return Outcome(sys.float_info.max, parting_chance(ordering), "exact")
        statistic = float(total * np.sum(along[varies] ** 2 / variances[varies]))
        if max(m, n) < _SMALL:
            statistic /= 1 + total**-0.45 + 10.1 * (m**-1.7 + n**-1.7)
        method = chosen(self.method, ordering, _enough(m, n))
        if method == "asymptotic":
            return Outcome(statistic, _tail(int(varies.sum()), statistic), method)
        relabelling = WaveSplits.of(before, after)
        if method == "exact":
            return Outcome(statistic, relabelling.enumerated(), method)
        return Outcome(statistic, relabelling.permuted(self.permutations, ordering.seed(self.seed)), method)


class WaveSplits(Relabelling):
    """Features are, for each value, the waves less their means and the products of any two, shape (N, 14).

    The factor for small samples is the same for all splits and left out.
    """

    rounding: ClassVar[float] = 1e-7

    @classmethod
    def of(cls, before: Floats, after: Floats) -> Self:
        """Of the waves of both samples, shapes (4, m) and (4, n)."""
        waves = np.concatenate([before, after], axis=1)
        waves = waves - waves.mean(axis=1, keepdims=True)  # else the covariances would lose digits
        features = np.concatenate([waves, waves[_FIRST] * waves[_SECOND]]).T.copy()
        m, n = before.shape[1], after.shape[1]
        smaller = features[:m] if m <= n else features[m:]
        return cls(features, min(m, n), smaller.sum(axis=0))

    def statistics(self, sums: Floats) -> Floats:
        """One for each row of sums over the smaller part; infinite where the parts differ where neither varies."""
        total, few = len(self.features), self.size
        many = total - few
        mine, others = sums / few, (self.features.sum(axis=0) - sums) / many
        covariance = total / few * _covariances(mine) + total / many * _covariances(others)
        variances, axes = np.linalg.eigh(covariance)
        apart = np.einsum("bij,bi->bj", axes, mine[:, :4] - others[:, :4])
        varies = variances > _RANK * variances[:, -1:]
        squares = np.divide(apart**2, variances, where=varies, out=np.zeros_like(apart))
        parted = np.where(varies, 0.0, np.abs(apart)).max(axis=1) > _OUTSIDE
        return np.where(parted, np.inf, total * squares.sum(axis=1))


def _covariances(means: Floats) -> Floats:
    """From means of the waves and of their products, shape (b, 14), to covariances of the waves, shape (b, 4, 4)."""
    covariances = np.empty((len(means), 4, 4))
    covariances[:, _FIRST, _SECOND] = means[:, 4:] - means[:, _FIRST] * means[:, _SECOND]
    covariances[:, _SECOND, _FIRST] = covariances[:, _FIRST, _SECOND]
    return covariances


def _enough(m: int, n: int) -> float:
    """From how many values in the smaller sample the limit's level is within a tenth of 0.05.

    Measured on normal, Student, Cauchy, exponential, uniform and Poisson samples: the error falls with the smaller size,
    and is largest where the covariance is mostly the smaller sample's.
    """
    return 200 + 10_000 * (1 - min(m, n) / max(m, n)) ** 2


def _tail(rank: int, statistic: float) -> float:
    from scipy import special  # imported with the first p-value

    return float(special.chdtrc(rank, max(statistic, 0.0)))


def _scale(pooled: Floats) -> float:
    low, high = np.quantile(pooled, [0.25, 0.75])
    return float(high - low) / 2 or float(np.std(pooled))


def _waves(scaled: Floats) -> Floats:
    """Cosines and sines at both points, shape (4, n)."""
    angles = POINTS[:, None] * scaled
    return np.concatenate([np.cos(angles), np.sin(angles)])
