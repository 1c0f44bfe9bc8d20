"""What distances between two histograms share: bins or categories, empty ones, a threshold or a p-value by relabelling."""

import abc
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from kedge.drift.batch import categories, histogram
from kedge.drift.batch.base import BatchDetector, Floats, TestResult, clean_numbers
from kedge.drift.batch.draws import seed_of
from kedge.drift.batch.ordering import Ordering
from kedge.drift.codec import Value
from kedge.drift.errors import StateError
from kedge.drift.spec import Choice, Constraint, Interval

Binning = Literal["quantile", "width", "pooled", "categories"]
Zero = Literal["floor", "smooth"]

BINNED_PARAMS: dict[str, Constraint] = {
    "threshold": Interval(float, 0, float("inf"), "neither"),
    "binning": Choice(("quantile", "width", "pooled", "categories")),
    "bins": Interval(int, 2, 1000),
    "permutations": Interval(int, 0, 1_000_000),
    "alpha": Interval(float, 0, 1, "neither"),
    "seed": Interval(int, 0, 2**32 - 1),
    "missing": Choice(("raise", "skip")),
}
ZERO_PARAMS: dict[str, Constraint] = {
    **BINNED_PARAMS,
    "zero": Choice(("floor", "smooth")),
    "floor": Interval(float, 0, 0.1, "right"),
    "pseudocount": Interval(float, 0, 100, "right"),
}
EXAMPLES: tuple[dict[str, Any], ...] = (
    {},
    {"binning": "width", "bins": 20},
    {"binning": "pooled"},
    {"binning": "categories"},
    {"permutations": 999, "seed": 7},
)
_AT_ONCE = 1_000_000


