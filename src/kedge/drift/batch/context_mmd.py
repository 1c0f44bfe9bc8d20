"""Context-aware maximum mean discrepancy."""

from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

from kedge.drift.batch import conditional, pairwise
from kedge.drift.batch.base import Floats, TestResult
from kedge.drift.batch.vectors import (
    NARROWEST,
    VectorDetector,
    generator,
    permutation_p_value,
    require_attainable,
)
from kedge.drift.errors import DataError
from kedge.drift.spec import Choice, DetectorSpec, Interval, OrNone

_EXCHANGED = 2.0
"""A draw that gives fewer rows than this, on average, to the other sample is hardly another one."""


class ContextMMD(VectorDetector):
    """Do rows differ from those that had the same context, where the contexts themselves may change?

    The last `context` columns are the context: whatever is allowed to change (season, site, the share of a group). The
    others are compared given the context. At some contexts of the window, held out for that, the mean embeddings of both
    samples given the context are estimated by kernel ridge regression; the statistic is the mean of their squared
    distances. P-values are drawn from windows as they would be if only the contexts differed: each row is assigned to the
    window anew with the chance that rows of its context have to be in it, by a kernel logistic regression. Where the
    window's contexts are none of the reference's, nothing can be compared and nothing is found; the result's `method` then
    says so.

    Parameters
    ----------
    alpha : float in (0, 1), default 0.05
        Chance of a false alarm on one window. Larger values find smaller changes.
    context : int in [1, 1000], default 1
        So many last columns are the context. At least one column must be left.
    bandwidth : float >= 1e-50 or None, default None
        Of the rows' kernel exp(-|x - y|^2 / (2 bandwidth^2)), in the unit of the columns. Larger values see coarser
        differences. None: the median distance between the rows of both samples.
    context_bandwidth : float >= 1e-50 or None, default None
        Of the contexts' kernel. Larger values let rows of more different contexts be compared. None: the median distance.
    ridge : float in [1e-9, 1e6] or None, default None
        Regularisation of the conditional means: an own kernel value counts 1 + n ridge. Larger values smooth more over the
        contexts. None: of 1, 1/4, 1/16, ..., that of the least leave-one-out error on both samples together.
    held : float in (0, 1), default 0.25
        Share of the window whose contexts are compared at; these rows serve for nothing else.
    rows : int in [10, 100000], default 500
        Of either sample so many rows are used, drawn where there are more: the cost grows with their cube.
    permutations : int in [1, 100000], default 100
        Draws of windows. More permutations tell smaller p-values. At least 1 / alpha.
    seed : int in [0, 2**63), default 0
        Of all draws.
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
    >>> def rows(season, change=0.0):
    ...     return np.column_stack([season + change + rng.normal(0, 0.5, season.size), season])
    >>> detector = ContextMMD().fit(rows(rng.uniform(0, 4, 300)))
    >>> detector.test(rows(rng.uniform(3, 4, 200))).drift  # another season, and what belongs to it
    False
    >>> detector.test(rows(rng.uniform(3, 4, 200), change=-1.0)).drift  # not what belongs to it
    True

    References
    ----------
    Cobb and Van Looveren (2022), Context-aware drift detection, ICML: section 4, the statistic MMD-ADiTT and the draws.
    Park, Shalit, Schoelkopf, Muandet (2021), Conditional distributional treatment effect with kernel conditional mean
    embeddings and U-statistic regression, ICML: the estimate at a context.
    """

    least: ClassVar[int] = 10
    spec: ClassVar[DetectorSpec] = DetectorSpec(
        name="ContextMMD",
        mode="batch",
        input="vector",
        direction="both",
        params={
            "alpha": Interval(float, 0, 1, "neither"),
            "context": Interval(int, 1, 1000),
            "bandwidth": OrNone(Interval(float, NARROWEST, float("inf"), "left")),
            "context_bandwidth": OrNone(Interval(float, NARROWEST, float("inf"), "left")),
            "ridge": OrNone(Interval(float, 1e-9, 1e6)),
            "held": Interval(float, 0, 1, "neither"),
            "rows": Interval(int, 10, 100_000),
            "permutations": Interval(int, 1, 100_000),
            "seed": Interval(int, 0, 2**63, "left"),
            "missing": Choice(("raise", "skip")),
        },
        paper="Cobb and Van Looveren 2022",
        equations="mean over held out contexts c of |sum a_i(c) k(x_i, .) - sum b_j(c) k(y_j, .)|^2, "
        "a(c) = (L + n ridge I)^-1 l(c)",
        false_alarms="alpha a window given the context (as near as the chances, a logistic regression, are to the true)",
        cost="O(permutations rows^3) a window, memory O(rows^2)",
        libraries=("Alibi Detect",),
        examples=({}, {"ridge": 0.01, "held": 0.4, "permutations": 400, "alpha": 0.01, "seed": 3}),
        expected_failures={
            "a_constant_that_moves_is_found": "its context moves too, and is none of the reference's",
            "a_rare_value_that_becomes_common_is_found": "only the context becomes common: that may change",
            "the_same_sample_is_at_no_distance": "the rows held out are missing from the window",
        },
    )

    def __init__(
        self,
        alpha: float = 0.05,
        *,
        context: int = 1,
        bandwidth: float | None = None,
        context_bandwidth: float | None = None,
        ridge: float | None = None,
        held: float = 0.25,
        rows: int = 500,
        permutations: int = 100,
        seed: int = 0,
        missing: Literal["raise", "skip"] = "raise",
    ) -> None:
        self.alpha = alpha
        self.context = context
        self.bandwidth = bandwidth
        self.context_bandwidth = context_bandwidth
        self.ridge = ridge
        self.held = held
        self.rows = rows
        self.permutations = permutations
        self.seed = seed
        self.missing = missing
        super().__init__()
        require_attainable(self.spec.name, alpha, permutations)

    def _clean(self, values: npt.ArrayLike, what: str) -> Floats:
        cleaned = super()._clean(values, what)
        if cleaned.shape[1] <= self.context:
            raise DataError(
                f"{self.spec.name}: the {what} must have at least {self.context + 1} columns, of which the last "
                f"{self.context} are the context, got {cleaned.shape[1]}"
            )
        return cleaned

    def _compare(self, reference: Floats, window: Floats) -> TestResult:
        rng = generator(self.seed, reference, window)
        before, after = (
            each[np.sort(rng.permutation(len(each))[: self.rows])] for each in (reference, window)
        )
        apart = np.zeros(len(after), bool)
        apart[rng.permutation(len(after))[: min(len(after) - 2, max(1, round(self.held * len(after))))]] = (
            True
        )
        # Rows of either sample, then those of which only the context counts.
        both = np.concatenate([before, after[~apart], after[apart]])
        size, first = len(both) - int(apart.sum()), len(before)
        values, contexts = both[:size, : -self.context], both[:, -self.context :]
        widths = [
            self.bandwidth or pairwise.median_distance(values, self.seed),
            self.context_bandwidth or pairwise.median_distance(contexts[:size], self.seed),
        ]
        kernel = pairwise.all_pairs(pairwise.gaussian(values, widths[0]), size)
        of_contexts = pairwise.all_pairs(pairwise.gaussian(contexts, widths[1]), len(both))
        own, held = of_contexts[:size, :size], of_contexts[:size, size:]
        spectrum = conditional.spectrum(own)
        ridge = self.ridge or conditional.chosen_ridge(kernel, spectrum)
        observed = np.arange(size) >= first
        chances = conditional.propensities(spectrum, observed, self.seed)
        drawn = [observed, *(_assigned(chances, rng) for _ in range(self.permutations))]
        found = np.array([conditional.discrepancy(kernel, own, held, each, ridge) for each in drawn])
        method = (
            f"{self.permutations} draws given the context, bandwidths {widths[0]:.6g} and {widths[1]:.6g}, "
            f"ridge {ridge:.6g}"
        )
        if np.where(observed, 1 - chances, chances).sum() < _EXCHANGED:
            method += "; the contexts of the two samples lie apart: nothing could be compared"
        return self._significant(found[0], permutation_p_value(found), self.alpha, len(window), method)


def _assigned(chances: Floats, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Which rows are of the window in one draw; at least two of either sample."""
    while True:
        drawn: npt.NDArray[np.bool_] = rng.random(len(chances)) < chances
        if 2 <= drawn.sum() <= len(drawn) - 2:
            return drawn
