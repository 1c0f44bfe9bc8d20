"""Chi-square test of homogeneity for categories."""

import functools
from typing import ClassVar, Literal

import numpy as np

from kedge.drift.batch.base import Floats
from kedge.drift.batch.ordered import Outcome
from kedge.drift.batch.tables import Counts, TableTest, drawn_p_value, sparse
from kedge.drift.spec import Choice, DetectorSpec, Interval


class ChiSquare(TableTest):
    """Do categories occur as often in the window as in the reference?

    Pearson's statistic on the 2 x k table of counts. Categories that only one side has are columns like any other: a
    category that the reference never had raises the statistic and adds a degree of freedom. Categories are text, integers
    or booleans and are compared by their text: 1, 1.0 and "1" are the same.

    The limit is a poor one where categories are rare: of a Zipf law with exponent 1.5 (a reference of 1000, windows of 50)
    27 of 100 steady windows would alarm at a level of 0.05; so "auto" draws splits of the counts there.

    Parameters
    ----------
    alpha : float in (0, 1), default 0.05
        Chance of a false alarm on one window. Larger values find smaller changes; with tens of thousands of values any
        trifle is significant, so judge an effect size too.
    method : "auto", "asymptotic" or "permutation", default "auto"
        How the p-value is had. "auto" takes the chi-square limit unless a cell expects less than 1 value or a fifth of the
        cells less than 5 (Cochran 1954): then it draws splits of the counts. "asymptotic" is SciPy's p-value at any size.
    permutations : int in [99, 1000000], default 9999
        Splits drawn. The least p-value is 1 / (permutations + 1).
    seed : int in [0, 4294967295], default 0
        Of the splits drawn: the same samples give the same p-value.
    missing : "raise" or "skip", default "raise"
        What None and NaN do.

    Examples
    --------
    >>> detector = ChiSquare().fit(["a"] * 50 + ["b"] * 50)
    >>> result = detector.test(["a"] * 30 + ["b"] * 60 + ["c"] * 10)
    >>> result.drift, round(result.statistic, 2)
    (True, 15.91)

    References
    ----------
    Pearson (1900), On the criterion ..., Philosophical Magazine 50; no continuity correction. Cochran (1954),
    Some methods for strengthening the common chi-square tests, Biometrics 10, for the rule.
    """

    spec: ClassVar[DetectorSpec] = DetectorSpec(
        name="ChiSquare",
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
        paper="Pearson 1900",
        equations="sum (observed - expected)^2 / expected over the 2 x k table, k - 1 degrees of freedom",
        false_alarms="alpha a window",
        cost="O(n + k log k) a window of n values, k categories; O(permutations min(k, n)) more where counts are small",
        threshold="alpha",
        stricter="smaller",
        libraries=("Alibi Detect", "Frouros", "Evidently", "NannyML"),
        examples=(
            {},
            {"alpha": 0.001, "method": "asymptotic"},
            {"method": "permutation", "permutations": 1999},
        ),
    )

    state_version: ClassVar[int] = 2
    older_versions: ClassVar[tuple[int, ...]] = (1,)

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

        if before.size == 1:
            return Outcome(0.0, 1.0, "exact")
        share = float(after.sum() / (before.sum() + after.sum()))
        statistic = float(_pearson(share, before, after).sum())
        if self.method == "permutation" or (self.method == "auto" and sparse(before, after)):
            cell = functools.partial(_pearson, share)
            p_value = drawn_p_value(before, after, cell, self.permutations, self.seed)
            return Outcome(statistic, p_value, "permutation")
        return Outcome(statistic, float(special.chdtrc(before.size - 1, statistic)), "asymptotic")


def _pearson(share: float, before: Counts, after: Counts) -> Floats:
    """What categories add; the reference lacks of each what the window has too many of."""
    expected = (before + after) * share
    return np.asarray((after - expected) ** 2 / (expected * (1 - share)))
