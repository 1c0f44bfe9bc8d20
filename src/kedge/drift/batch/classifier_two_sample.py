"""Classifier two-sample test."""

import copy
import math
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from kedge.drift.batch.base import Floats, TestResult
from kedge.drift.batch.vectors import VectorDetector
from kedge.drift.errors import DriftError
from kedge.drift.spec import Choice, DetectorSpec, Interval, Methods


class ClassifierTwoSample(VectorDetector):
    """Can a classifier tell rows of the window from rows of the reference?

    The classifier is trained on all folds but one and asked about that one, in turn. The statistic is the area under the
    ROC curve within folds, averaged: 0.5 where it can only guess, 1 where it always knows.

    Parameters
    ----------
    alpha : float in (0, 1), default 0.05
        Chance of a false alarm on one window. Larger values find smaller changes.
    estimator : object with fit(X, y) and predict_proba(X), or None, default None
        The classifier, as in scikit-learn; it is copied for every fold and never changed. Give it a fixed random state, or
        results differ from run to run. None: scikit-learn's logistic regression on standardised columns, which sees shifts
        but no change of spread. A state does not hold the estimator: give it to `from_state` again.
    folds : int in [2, 100], default 5
        More folds train on more rows, and take longer.
    seed : int in [0, 2**63), default 0
        Of the folds.
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
    (True, 0.67)

    References
    ----------
    Lopez-Paz and Oquab (2017), Revisiting classifier two-sample tests; Mann and Whitney (1947) for the p-value of the area,
    one-sided, with correction for ties.
    """

    least_rows: ClassVar[int] = 10
    spec: ClassVar[DetectorSpec] = DetectorSpec(
        name="ClassifierTwoSample",
        mode="batch",
        input="vector",
        direction="both",
        params={
            "alpha": Interval(float, 0, 1, "neither"),
            "estimator": Methods(("fit", "predict_proba")),
            "folds": Interval(int, 2, 100),
            "seed": Interval(int, 0, 2**63, "left"),
            "missing": Choice(("raise", "skip")),
        },
        paper="Lopez-Paz and Oquab 2017",
        equations="Mann-Whitney U of out-of-fold probabilities within folds",
        false_alarms="alpha a window (asymptotic)",
        cost="folds trainings a window",
        libraries=("Alibi Detect", "NannyML", "Evidently"),
        examples=({}, {"folds": 2, "alpha": 0.01, "seed": 3}),
        expected_failures={"the_same_sample_is_at_no_distance": "an area of one half is no separation"},
    )

    def __init__(
        self,
        alpha: float = 0.05,
        *,
        estimator: Any = None,
        folds: int = 5,
        seed: int = 0,
        missing: Literal["raise", "skip"] = "raise",
    ) -> None:
        self.alpha = alpha
        self.estimator = estimator
        self.folds = folds
        self.seed = seed
        self.missing = missing
        super().__init__()

    def _compare(self, reference: Floats, window: Floats) -> TestResult:
        rng = np.random.default_rng(self.seed)
        estimator = logistic_regression(self.spec.name) if self.estimator is None else self.estimator
        rows = np.concatenate([reference, window])
        labels = np.repeat([0, 1], [len(reference), len(window)])
        folds = min(self.folds, len(reference), len(window))
        fold = np.concatenate([rng.permutation(np.arange(len(each)) % folds) for each in (reference, window)])
        scores = np.empty(len(rows))
        for number in range(folds):
            # Not in blocks of one class: some learners go through rows in their order.
            train = rng.permutation(np.flatnonzero(fold != number))
            fitted = copy.deepcopy(estimator).fit(rows[train], labels[train])
            scores[fold == number] = np.asarray(fitted.predict_proba(rows[fold == number]))[:, 1]
        area, p_value = area_within_folds(scores, labels, fold)
        return self._significant(area, p_value, self.alpha, len(window), f"{folds} folds, Mann-Whitney")


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


def area_within_folds(
    scores: Floats, labels: npt.NDArray[np.int64], fold: npt.NDArray[np.int64]
) -> tuple[float, float]:
    """Area under the ROC curve over the pairs of one fold, all folds together, and its one-sided normal p-value."""
    from scipy import special, stats  # imported with the first p-value

    wins = pairs = variance = 0.0
    for number in np.unique(fold):
        mine, truth = scores[fold == number], labels[fold == number]
        ranks = stats.rankdata(mine)
        first, second = int((truth == 1).sum()), int((truth == 0).sum())
        wins += float(ranks[truth == 1].sum()) - first * (first + 1) / 2
        pairs += first * second
        _, times = np.unique(mine, return_counts=True)
        size = first + second
        ties = float(np.sum(times.astype(np.float64) ** 3 - times)) / max(size * (size - 1), 1)
        variance += first * second / 12 * (size + 1 - ties)
    if variance <= 0:
        return 0.5, 1.0
    return wins / pairs, float(special.ndtr(-(wins - pairs / 2) / math.sqrt(variance)))
