"""Fisher's exact test, and its extension to more than two categories."""

from typing import ClassVar, Literal

import numpy as np

from kedge.drift.batch.base import Floats
from kedge.drift.batch.ordered import Outcome
from kedge.drift.batch.tables import Counts, TableTest, cramers_v, drawn_p_value, hypergeometric_p_value
from kedge.drift.spec import Choice, DetectorSpec, Interval


class FisherExact(TableTest):
    """Do categories occur as often in the window as in the reference, by a p-value that holds however few there are?

    The p-value is the chance, given how often each category occurs in both samples together, of a table no likelier than
    this one: summed over all tables for two categories ("exact"), over drawn ones for more ("permutation"). The statistic
    is Cramer's V, from 0 (equal shares) to 1 (no category in common): the p-value does not rest on it. Categories are text,
    integers or booleans and are compared by their text.

    Parameters
    ----------
    alpha : float in (0, 1), default 0.05
        Chance, at most, of a false alarm on one window. Larger values find smaller changes.
    permutations : int in [99, 1000000], default 9999
        Tables drawn where there are more than two categories. The least p-value is 1 / (permutations + 1).
    seed : int in [0, 4294967295], default 0
        Of the tables drawn: the same samples give the same p-value.
    missing : "raise" or "skip", default "raise"
        What None and NaN do.

    Examples
    --------
    >>> detector = FisherExact().fit(["yes"] * 2 + ["no"] * 10)
    >>> result = detector.test(["yes"] * 7 + ["no"] * 4)
    >>> result.drift, round(result.p_value, 4)
    (True, 0.0361)

    References
    ----------
    Fisher (1922), On the interpretation of chi-square from contingency tables; Freeman and Halton (1951), Biometrika 38,
    for more than two categories.
    """

    spec: ClassVar[DetectorSpec] = DetectorSpec(
        name="FisherExact",
        mode="batch",
        input="categorical",
        direction="both",
        params={
            "alpha": Interval(float, 0, 1, "neither"),
            "permutations": Interval(int, 99, 1_000_000),
            "seed": Interval(int, 0, 2**32 - 1),
            "missing": Choice(("raise", "skip")),
        },
        paper="Fisher 1922; Freeman and Halton 1951",
        equations="P(table) = prod (row sums)! prod (column sums)! / (N! prod cells!), summed where <= that observed",
        false_alarms="at most alpha a window",
        cost="O(n) a window of n values with two categories; O(n + permutations min(k, n)) with k",
        libraries=("Alibi Detect", "Evidently"),
        examples=({}, {"alpha": 0.001, "permutations": 1999}),
    )

    def __init__(
        self,
        alpha: float = 0.05,
        *,
        permutations: int = 9999,
        seed: int = 0,
        missing: Literal["raise", "skip"] = "raise",
    ) -> None:
        self.alpha = alpha
        self.permutations = permutations
        self.seed = seed
        self.missing = missing
        super().__init__()

    def _outcome(self, before: Counts, after: Counts) -> Outcome:
        if before.size == 1:
            return Outcome(0.0, 1.0, "exact")
        statistic = cramers_v(before, after)
        if before.size == 2:
            return Outcome(statistic, hypergeometric_p_value(before, after), "exact")
        p_value = drawn_p_value(before, after, _unlikeliness, self.permutations, self.seed)
        return Outcome(statistic, p_value, "permutation")


def _unlikeliness(before: Counts, after: Counts) -> Floats:
    """What categories add to minus the log of a table's chance, less what all tables with these sums share."""
    from scipy import special  # imported with the first p-value

    return np.asarray(special.gammaln(before + 1.0) + special.gammaln(after + 1.0), np.float64)
