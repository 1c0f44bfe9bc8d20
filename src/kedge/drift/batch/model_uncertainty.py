"""Drift of how sure a model is."""

from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

from kedge.drift.batch.base import BatchDetector, Floats, TestResult
from kedge.drift.batch.kolmogorov_smirnov import KolmogorovSmirnov
from kedge.drift.batch.vectors import clean_rows
from kedge.drift.codec import Value
from kedge.drift.errors import DataError
from kedge.drift.spec import Choice, DetectorSpec, Interval


class ModelUncertainty(BatchDetector):
    """Is the model as sure of its answers as it was: do inputs drift where it matters to the model?

    Takes what the model answers, not its inputs: the classes' probabilities, or the predictions of an ensemble (or of
    dropout passes) for a regression. Each row becomes one number, how unsure it is, and these numbers are compared by the
    two-sample Kolmogorov-Smirnov test. Changes that leave the model's certainty alone are not seen.

    Parameters
    ----------
    alpha : float in (0, 1), default 0.05
        Chance of a false alarm on one window. Larger values find smaller changes.
    uncertainty : "entropy", "margin" or "deviation", default "entropy"
        Of rows of probabilities, their entropy in nats, or one less the gap between the two largest; of rows of predictions
        of one quantity, their standard deviation.
    missing : "raise" or "skip", default "raise"
        What rows with NaN or infinities do.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> sure, unsure = rng.beta(1, 9, 300), rng.beta(3, 5, 200)
    >>> detector = ModelUncertainty().fit(np.column_stack([sure, 1 - sure]))
    >>> detector.test(np.column_stack([unsure, 1 - unsure])).drift
    True

    References
    ----------
    Sethi and Kantardzic (2017), On the reliable detection of concept drift from streaming unlabeled data, for margins;
    Lakshminarayanan et al. (2017), Simple and scalable predictive uncertainty estimation, for ensembles; Smirnov (1939).
    """

    spec: ClassVar[DetectorSpec] = DetectorSpec(
        name="ModelUncertainty",
        mode="batch",
        input="probabilities",
        direction="both",
        params={
            "alpha": Interval(float, 0, 1, "neither"),
            "uncertainty": Choice(("entropy", "margin", "deviation")),
            "missing": Choice(("raise", "skip")),
        },
        paper="Sethi and Kantardzic 2017; Smirnov 1939",
        equations="D = sup |F_reference - F_window| of -sum p ln p, 1 - (p1 - p2), or the deviation",
        false_alarms="alpha a window",
        cost="O(n (d + log(n m))) a window",
        libraries=("Alibi Detect",),
        examples=({}, {"uncertainty": "margin", "alpha": 0.01}, {"uncertainty": "deviation"}),
    )

    def __init__(
        self,
        alpha: float = 0.05,
        *,
        uncertainty: Literal["entropy", "margin", "deviation"] = "entropy",
        missing: Literal["raise", "skip"] = "raise",
    ) -> None:
        self.alpha = alpha
        self.uncertainty = uncertainty
        self.missing = missing
        super().__init__()

    def _clean(self, values: npt.ArrayLike, what: str) -> Floats:
        rows = clean_rows(values, what, self.spec.name, self.missing, 1)
        if rows.shape[1] < 2:
            raise DataError(f"{self.spec.name}: the {what} must have at least 2 columns, got {rows.shape[1]}")
        if self.uncertainty != "deviation":
            bad = (rows < 0).any(axis=1) | (np.abs(rows.sum(axis=1) - 1) > 1e-3)
            if bad.any():
                raise DataError(
                    f"{self.spec.name}: row {int(np.argmax(bad))} of the {what} must be probabilities that sum to 1; "
                    "or construct with uncertainty='deviation'"
                )
        return rows

    def _fit(self, reference: Floats) -> dict[str, Value]:
        columns = np.array([reference.shape[1]], np.int64)
        return {"uncertainties": np.sort(uncertainties(reference, self.uncertainty)), "columns": columns}

    def _test(self, window: Floats) -> TestResult:
        columns = int(self._fitted["columns"][0])
        if window.shape[1] != columns:
            raise DataError(
                f"{self.spec.name}: the window must have the reference's {columns} columns, got {window.shape[1]}"
            )
        test = KolmogorovSmirnov(alpha=self.alpha).fit(self._fitted["uncertainties"])
        found = test.test(uncertainties(window, self.uncertainty))
        return TestResult(
            detector=self.spec.name,
            statistic=found.statistic,
            threshold=found.threshold,
            drift=found.drift,
            n_reference=found.n_reference,
            n=found.n,
            p_value=found.p_value,
            method=f"{self.uncertainty}, {found.method}",
            bins=found.bins,
            reference_counts=found.reference_counts,
            counts=found.counts,
        )


def uncertainties(rows: Floats, kind: str) -> Floats:
    """How unsure each row is."""
    found: Floats
    if kind == "entropy":
        found = -np.sum(rows * np.log(np.where(rows > 0, rows, 1.0)), axis=1)
    elif kind == "margin":
        largest = np.sort(rows, axis=1)[:, -2:]
        found = 1 - (largest[:, 1] - largest[:, 0])
    else:
        found = rows.std(axis=1)
    return found
