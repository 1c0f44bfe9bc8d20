"""Maximum mean discrepancy."""

from typing import ClassVar, Literal

import numpy as np

from kedge.drift.batch import pairwise
from kedge.drift.batch.base import Floats, TestResult
from kedge.drift.batch.vectors import (
    NARROWEST,
    VectorDetector,
    assignments,
    generator,
    permutation_p_value,
    require_attainable,
)
from kedge.drift.spec import Choice, DetectorSpec, Interval, OrNone


class MMD(VectorDetector):
    """Do the rows of window and reference come from the same distribution, whatever differs about it?

    The statistic is the unbiased estimate of the squared distance between the mean embeddings of both samples under a
    Gaussian kernel; it may be slightly negative. Kernel values are made and used block by block, once for all permutations
    together: memory stays a few tens of MB for any number of rows.

    Parameters
    ----------
    alpha : float in (0, 1), default 0.05
        Chance of a false alarm on one window. Larger values find smaller changes.
    bandwidth : float >= 1e-50 or None, default None
        The kernel is exp(-|x - y|^2 / (2 bandwidth^2)), in the unit of the columns. Larger values see coarser differences.
        None: the median distance between the rows of both samples (of 2,000 of them where there are more). Columns of
        different units should be scaled before.
    estimate : "quadratic" or "linear", default "quadratic"
        "quadratic" compares all pairs, at O(n^2), with a permutation p-value. "linear" compares n / 2 disjoint pairs at
        O(n), with a normal p-value: for very many rows, and much less powerful on the same rows.
    permutations : int in [1, 100000], default 100
        Draws of the permutation test. The p-value is (1 + draws that reach the statistic) / (1 + permutations): more
        permutations tell smaller p-values. At least 1 / alpha.
    seed : int in [0, 2**63), default 0
        Of the permutations, and of the pairs of the linear estimate.
    missing : "raise" or "skip", default "raise"
        What rows with NaN or infinities do.

    Raises
    ------
    ParameterError
        An argument breaks its rule, or with so few permutations no p-value could be below alpha.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> detector = MMD().fit(rng.normal(0, 1, (300, 5)))
    >>> result = detector.test(rng.normal(0.3, 1, (200, 5)))
    >>> result.drift, round(result.statistic, 4), round(result.p_value, 3)
    (True, 0.0363, 0.01)

    References
    ----------
    Gretton, Borgwardt, Rasch, Schoelkopf, Smola (2012), A kernel two-sample test, JMLR 13: lemma 6 (quadratic), lemma 14
    (linear), section 8 (median heuristic).
    """

    least: ClassVar[int] = 4
    spec: ClassVar[DetectorSpec] = DetectorSpec(
        name="MMD",
        mode="batch",
        input="vector",
        direction="both",
        params={
            "alpha": Interval(float, 0, 1, "neither"),
            "bandwidth": OrNone(Interval(float, NARROWEST, float("inf"), "left")),
            "estimate": Choice(("quadratic", "linear")),
            "permutations": Interval(int, 1, 100_000),
            "seed": Interval(int, 0, 2**63, "left"),
            "missing": Choice(("raise", "skip")),
        },
        paper="Gretton et al. 2012",
        equations="lemma 6: mean k(x, x') + mean k(y, y') - 2 mean k(x, y), Gaussian kernel; lemma 14",
        false_alarms="alpha a window (exact by permutation; linear: asymptotic)",
        cost="O((n + m)^2 (d + permutations)) a window, memory O(block^2); linear: O((n + m) d)",
        libraries=("Alibi Detect", "TorchDrift", "Frouros", "Evidently (one column)"),
        examples=(
            {},
            {"bandwidth": 2.0, "permutations": 400, "alpha": 0.01, "seed": 3},
            {"estimate": "linear"},
        ),
        expected_failures={
            "the_same_sample_is_at_no_distance": "the unbiased estimate is negative there, the linear one a random number"
        },
    )

    def __init__(
        self,
        alpha: float = 0.05,
        *,
        bandwidth: float | None = None,
        estimate: Literal["quadratic", "linear"] = "quadratic",
        permutations: int = 100,
        seed: int = 0,
        missing: Literal["raise", "skip"] = "raise",
    ) -> None:
        self.alpha = alpha
        self.bandwidth = bandwidth
        self.estimate = estimate
        self.permutations = permutations
        self.seed = seed
        self.missing = missing
        super().__init__()
        if estimate == "quadratic":  # the linear one draws none
            require_attainable(self.spec.name, alpha, permutations)

    def _compare(self, reference: Floats, window: Floats) -> TestResult:
        both = np.concatenate([reference, window])
        bandwidth = self.bandwidth or pairwise.median_distance(both, self.seed)
        if self.estimate == "linear":
            statistic, p_value = linear_time(
                reference, window, bandwidth, generator(self.seed, reference, window)
            )
            method = f"linear, normal, bandwidth {bandwidth:.6g}"
        else:
            groups = assignments(
                len(reference), len(both), self.permutations, generator(self.seed, reference, window)
            )
            sums = pairwise.group_sums(pairwise.gaussian(both, bandwidth), groups)
            found = unbiased(sums, len(reference), len(window))
            statistic, p_value = float(found[0]), permutation_p_value(found)
            method = f"quadratic, {self.permutations} permutations, bandwidth {bandwidth:.6g}"
        return self._significant(statistic, p_value, self.alpha, len(window), method)


def unbiased(sums: pairwise.GroupSums, first: int, second: int) -> Floats:
    """The unbiased estimates of squared MMD from kernel sums, one a grouping into `first` and `second` rows."""
    within = sums.first / (first * (first - 1)) + sums.second / (second * (second - 1))
    estimates: Floats = within - 2 * sums.between / (first * second)
    return estimates


def linear_time(
    reference: Floats, window: Floats, bandwidth: float, seed: int | np.random.Generator
) -> tuple[float, float]:
    """The linear-time estimate over disjoint pairs, in an order drawn by seed, and its one-sided normal p-value."""
    from scipy import special  # imported with the first p-value

    rng = np.random.default_rng(seed)
    pairs = min(len(reference), len(window)) // 2
    drawn = [rng.permutation(rows)[: 2 * pairs] for rows in (reference, window)]
    (x, other_x), (y, other_y) = [(rows[:pairs], rows[pairs:]) for rows in drawn]

    def kernel(a: Floats, b: Floats) -> Floats:
        values: Floats = np.exp(-np.sum(((a - b) / bandwidth) ** 2, axis=1) / 2)
        return values

    terms = kernel(x, other_x) + kernel(y, other_y) - kernel(x, other_y) - kernel(other_x, y)
    mean, error = float(terms.mean()), float(terms.std(ddof=1)) / np.sqrt(pairs)
    if error == 0:  # all terms alike: two constants, either the same or not
        return mean, 0.0 if mean > 0 else 1.0
    return mean, float(special.ndtr(-mean / error))
