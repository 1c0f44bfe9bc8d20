"""Population stability index: a symmetric divergence between two histograms."""

from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from kedge.drift.batch import categories, histogram
from kedge.drift.batch.base import BatchDetector, TestResult, clean_numbers
from kedge.drift.codec import Value
from kedge.drift.spec import Choice, DetectorSpec, Interval


class PopulationStabilityIndex(BatchDetector):
    """How far have the shares of the reference's bins shifted?

    PSI = sum over bins of (q - p) ln(q / p), with p the reference's shares and q the window's. It is an effect size: it
    does not grow with the number of values, and has no p-value. By custom, below 0.1 is stable and above 0.2 a shift.

    Parameters
    ----------
    threshold : float > 0, default 0.2
        Larger values ask for larger shifts.
    binning : "quantile", "width" or "categories", default "quantile"
        Bins of equal mass in the reference, bins of equal width over its range, or one bin a category. The outermost
        numeric bins are open. Quantiles resist outliers; a value that fills more than a bin becomes a bin of its own.
    bins : int in [2, 1000], default 10
        Numeric bins. More bins see finer shifts, need more values, and give larger PSI by chance: about
        (bins - 1) (1/n + 1/m).
    floor : float in (0, 0.1], default 0.0001
        Least share of a bin: an empty bin counts as this share, on either side. Smaller values weigh empty bins more.
    missing : "raise" or "skip", default "raise"
        What NaN, infinities and, among categories, None do.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> detector = PopulationStabilityIndex().fit(rng.normal(0, 1, 5000))
    >>> result = detector.test(rng.normal(0.6, 1, 5000))
    >>> result.drift, round(result.statistic, 2)
    (True, 0.36)

    References
    ----------
    Siddiqi (2006), Credit Risk Scorecards, chapter 6; Yurdakul (2018), Statistical properties of population stability
    index (for its size by chance).
    """

    spec: ClassVar[DetectorSpec] = DetectorSpec(
        name="PopulationStabilityIndex",
        mode="batch",
        input="real",
        direction="both",
        params={
            "threshold": Interval(float, 0, float("inf"), "neither"),
            "binning": Choice(("quantile", "width", "categories")),
            "bins": Interval(int, 2, 1000),
            "floor": Interval(float, 0, 0.1, "right"),
            "missing": Choice(("raise", "skip")),
        },
        paper="Siddiqi 2006",
        equations="sum (q - p) ln(q / p), shares floored",
        false_alarms="none: a threshold on the effect",
        cost="O(n log bins) a window",
        threshold="threshold",
        stricter="larger",
        libraries=("Frouros", "Evidently"),
        examples=({}, {"binning": "width", "bins": 20, "floor": 0.001}, {"binning": "categories"}),
    )

    def __init__(
        self,
        threshold: float = 0.2,
        *,
        binning: Literal["quantile", "width", "categories"] = "quantile",
        bins: int = 10,
        floor: float = 0.0001,
        missing: Literal["raise", "skip"] = "raise",
    ) -> None:
        self.threshold = threshold
        self.binning = binning
        self.bins = bins
        self.floor = floor
        self.missing = missing
        super().__init__()

    def _clean(self, values: npt.ArrayLike, what: str) -> npt.NDArray[Any]:
        if self.binning == "categories":
            return categories.clean_categories(values, what, self.spec.name, self.missing)
        return clean_numbers(values, what, self.spec.name, self.missing)

    def _fit(self, reference: npt.NDArray[Any]) -> dict[str, Value]:
        if self.binning == "categories":
            return categories.count(reference)
        if self.binning == "quantile":
            edges = histogram.quantile_edges(np.sort(reference), self.bins)
        else:
            edges = histogram.width_edges(float(reference.min()), float(reference.max()), self.bins)
            if edges.size < 3:  # a constant: below it, at it, above it
                edges = histogram.quantile_edges(reference, self.bins)
        return {"edges": edges, "counts": histogram.count(reference, edges)}

    def _test(self, window: npt.NDArray[Any]) -> TestResult:
        bins: tuple[float, ...] | tuple[str, ...]
        if self.binning == "categories":
            bins, before, after = categories.common(self._fitted, window)
        else:
            edges, before = self._fitted["edges"], self._fitted["counts"]
            bins, after = tuple(edges.tolist()), histogram.count(window, edges)
        statistic = index(before, after, self.floor)
        return TestResult(
            detector=self.spec.name,
            statistic=statistic,
            threshold=float(self.threshold),
            drift=statistic >= self.threshold,
            n_reference=self._n_reference,
            n=window.size,
            method=self.binning,
            bins=bins,
            reference_counts=tuple(before.tolist()),
            counts=tuple(after.tolist()),
        )


def index(before: histogram.Counts, after: histogram.Counts, floor: float) -> float:
    """PSI of two histograms on the same bins."""
    p = np.maximum(before / before.sum(), floor)
    q = np.maximum(after / after.sum(), floor)
    return float(np.sum((q - p) * np.log(q / p)))
