"""Two samples sorted into one: what every test of ranks and distribution functions needs, made once."""

import dataclasses
import functools
import math
from importlib import import_module
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from kedge.drift.batch import histogram
from kedge.drift.batch.draws import seed_of
from kedge.drift.kernels.layout import MANN_WHITNEY, MEASURES, TIES

Floats = npt.NDArray[np.float64]

_ALMOST_CONTINUOUS = 1e-4


@functools.cache
def _kernel() -> Any:
    return import_module("kedge.drift.kernels.ordering")  # brings numba, a second, at the first test


@dataclasses.dataclass(frozen=True, eq=False)
class Ordering:
    """Sorted samples, all their values sorted, and whose each is (1 the reference's, 0 the window's)."""

    reference: Floats
    window: Floats
    pooled: Floats
    labels: npt.NDArray[np.uint8]
    measures: Floats

    @classmethod
    def of(cls, reference: Floats, window: Floats) -> Self:
        """The ordering of two sorted samples, with every statistic that it gives."""
        size = reference.size + window.size
        pooled, labels, measures = np.empty(size), np.empty(size, np.uint8), np.zeros(MEASURES)
        _kernel().merge(reference, window, pooled, labels)
        _kernel().measure(pooled, labels, float(reference.size), float(window.size), measures)
        return cls(reference, window, pooled, labels, measures)

    @property
    def sizes(self) -> tuple[int, int]:
        """How many values reference and window have."""
        return self.reference.size, self.window.size

    @functools.cached_property
    def splits(self) -> float:
        """In how many ways so many values could be split into samples of these sizes; infinity beyond the floats."""
        m, n = self.sizes
        if m + n <= 60:
            return float(math.comb(m + n, n))
        log = math.lgamma(m + n + 1) - math.lgamma(m + 1) - math.lgamma(n + 1)
        return math.exp(log) if log < 700 else math.inf

    @functools.cached_property
    def counts(self) -> tuple[tuple[float, ...], tuple[int, ...], tuple[int, ...]]:
        """Edges of common bins, and both samples' counts in them, for showing one over the other."""
        edges = histogram.common_edges(self.reference, self.window)
        before, after = (histogram.count_sorted(each, edges) for each in (self.reference, self.window))
        return tuple(edges.tolist()), tuple(before.tolist()), tuple(after.tolist())

    @property
    def tied(self) -> bool:
        """Whether so many values are equal that limits for continuous distributions do not hold."""
        return bool(self.measures[TIES] > _ALMOST_CONTINUOUS * float(self.pooled.size) ** 3)

    @property
    def constant(self) -> bool:
        """Whether all values are equal."""
        return bool(self.pooled[0] == self.pooled[-1])

    def cumulants(self, measure: int) -> tuple[float, float, float]:
        """The first three cumulants of that measure's limit, given which values are equal."""
        out = np.zeros(3)
        _kernel().cumulants(self.pooled, measure, out)
        return float(out[0]), float(out[1]), float(out[2])

    def enumerated(self, measure: int) -> float:
        """The share of all splits whose measure is at least as extreme as this one: the exact p-value."""
        found, tried = self._extremes(measure, 0, 0)
        return found / tried

    def permuted(self, measure: int, permutations: int, seed: int) -> float:
        """The p-value by that many random splits, this one counted among them (Phipson and Smyth 2010)."""
        found, tried = self._extremes(measure, permutations, self.seed(seed))
        return (found + 1) / (tried + 1)

    def seed(self, seed: int) -> int:
        """Of draws for these samples, by whose each value is: what keeps the order of all values keeps the p-value."""
        return seed_of(seed, self.labels)

    def moderate(self) -> tuple[Floats, Floats]:
        """Both samples, scaled down where their squares would exceed the largest float."""
        largest = max(abs(float(self.pooled[0])), abs(float(self.pooled[-1])))
        if largest < 1e100:
            return self.reference, self.window
        return self.reference / largest, self.window / largest

    def _extremes(self, measure: int, drawn: int, seed: int) -> tuple[float, float]:
        observed = float(self.measures[measure])
        if measure == MANN_WHITNEY:
            observed = abs(observed - 0.5 * self.reference.size * self.window.size)
        found, tried = _kernel().extremes(self.pooled, self.reference.size, measure, observed, drawn, seed)
        return float(found), float(tried)
