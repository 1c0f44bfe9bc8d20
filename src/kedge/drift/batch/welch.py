"""Welch's t-test: two means, with variances that may differ."""

import math
import sys
from typing import ClassVar, Literal

import numpy as np

from kedge.drift.batch.base import Floats
from kedge.drift.batch.ordered import RANK_PARAMS, Method, OrderedDetector, Outcome, chosen
from kedge.drift.batch.ordering import Ordering
from kedge.drift.batch.relabelling import Studentised
from kedge.drift.spec import DetectorSpec

_SMALL = 50
_SLOW = 5000


class Welch(OrderedDetector):
    """Has the mean moved, whatever the variances?

    The statistic is Welch's t of window minus reference: negative where the mean fell. Two constants that differ have an
    infinite t: the statistic is then the largest float, and the p-value the chance that a random split of the values parts
    them so.

    Its limit takes the means for normal, which few values that are skewed do not make them: of a share of 0.05 (a reference
    of 12, windows of 200) more than 50 of 100 steady windows would alarm at a level of 0.05. There "auto" goes through splits of the
    values, or draws them: as t is studentised, the level holds where the samples have one distribution, and nearly where
    they have the mean alone in common.

    Parameters
    ----------
    alpha : float in (0, 1), default 0.05
        Chance of a false alarm on one window. Larger values find smaller changes and raise more false alarms; with tens of
        thousands of values any trifle is significant, so judge the difference itself too.
    method : "auto", "exact", "asymptotic" or "permutation", default "auto"
        How the p-value is had. "auto" goes through all splits of the values where these are at most 10,000 ("exact"), draws
        splits at random where the smaller sample has fewer than 50 + 100 s^2 values, s the skewness of both samples
        together, but no more than 5,000, and else takes the limit. "asymptotic" is SciPy's p-value at any size. "exact"
        becomes "permutation" beyond a million splits; the result's `method` says what was done.
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
    >>> detector = Welch().fit(rng.normal(0, 1, 500))
    >>> result = detector.test(rng.normal(0.3, 1, 500))
    >>> result.drift, round(result.statistic, 2)
    (True, 4.21)

    References
    ----------
    Welch (1947), The generalization of Student's problem when several different population variances are involved,
    Biometrika 34; degrees of freedom after Satterthwaite (1946). Janssen (1997), Studentized permutation tests for
    non-i.i.d. hypotheses and the generalized Behrens-Fisher problem, Statistics and Probability Letters 36.
    """

    spec: ClassVar[DetectorSpec] = DetectorSpec(
        name="Welch",
        mode="batch",
        input="real",
        direction="both",
        params=RANK_PARAMS,
        paper="Welch 1947; Janssen 1997",
        equations="t = (mean difference) / sqrt(s1^2 / m + s2^2 / n), degrees of freedom after Satterthwaite",
        false_alarms="alpha a window",
        cost="O(n log n) a window; by permutation O(permutations min(n, m)) more",
        libraries=("Frouros", "Evidently"),
        examples=(
            {},
            {"alpha": 0.001, "method": "asymptotic"},
            {"method": "permutation", "permutations": 1999},
        ),
    )
    least: ClassVar[int] = 2
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
        return means_apart(ordering, self.method, self.permutations, self.seed)


def means_apart(ordering: Ordering, method: Method, permutations: int, seed: int) -> Outcome:
    """Welch's t of window minus reference, each of 2 values or more, and its two-sided p-value."""
    from scipy import special  # imported with the first p-value

    if ordering.constant:
        return Outcome(0.0, 1.0, "exact")
    (m, n), (reference, window) = ordering.sizes, near_zero(*ordering.moderate())
    (first, before), (second, after) = _moments(reference), _moments(window)
    error = before / m + after / n
    if error == 0:
        return Outcome(math.copysign(sys.float_info.max, second - first), parting_chance(ordering), "exact")
    t = (second - first) / math.sqrt(error)
    method = chosen(method, ordering, _enough(np.concatenate([reference, window])))
    if method == "asymptotic":
        share = before / m / error  # apart from the squares of variances, which may leave the floats
        degrees = 1 / (share**2 / (m - 1) + (1 - share) ** 2 / (n - 1))
        return Outcome(t, float(2 * special.stdtr(degrees, -abs(t))), method)
    splits = Studentised.of(reference, window)
    if method == "exact":
        return Outcome(t, splits.enumerated(), method)
    return Outcome(t, splits.permuted(permutations, ordering.seed(seed)), method)


def near_zero(reference: Floats, window: Floats) -> tuple[Floats, Floats]:
    """Both sorted samples less one of their values: far from zero, means and squares would lose their digits.

    Integers around 1e15 with a deviation of 8 otherwise have means that are wrong by an eighth.
    """
    larger = reference if reference.size >= window.size else window
    origin = larger[larger.size // 2]
    return reference - origin, window - origin


def parting_chance(ordering: Ordering) -> float:
    """The chance that a random split into samples of these sizes parts the lower from the higher values as this one does."""
    m, n = ordering.sizes
    return (2 if m == n else 1) / ordering.splits


def _enough(values: Floats) -> float:
    """From how many values in the smaller sample the limit is taken.

    The first term of an Edgeworth expansion that does not vanish makes a level of 0.05 wrong by about a fourth of the
    squared skewness over that size, so by a twentieth of it from here on. Heavy tails without skewness make it smaller.
    """
    centred = values - values.mean()
    centred = centred / np.abs(centred).max()
    skewness = float(np.mean(centred**3)) / float(np.mean(centred**2)) ** 1.5
    return float(min(_SMALL + 100 * skewness**2, _SLOW))


def _moments(ordered: Floats) -> tuple[float, float]:
    """Mean and variance of sorted values, of a constant exactly."""
    if ordered[0] == ordered[-1]:
        return float(ordered[0]), 0.0
    return float(np.mean(ordered)), float(np.var(ordered, ddof=1))
