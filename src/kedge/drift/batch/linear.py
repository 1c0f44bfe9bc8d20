"""A linear classifier with a margin: support vectors with squared hinge loss, by Newton's method."""

import dataclasses

import numpy as np
import numpy.typing as npt

from kedge.drift.batch.base import Floats

_STEPS, _TOLERANCE = 100, 1e-10


@dataclasses.dataclass(frozen=True)
class LinearClassifier:
    """One linear score a class: the class of the largest answers; with two classes one score is less the other.

    `weights` and `intercepts`, shapes (classes, d) and (classes,), are of columns less `mean` over `deviation`.
    """

    classes: Floats
    mean: Floats
    deviation: Floats
    weights: Floats
    intercepts: Floats

    def scores(self, rows: Floats) -> Floats:
        """Shape (n, classes)."""
        found: Floats = ((rows - self.mean) / self.deviation) @ self.weights.T + self.intercepts
        return found

    def judge(
        self, rows: Floats, labels: Floats | None
    ) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """Which rows fall into the margin, and which are given their class (none, without labels).

        The margin is where the two largest scores are at most 2 apart: with two classes, a score within -1 and 1.
        """
        scores = self.scores(rows)
        largest = np.sort(scores, axis=1)[:, -2:]
        inside = largest[:, 1] - largest[:, 0] <= 2
        if labels is None:
            return inside, np.zeros(len(rows), bool)
        return inside, self.classes[np.argmax(scores, axis=1)] == labels


def train(rows: Floats, labels: Floats, classes: Floats, penalty: float) -> LinearClassifier:
    """Learn to tell the classes, of which some may be absent from the labels, each from all others."""
    mean, deviation = rows.mean(axis=0), rows.std(axis=0)
    deviation = np.where(deviation > 1e-14 * np.abs(rows).max(axis=0), deviation, 1.0)
    scaled = np.column_stack([(rows - mean) / deviation, np.ones(len(rows))])
    asked = classes[1:] if len(classes) == 2 else classes
    found = np.array([squared_hinge(scaled, np.where(labels == each, 1.0, -1.0), penalty) for each in asked])
    if len(classes) == 2:
        found = np.vstack([-found, found])
    return LinearClassifier(classes, mean, deviation, found[:, :-1], found[:, -1])


def squared_hinge(columns: Floats, signs: Floats, penalty: float) -> Floats:
    """The minimum over v of |v|^2 / 2, its last entry apart, plus penalty sum max(0, 1 - sign column'v)^2.

    The last of the columns must be ones: its weight is the intercept, which is not shrunk. The loss is quadratic wherever
    the same rows violate the margin, so Newton steps end after a few at the exact minimum.
    """
    size = columns.shape[1]
    shrunk = np.append(np.ones(size - 1), 0.0)
    signed = columns * signs[:, None]

    def loss(at: Floats) -> float:
        short = np.maximum(0.0, 1 - signed @ at)
        return float(shrunk @ at**2 / 2 + penalty * short @ short)

    found, value = np.zeros(size), penalty * len(columns)
    for _ in range(_STEPS):
        short = np.maximum(0.0, 1 - signed @ found)
        violated = signed[short > 0]
        gradient = shrunk * found - 2 * penalty * violated.T @ short[short > 0]
        curvature = np.diag(shrunk + 1e-12) + 2 * penalty * violated.T @ violated
        step, share = np.linalg.solve(curvature, gradient), 1.0
        while (reached := loss(found - share * step)) > value - 1e-4 * share * (
            gradient @ step
        ) and share > 1e-9:
            share /= 2
        if reached >= value:
            break
        found, gained, value = found - share * step, value - reached, reached
        if gained <= _TOLERANCE * value:
            break
    return found
