"""P-values by relabelling where a statistic is one of sums over each sample."""

import abc
import dataclasses
import functools
import itertools
from importlib import import_module
from typing import Any, ClassVar, Self

import numpy as np

from kedge.drift.batch.base import Floats

_BLOCK = 4096
_NONE = 1e-13
"""A sum of squares is none below this share of that of all values: sums leave about 1e-16 of it where there is none."""


@functools.cache
def _kernel() -> Any:
    return import_module("kedge.drift.kernels.subset_sums")  # brings numba, a second, at the first draw


@dataclasses.dataclass(frozen=True)
class Relabelling(abc.ABC):
    """The statistic of any split of the values, from sums of their features, shape (N, f), over its smaller part.

    `size` is how many values that part has, and `observed` its sums.
    """

    rounding: ClassVar[float] = 1e-9
    """What is equal in truth differs by so much of itself."""

    features: Floats
    size: int
    observed: Floats

    @abc.abstractmethod
    def statistics(self, sums: Floats) -> Floats:
        """One for each row of sums over the smaller part, larger where the parts differ more."""

    def enumerated(self) -> float:
        """The share of all splits whose statistic is at least the observed: the exact p-value."""
        found = tried = 0
        splits = itertools.combinations(range(len(self.features)), self.size)
        while block := list(itertools.islice(splits, _BLOCK)):
            found += self._extremes(self.features[np.array(block)].sum(axis=1))
            tried += len(block)
        return found / tried

    def permuted(self, permutations: int, seed: int) -> float:
        """The p-value by that many random splits, this one counted among them (Phipson and Smyth 2010)."""
        found = 0
        order, state = np.arange(len(self.features)), np.array([seed], np.uint64)
        for begin in range(0, permutations, _BLOCK):
            sums = np.empty((min(_BLOCK, permutations - begin), self.features.shape[1]))
            _kernel().drawn_sums(self.features, self.size, order, state, sums)
            found += self._extremes(sums)
        return (found + 1) / (permutations + 1)

    def _extremes(self, sums: Floats) -> int:
        statistics = self.statistics(np.concatenate([self.observed[None], sums]))
        return int(np.count_nonzero(statistics[1:] >= statistics[0] * (1 - self.rounding)))


class Studentised(Relabelling):
    """The square of Welch's t: by splits its level is exact where the samples have one distribution, and near alpha where
    they share no more than a mean (Janssen 1997). Features are values, less their mean, and squares."""

    @classmethod
    def of(cls, before: Floats, after: Floats) -> Self:
        """Of two samples that are not all one value."""
        values = np.concatenate([before, after])
        values = values - values.mean()  # else the variances would lose digits
        values = values / np.abs(values).max()
        features = np.column_stack([values, values**2])
        smaller = features[: before.size] if before.size <= after.size else features[before.size :]
        return cls(features, min(before.size, after.size), smaller.sum(axis=0))

    def statistics(self, sums: Floats) -> Floats:
        """Infinite where two constants are parted."""
        total, few = self.features.sum(axis=0), self.size
        many = len(self.features) - few
        error = np.zeros(len(sums))
        for part, size in ((sums, few), (total - sums, many)):
            squares = part[:, 1] - part[:, 0] ** 2 / size
            error += np.where(squares > _NONE * total[1], squares, 0.0) / (size * (size - 1))
        apart = (sums[:, 0] / few - (total[0] - sums[:, 0]) / many) ** 2
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(error > 0, apart / error, np.inf)