class BinnedDistance(BatchDetector):
    """Compares the shares of two histograms."""

    threshold: float
    binning: Binning
    bins: int
    permutations: int
    alpha: float
    seed: int

    def __init__(
        self,
        threshold: float = 0.1,
        *,
        binning: Binning = "quantile",
        bins: int = 10,
        permutations: int = 0,
        alpha: float = 0.05,
        seed: int = 0,
        missing: Literal["raise", "skip"] = "raise",
    ) -> None:
        self.threshold = threshold
        self.binning = binning
        self.bins = bins
        self.permutations = permutations
        self.alpha = alpha
        self.seed = seed
        self.missing = missing
        super().__init__()

    @abc.abstractmethod
    def _distance(self, p: Floats, q: Floats) -> Floats:
        """From shares p to shares q along the last axis, each summing to 1."""

    def _shares(self, counts: npt.NDArray[Any]) -> Floats:
        return np.asarray(counts / counts.sum(axis=-1, keepdims=True), np.float64)

    def _clean(self, values: npt.ArrayLike, what: str) -> npt.NDArray[Any]:
        if self.binning == "categories":
            return categories.clean_categories(values, what, self.spec.name, self.missing)
        return clean_numbers(values, what, self.spec.name, self.missing)

    def _fit(self, reference: npt.NDArray[Any]) -> dict[str, Value]:
        if self.binning == "categories":
            return categories.count(reference)
        ordered = np.sort(reference)
        if self._bins_both:
            return {"sorted": ordered}
        edges = self._edges(ordered)
        return {"edges": edges, "counts": histogram.count_sorted(ordered, edges)}

    @property
    def _bins_both(self) -> bool:
        """Whether the window makes the bins too.

        For a p-value it must: splitting the values otherwise leaves the reference in bins that another sample made, while
        the one observed lies in its own, and steady windows alarm more often than `alpha`.
        """
        return self.binning == "pooled" or (self.permutations > 0 and self.binning != "categories")

    def _known(self, values: dict[str, Value]) -> dict[str, Value]:
        if self._bins_both and "sorted" not in values:  # of a time when the reference alone made the bins
            raise StateError(
                f"{self.spec.name}: the state keeps the reference's bins alone, which give no sound p-value: fit it anew"
            )
        return values

    def _edges(self, ordered: Floats) -> Floats:
        """Bins made from these sorted values: the reference's, or those of both samples."""
        if self.binning == "width":
            edges = histogram.width_edges(float(ordered[0]), float(ordered[-1]), self.bins)
            if edges.size > 2:
                return edges  # else a constant: below it, at it, above it
        return histogram.quantile_edges(ordered, self.bins)

    def _edges_of_both(self, reference: Floats, window: Floats) -> Floats:
        """Bins made from two sorted samples together."""
        if self.binning == "pooled":
            low, high = min(reference[0], window[0]), max(reference[-1], window[-1])
            return histogram.width_edges(float(low), float(high), self.bins)
        # Stable, because that sort merges what is in order already.
        return self._edges(np.sort(np.concatenate([reference, window]), kind="stable"))

    def _test(self, window: npt.NDArray[Any]) -> TestResult:
        if self.binning == "categories":
            return self._judge(*categories.common(self._fitted, window))
        if self._bins_both:
            return self._compare_sorted(self._fitted["sorted"], np.sort(window))
        edges, before = self._fitted["edges"], self._fitted["counts"]
        return self._judge(tuple(edges.tolist()), before, histogram.count(window, edges))

    def compare(self, ordering: Ordering) -> TestResult:
        """Judge an ordering of numbers made elsewhere, so that several detectors share one; needs no `fit`."""
        return self._compare_sorted(ordering.reference, ordering.window)

    def _compare_sorted(self, reference: Floats, window: Floats) -> TestResult:
        edges = self._edges_of_both(reference, window) if self._bins_both else self._edges(reference)
        before, after = (histogram.count_sorted(each, edges) for each in (reference, window))
        return self._judge(tuple(edges.tolist()), before, after)

    def _judge(
        self,
        bins: tuple[float, ...] | tuple[str, ...],
        before: histogram.Counts,
        after: histogram.Counts,
    ) -> TestResult:
        statistic = float(self._distance(self._shares(before), self._shares(after)))
        p_value = self._p_value(statistic, before, after) if self.permutations else None
        level = float(self.threshold if p_value is None else self.alpha)
        return TestResult(
            detector=self.spec.name,
            statistic=statistic,
            threshold=level,
            drift=statistic >= level if p_value is None else p_value < level,
            n_reference=int(before.sum()),
            n=int(after.sum()),
            p_value=p_value,
            method=self.binning if p_value is None else f"{self.binning}, permutation",
            bins=bins,
            reference_counts=tuple(before.tolist()),
            counts=tuple(after.tolist()),
        )

    def _p_value(self, statistic: float, before: histogram.Counts, after: histogram.Counts) -> float:
        """The share of relabellings, this one among them, whose distance is no smaller (Phipson and Smyth 2010)."""
        generator, both = np.random.default_rng(seed_of(self.seed, before, after)), before + after
        found, left = 0, self.permutations
        while left:
            drawn = min(left, max(_AT_ONCE // both.size, 1))
            window = generator.multivariate_hypergeometric(both, int(after.sum()), drawn, method="marginals")
            distances = self._distance(self._shares(both - window), self._shares(window))
            found += int((distances >= statistic - 1e-12).sum())
            left -= drawn
        return (found + 1) / (self.permutations + 1)


class FlooredDistance(BinnedDistance):
    """A distance that an empty bin would make infinite."""

    zero: Zero
    floor: float
    pseudocount: float

    def __init__(
        self,
        threshold: float = 0.1,
        *,
        binning: Binning = "quantile",
        bins: int = 10,
        zero: Zero = "floor",
        floor: float = 0.0001,
        pseudocount: float = 0.5,
        permutations: int = 0,
        alpha: float = 0.05,
        seed: int = 0,
        missing: Literal["raise", "skip"] = "raise",
    ) -> None:
        self.zero = zero
        self.floor = floor
        self.pseudocount = pseudocount
        super().__init__(
            threshold,
            binning=binning,
            bins=bins,
            permutations=permutations,
            alpha=alpha,
            seed=seed,
            missing=missing,
        )

    def _shares(self, counts: npt.NDArray[Any]) -> Floats:
        if self.zero == "smooth":
            return super()._shares(counts + self.pseudocount)
        return super()._shares(np.maximum(super()._shares(counts), self.floor))
