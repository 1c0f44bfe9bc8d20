"""Chi-square test of homogeneity for categories."""

from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from kedge.drift.batch.base import BatchDetector, TestResult
from kedge.drift.batch.categories import clean_categories, common, count
from kedge.drift.codec import Value
from kedge.drift.spec import Choice, DetectorSpec, Interval


class ChiSquare(BatchDetector):
    """Do categories occur as often in the window as in the reference?

    Pearson's statistic on the 2 x k table of counts. Categories that only one side has are columns like any other: a
    category that the reference never had raises the statistic and adds a degree of freedom. Categories are text, integers
    or booleans and are compared by their text: 1, 1.0 and "1" are the same.

    Parameters
    ----------
    alpha : float in (0, 1), default 0.05
        Chance of a false alarm on one window. Larger values find smaller changes; with tens of thousands of values any
        trifle is significant, so judge an effect size too.
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
    Pearson (1900), On the criterion ..., Philosophical Magazine 50; no continuity correction.
    """

    spec: ClassVar[DetectorSpec] = DetectorSpec(
        name="ChiSquare",
        mode="batch",
        input="categorical",
        direction="both",
        params={"alpha": Interval(float, 0, 1, "neither"), "missing": Choice(("raise", "skip"))},
        paper="Pearson 1900",
        equations="sum (observed - expected)^2 / expected over the 2 x k table, k - 1 degrees of freedom",
        false_alarms="alpha a window, while expected counts are about 5 or more",
        cost="O(n + k log k) a window of n values, k categories",
        threshold="alpha",
        stricter="smaller",
        libraries=("Alibi Detect", "Frouros", "Evidently", "NannyML"),
        examples=({}, {"alpha": 0.001}),
    )

    def __init__(self, alpha: float = 0.05, *, missing: Literal["raise", "skip"] = "raise") -> None:
        self.alpha = alpha
        self.missing = missing
        super().__init__()

    def _clean(self, values: npt.ArrayLike, what: str) -> npt.NDArray[Any]:
        return clean_categories(values, what, self.spec.name, self.missing)

    def _fit(self, reference: npt.NDArray[Any]) -> dict[str, Value]:
        return count(reference)

    def _test(self, window: npt.NDArray[Any]) -> TestResult:
        from scipy import special  # imported with the first p-value

        names, before, after = common(self._fitted, window)
        table = np.array([before, after], np.float64)
        expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()
        statistic = float(np.sum((table - expected) ** 2 / expected))
        p_value = float(special.chdtrc(len(names) - 1, statistic)) if len(names) > 1 else 1.0
        return TestResult(
            detector=self.spec.name,
            statistic=statistic,
            threshold=float(self.alpha),
            drift=p_value < self.alpha,
            n_reference=self._n_reference,
            n=window.size,
            p_value=p_value,
            method="asymptotic",
            bins=names,
            reference_counts=tuple(before.tolist()),
            counts=tuple(after.tolist()),
        )
