"""Classifier two-sample test."""

import copy
import math
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from kedge.drift.batch.base import Floats, TestResult
from kedge.drift.batch.vectors import VectorDetector, generator, trained_on
from kedge.drift.errors import DriftError
from kedge.drift.spec import Choice, DetectorSpec, Interval, Methods


class ClassifierTwoSample(VectorDetector):
    """Can a classifier tell rows of the window from rows of the reference?

    The classifier is trained on some rows of both and asked about the others. The statistic is the area under the ROC curve
    of its answers: 0.5 where it can only guess, 1 where it always knows. (Cross-validation would ask about every row, but its
    answers depend on each other: a test of them alarms two to three times as often as it says.)

    Parameters
    ----------
    alpha : float in (0, 1), default 0.05
        Chance of a false alarm on one window. Larger values find smaller changes.
    estimator : object with fit(X, y) and predict_proba(X), or None, default None
        The classifier, as in scikit-learn; it is copied for every test and never changed. Give it a fixed random state, or
        results differ from run to run. None: scikit-learn's logistic regression on standardised columns, which sees shifts
        but no change of spread. A state does not hold the estimator: give it to `from_state` again.
    train_share : float in (0, 1), default 0.5
        Share of the rows that it is trained on. Larger values make a better classifier and a coarser test.
    seed : int in [0, 2**63), default 0
        Of which rows it is trained on.
    missing : "raise" or "skip", default "raise"
        What rows with NaN or infinities do.

    Raises
    ------
    DriftError
        By `test`: the default classifier is wanted and scikit-learn is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> detector = ClassifierTwoSample().fit(rng.normal(0, 1, (300, 4)))
    >>> result = detector.test(rng.normal(0.3, 1, (200, 4)))
    >>> result.drift, round(result.statistic, 2)
    (True, 0.69)

    References
    ----------
    Lopez-Paz and Oquab (2017), Revisiting classifier two-sample tests; Mann and Whitney (1947) for the p-value of the area,
    one-sided, with correction for ties.
    """

    least: ClassVar[int] = 10
    spec: ClassVar[DetectorSpec] = DetectorSpec(
        name="ClassifierTwoSample",
        mode="batch",
        input="vector",
        direction="both",
        params={
            "alpha": Interval(float, 0, 1, "neither"),
            "estimator": Methods(("fit", "predict_proba")),
            "train_share": Interval(float, 0, 1, "neither"),
            "seed": Interval(int, 0, 2**63, "left"),
            "missing": Choice(("raise", "skip")),
        },
        paper="Lopez-Paz and Oquab 2017",
        equations="Mann-Whitney U of probabilities of rows that it was not trained on",
        false_alarms="alpha a window (asymptotic)",
        cost="one training a window",
        libraries=("Alibi Detect", "NannyML", "Evidently (texts)"),
        examples=({}, {"train_share": 0.7, "alpha": 0.01, "seed": 3}),
        expected_failures={"the_same_sample_is_at_no_distance": "an area of one half is no separation"},
    )

    def __init__(
        self,
        alpha: float = 0.05,
        *,
        estimator: Any = None,
        train_share: float = 0.5,
        seed: int = 0,
        missing: Literal["raise", "skip"] = "raise",
    ) -> None:
        self.alpha = alpha
        self.estimator = estimator
        self.train_share = train_share
        self.seed = seed
        self.missing = missing
        super().__init__()

    def _compare(self, reference: Floats, window: Floats) -> TestResult:
        rng = generator(self.seed, reference, window)
        estimator = logistic_regression(self.spec.name) if self.estimator is None else self.estimator
        rows = np.concatenate([reference, window])
        labels = np.repeat([0, 1], [len(reference), len(window)])
        trained = np.concatenate(
            [trained_on(len(each), self.train_share, rng) for each in (reference, window)]
        )
        # Not in blocks of one class: some learners go through rows in their order.
        train = rng.permutation(np.flatnonzero(trained))
        fitted = copy.deepcopy(estimator).fit(rows[train], labels[train])
        scores = np.asarray(fitted.predict_proba(rows[~trained]))[:, 1]
        area, p_value = area_under_curve(scores, labels[~trained])
        return self._significant(area, p_value, self.alpha, len(window), "Mann-Whitney of rows held out")


def logistic_regression(name: str) -> Any:
    """scikit-learn's, on standardised columns."""
    try:
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler
    except ImportError as error:
        raise DriftError(
            f"{name}: the default estimator needs scikit-learn: install it, or give an estimator of your own"
        ) from error
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))


def area_under_curve(scores: Floats, labels: npt.NDArray[np.int64]) -> tuple[float, float]:
    """Area under the ROC curve, and its one-sided normal p-value, corrected for ties."""
    from scipy import special, stats  # imported with the first p-value

    first, second = int((labels == 1).sum()), int((labels == 0).sum())
    size = first + second
    wins = float(stats.rankdata(scores)[labels == 1].sum()) - first * (first + 1) / 2
    _, times = np.unique(scores, return_counts=True)
    ties = float(np.sum(times.astype(np.float64) ** 3 - times)) / max(size * (size - 1), 1)
    variance = first * second / 12 * (size + 1 - ties)
    if variance <= 0:
        return 0.5, 1.0
    pairs = first * second
    return wins / pairs, float(special.ndtr(-(wins - pairs / 2) / math.sqrt(variance)))
