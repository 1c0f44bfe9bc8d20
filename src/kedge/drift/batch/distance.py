"""What distances between distribution functions share: a threshold, or a p-value by drawn splits."""

import abc
from typing import ClassVar, Literal

import numpy as np

from kedge.drift.batch.base import Floats
from kedge.drift.batch.ordered import OrderedDetector, Outcome
from kedge.drift.batch.ordering import Ordering
from kedge.drift.spec import Choice, Constraint, Interval

DISTANCE_PARAMS: dict[str, Constraint] = {
    "threshold": Interval(float, 0, float("inf"), "neither"),
    "norm": Choice(("reference", "none")),
    "permutations": Interval(int, 0, 1_000_000),
    "alpha": Interval(float, 0, 1, "neither"),
    "seed": Interval(int, 0, 2**32 - 1),
    "missing": Choice(("raise", "skip")),
}


class OrderedDistance(OrderedDetector):
    """A distance in the values' own unit, or in standard deviations of the reference."""

    measure: ClassVar[int]

    def __init__(
        self,
        threshold: float = 0.1,
        *,
        norm: Literal["reference", "none"] = "reference",
        permutations: int = 0,
        alpha: float = 0.05,
        seed: int = 0,
        missing: Literal["raise", "skip"] = "raise",
    ) -> None:
        self.threshold = threshold
        self.norm = norm
        self.permutations = permutations
        self.alpha = alpha
        self.seed = seed
        self.missing = missing
        super().__init__()

    @abc.abstractmethod
    def _unit(self, deviation: float) -> float:
        """What the distance of samples of that standard deviation is measured in."""

    def _outcome(self, ordering: Ordering) -> Outcome:
        statistic, unit = float(ordering.measures[self.measure]), "unnormed"
        if self.norm == "reference" and not ordering.constant:
            scale, unit = _scale(ordering)
            statistic /= self._unit(scale)
        if not self.permutations:
            return Outcome(statistic, None, unit)
        p_value = 1.0 if ordering.constant else ordering.permuted(self.measure, self.permutations, self.seed)
        return Outcome(statistic, p_value, "permutation")


def _scale(ordering: Ordering) -> tuple[float, str]:
    """A standard deviation, and whose it is: a constant reference has none, so there both samples' together is taken."""
    if ordering.reference[0] != ordering.reference[-1]:
        return _deviation(ordering.reference), "normed by the reference"
    return _deviation(ordering.pooled), "normed by both samples"


def _deviation(ordered: Floats) -> float:
    """The standard deviation of sorted values, whose squares may lie beyond the floats."""
    peak = max(abs(float(ordered[0])), abs(float(ordered[-1])))
    unit = peak if peak >= 1e100 or 0 < peak <= 1e-100 else 1.0
    scaled = ordered / unit
    return unit * float(np.std(scaled - scaled[scaled.size // 2]))  # far from zero a mean loses digits
