"""G-test: the likelihood ratio of two samples of categories."""

import functools
from typing import ClassVar, Literal

import numpy as np

from kedge.drift.batch.base import Floats
from kedge.drift.batch.ordered import Outcome
from kedge.drift.batch.tables import Counts, TableTest, drawn_p_value, sparse
from kedge.drift.spec import Choice, DetectorSpec, Interval


class GTest(TableTest):
    """Do categories occur as often in the window as in the reference, by their likelihood?

    G is twice the log of the likelihood ratio, close to Pearson's chi-square where counts are large. Categories that only
    one side has are columns like any other. Categories are text, integers or booleans and are compared by their text.

    Parameters
    ----------
    alpha : float in (0, 1), default 0.05
        Chance of a false alarm on one window. Larger values find smaller changes; with tens of thousands of values any
        trifle is significant, so judge an effect size too.
    method : "auto", "asymptotic" or "permutation", default "auto"
        How the p-value is had. "auto" takes the chi-square limit unless a cell expects less than 1 value or a fifth of the
        cells less than 5 (Cochran 1954): then it draws splits of the counts.
    permutations : int in [99, 1000000], default 9999
        Splits drawn. The least p-value is 1 / (permutations + 1).
    seed : int in [0, 4294967295], default 0
        Of the splits drawn: the same samples give the same p-value.
    missing : "raise" or "skip", default "raise"
        What None and NaN do.

    Examples
    --------
    >>> detector = GTest().fit(["a"] * 50 + ["b"] * 50)
    >>> result = detector.test(["a"] * 30 + ["b"] * 60 + ["c"] * 10)
    >>> result.drift, round(result.statistic, 2)
    (True, 19.83)

    References
    ----------
    Sokal and Rohlf (1981), Biometry, chapter 17; Wilks (1938) for the limit; no correction.
    """

    spec: ClassVar[DetectorSpec] = DetectorSpec(
        name="GTest",
        mode="batch",
        input="categorical",
        direction="both",
        params={
            "alpha": Interval(float, 0, 1, "neither"),
            "method": Choice(("auto", "asymptotic", "permutation")),
            "permutations": Interval(int, 99, 1_000_000),
            "seed": Interval(int, 0, 2**32 - 1),
            "missing": Choice(("raise", "skip")),
        },
        paper="Wilks 1938",
        equations="G = 2 sum observed ln(observed / expected) over the 2 x k table, k - 1 degrees of freedom",
        false_alarms="alpha a window",
        cost="O(n + k log k) a window of n values, k categories; O(permutations min(k, n)) more where counts are small",
        libraries=("Evidently",),
        examples=(
            {},
            {"alpha": 0.001, "method": "asymptotic"},
            {"method": "permutation", "permutations": 1999},
        ),
    )

    def __init__(
        self,
        alpha: float = 0.05,
        *,
        method: Literal["auto", "asymptotic", "permutation"] = "auto",
        permutations: int = 9999,
        seed: int = 0,
        missing: Literal["raise", "skip"] = "raise",
    ) -> None:
        self.alpha = alpha
        self.method = method
        self.permutations = permutations
        self.seed = seed
        self.missing = missing
        super().__init__()

    def _outcome(self, before: Counts, after: Counts) -> Outcome:
        from scipy import special  # imported with the first p-value

        share = float(after.sum() / (before.sum() + after.sum()))
        statistic = float(_ratio(share, before, after).sum())
        if before.size == 1:
            return Outcome(0.0, 1.0, "exact")
        if self.method == "permutation" or (self.method == "auto" and sparse(before, after)):
            cell = functools.partial(_ratio, share)
            p_value = drawn_p_value(before, after, cell, self.permutations, self.seed)
            return Outcome(statistic, p_value, "permutation")
        return Outcome(statistic, float(special.chdtrc(before.size - 1, max(statistic, 0.0))), "asymptotic")


def _ratio(share: float, before: Counts, after: Counts) -> Floats:
    """What categories add to G; an empty cell adds nothing."""
    both = (before + after).astype(np.float64)
    return np.asarray(2 * (_row(before, both * (1 - share)) + _row(after, both * share)))


def _row(observed: Counts, cells: Floats) -> Floats:
    return np.asarray(observed * np.log(np.where(observed > 0, observed, cells) / cells))
