"""How good probabilities were, once the truth is known: AUC, Brier score, calibration."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

CALIBRATION_BINS = 10


class Calibration(NamedTuple):
    """Rows by predicted probability: bin edges, rows, mean prediction and observed rate of each bin (0.0 where empty)."""

    edges: Floats
    rows: NDArray[np.int64]
    predicted: Floats
    observed: Floats

    @property
    def error(self) -> float:
        """Expected calibration error: the distance between prediction and rate, weighted by rows."""
        total = self.rows.sum()
        return float((self.rows * np.abs(self.predicted - self.observed)).sum() / total) if total else 0.0


def auc(labels: Floats, scores: Floats) -> float | None:
    """The chance that a positive row scores above a negative one, ties counting half; None when one class is missing.

    This is the Mann-Whitney statistic: the rank sum of the positives, less its smallest possible value, over the number
    of pairs.
    """
    positive = labels > 0.5
    positives = int(positive.sum())
    negatives = len(labels) - positives
    if positives == 0 or negatives == 0:
        return None
    _, place, count = np.unique(scores, return_inverse=True, return_counts=True)
    last_rank = np.cumsum(count)
    mean_rank = last_rank - (count - 1) / 2
    rank_sum = float(mean_rank[place[positive]].sum())
    return (rank_sum - positives * (positives + 1) / 2) / (positives * negatives)


def brier(labels: Floats, probabilities: Floats) -> float:
    """Mean squared distance between probability and outcome."""
    return float(np.mean((probabilities - labels) ** 2))


def calibration(labels: Floats, probabilities: Floats, bins: int = CALIBRATION_BINS) -> Calibration:
    """Compare predicted and observed rates in `bins` equal parts of [0, 1]; a probability of 1 is in the last."""
    place = np.clip((probabilities * bins).astype(np.int64), 0, bins - 1)
    rows = np.bincount(place, minlength=bins)
    divisor: Any = np.maximum(rows, 1)
    return Calibration(
        edges=np.linspace(0.0, 1.0, bins + 1),
        rows=rows,
        predicted=np.bincount(place, weights=probabilities, minlength=bins) / divisor,
        observed=np.bincount(place, weights=labels, minlength=bins) / divisor,
    )


def error_rate(labels: Floats, scores: Floats, positive_threshold: float) -> float:
    """Share of rows whose side of the threshold is not their label."""
    return float(np.mean((scores >= positive_threshold) != (labels > 0.5)))
