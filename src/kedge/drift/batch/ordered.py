"""What the tests that compare two sorted samples share."""

import abc
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from kedge.drift.batch.base import BatchDetector, Floats, TestResult, clean_numbers
from kedge.drift.batch.ordering import Ordering
from kedge.drift.codec import Value
from kedge.drift.errors import DataError
from kedge.drift.spec import Choice, Constraint, Interval

Method = Literal["auto", "exact", "asymptotic", "permutation"]

ENUMERATED = 10_000
MOST_ENUMERATED = 1_000_000
ASYMPTOTIC_FROM = 10

RANK_PARAMS: dict[str, Constraint] = {
    "alpha": Interval(float, 0, 1, "neither"),
    "method": Choice(("auto", "exact", "asymptotic", "permutation")),
    "permutations": Interval(int, 99, 1_000_000),
    "seed": Interval(int, 0, 2**32 - 1),
    "missing": Choice(("raise", "skip")),
}


class Outcome(NamedTuple):
    """Statistic, p-value where there is one, and how it was had."""

    statistic: float
    p_value: float | None
    method: str


class OrderedDetector(BatchDetector):
    """Keeps the reference sorted, sorts a window once, and judges both by their common ordering."""

    least: ClassVar[int] = 1

    @abc.abstractmethod
    def _outcome(self, ordering: Ordering) -> Outcome:
        """Statistic and p-value."""

    def _clean(self, values: npt.ArrayLike, what: str) -> Floats:
        numbers = clean_numbers(values, what, self.spec.name, self.missing)
        self._require_enough(numbers.size, what)
        return numbers

    def _require_enough(self, size: int, what: str) -> None:
        if size < self.least:
            raise DataError(
                f"{self.spec.name}: the {what} must hold at least {self.least} values, got {size}"
            )

    def _fit(self, reference: npt.NDArray[Any]) -> dict[str, Value]:
        return {"sorted": np.sort(reference)}

    def _test(self, window: npt.NDArray[Any]) -> TestResult:
        return self.compare(Ordering.of(self._fitted["sorted"], np.sort(window)))

    def _level(self, outcome: Outcome) -> float:
        """What the p-value, or without one the statistic, is compared with."""
        level: float = self.parameters()["threshold" if outcome.p_value is None else "alpha"]
        return float(level)

    def compare(self, ordering: Ordering) -> TestResult:
        """Judge an ordering made elsewhere, so that several detectors share one; needs no `fit`."""
        self._require_enough(ordering.reference.size, "reference")
        self._require_enough(ordering.window.size, "window")
        outcome = self._outcome(ordering)
        told = (outcome.statistic, 0.0 if outcome.p_value is None else outcome.p_value)
        if not np.isfinite(told).all():
            raise DataError(
                f"{self.spec.name}: the values lie too far apart: the statistic exceeds the floats"
            )
        level = self._level(outcome)
        bins, before, after = ordering.counts
        return TestResult(
            detector=self.spec.name,
            statistic=outcome.statistic,
            threshold=level,
            drift=outcome.statistic >= level if outcome.p_value is None else outcome.p_value < level,
            n_reference=ordering.reference.size,
            n=ordering.window.size,
            p_value=outcome.p_value,
            method=outcome.method,
            bins=bins,
            reference_counts=before,
            counts=after,
        )


class RankTest(OrderedDetector):
    """A test whose null distribution is that of relabelling the values: exactly, by drawing labels, or by a limit."""

    measure: ClassVar[int]

    def __init__(
        self,
        alpha: float = 0.05,
        *,
        method: Method = "auto",
        permutations: int = 9999,
        seed: int = 0,
        missing: Literal["raise", "skip"] = "raise",
    ) -> None:
        self.alpha = alpha
        self.method: Method = method
        self.permutations = permutations
        self.seed = seed
        self.missing = missing
        super().__init__()

    @abc.abstractmethod
    def _tail(self, ordering: Ordering) -> float:
        """The p-value for large samples."""

    def _statistic(self, ordering: Ordering) -> float:
        return float(ordering.measures[self.measure])

    def _outcome(self, ordering: Ordering) -> Outcome:
        statistic, method = self._statistic(ordering), chosen(self.method, ordering)
        if ordering.constant:
            return Outcome(0.0, 1.0, "exact")
        if method == "exact":
            return Outcome(statistic, ordering.enumerated(self.measure), method)
        if method == "permutation":
            return Outcome(statistic, ordering.permuted(self.measure, self.permutations, self.seed), method)
        return Outcome(statistic, min(max(self._tail(ordering), 0.0), 1.0), method)


def chosen(method: Method, ordering: Ordering, least: float = ASYMPTOTIC_FROM) -> Method:
    """How a p-value is had: where all splits are few, by going through them; for small samples by drawing splits.

    `least` is the size of the smaller sample from which the limit holds.
    """
    if method == "auto":
        if ordering.splits <= ENUMERATED:
            return "exact"
        return "asymptotic" if min(ordering.sizes) >= least else "permutation"
    if method == "exact" and ordering.splits > MOST_ENUMERATED:
        return "permutation"
    return method
