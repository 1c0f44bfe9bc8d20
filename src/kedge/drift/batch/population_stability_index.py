"""Population stability index: a symmetric divergence between two histograms."""

from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from kedge.drift.batch.base import (
    BatchDetector,
    Counts,
    Floats,
    TestResult,
    clean_labels,
    clean_numbers,
    count_categories,
)
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
        numeric bins are open. Quantiles resist outliers; repeated quantiles are merged.
    bins : int in [2, 1000], default 10
        Numeric bins. More bins see finer shifts, need more values, and give larger PSI by chance: about
        (bins - 1) (1/n + 1/m).
    floor : float in (0, 0.1], default 0.0001
        Least share of a bin: an empty bin counts as this share, on either side. Smaller values weigh empty bins more.
    missing : "raise" or "skip", default "raise"
        What NaN and infinities do (numeric binning).

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
        libraries=("Frouros", "Evidently"),
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
            return clean_labels(values, what, self.spec.name)
        return clean_numbers(values, what, self.spec.name, self.missing)

    def _fit(self, reference: npt.NDArray[Any]) -> None:
        if self.binning == "categories":
            self._labels = reference
            return
        if self.binning == "quantile":
            edges = np.unique(np.quantile(reference, np.linspace(0, 1, self.bins + 1)))
        else:
            edges = np.unique(np.linspace(reference.min(), reference.max(), self.bins + 1))
        self._edges = edges if edges.size > 1 else np.array([edges[0], np.nextafter(edges[0], np.inf)])
        self._counts = count_open(reference, self._edges)

    def _test(self, window: npt.NDArray[Any]) -> TestResult:
        bins: tuple[float, ...] | tuple[str, ...]
        if self.binning == "categories":
            bins, before, after = count_categories(self._labels, window)
        else:
            bins = tuple(float(edge) for edge in self._edges)
            before, after = self._counts, count_open(window, self._edges)
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
            reference_counts=tuple(int(count) for count in before),
            counts=tuple(int(count) for count in after),
        )


def count_open(values: Floats, edges: Floats) -> Counts:
    """Values in each of `len(edges) - 1` bins; the first and last take what lies outside."""
    place = np.searchsorted(edges[1:-1], values, side="right")
    return np.bincount(place, minlength=edges.size - 1).astype(np.int64)


def index(before: Counts, after: Counts, floor: float) -> float:
    """PSI of two histograms on the same bins."""
    p = np.maximum(before / before.sum(), floor)
    q = np.maximum(after / after.sum(), floor)
    return float(np.sum((q - p) * np.log(q / p)))
