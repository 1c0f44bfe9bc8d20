"""Online tests that compare mean features of a window of vectors with those of a reference."""

import abc
import functools
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt

from kedge.drift.kernels.layout import ONLINE_HEAD
from kedge.drift.streaming.base import Flags, Floats
from kedge.drift.streaming.online import OnlineTest

_PAIRS_OF = 500
_PIECE = 4096


@functools.cache
def _kernel() -> Any:
    return import_module("kedge.drift.kernels.embedding")  # brings numba, a second, at the first value


class EmbeddedOnlineTest(OnlineTest):
    """The statistic is the squared distance between the mean features of the window and of the reference.

    Columns are centred and scaled by the reference's. In `_kept`, after the centre and the scale, come `_map_words` numbers
    that make the features, and then what the kernel keeps.
    """

    bandwidth: float

    @abc.abstractmethod
    def _map_words(self, dimension: int) -> int:
        """How many numbers make the features of vectors of that length."""

    @abc.abstractmethod
    def _make_map(self, scaled: Floats, rng: np.random.Generator) -> Floats:
        """The numbers that make the features, from the scaled reference."""

    @abc.abstractmethod
    def _features(self, scaled: Floats) -> Floats:
        """The features of scaled vectors, of shape (n, count)."""

    @property
    def _map(self) -> Floats:
        d = self._dimension
        return self._kept[2 * d : 2 * d + self._map_words(d)]

    @property
    def _moving(self) -> Floats:
        d = self._dimension
        return self._kept[2 * d + self._map_words(d) :]

    @property
    def threshold(self) -> float:
        """What the statistic must exceed; NaN before the reference is complete."""
        known = self._dimension and self._state[1] == self._state[0]
        return float(self._moving[0]) if known else float("nan")

    def _set_threshold(self, threshold: float) -> None:
        self._moving[0] = threshold

    def _prepare(self, reference: Floats, rng: np.random.Generator) -> None:
        d = self._dimension
        spread = reference.std(axis=0)
        # A column that is constant but for rounding is not blown up to be as wide as the others.
        flat = spread <= 1e-12 * np.abs(reference).max(axis=0)
        self._kept[:d], self._kept[d : 2 * d] = reference.mean(axis=0), np.where(flat, 1.0, spread)
        scaled = self._scaled(reference)
        self._map[:] = self._make_map(scaled, rng)
        mean = self._features(scaled).mean(axis=0)
        self._moving[ONLINE_HEAD : ONLINE_HEAD + mean.size] = mean

    def _simulate(self, reference: Floats, chosen: npt.NDArray[np.int64]) -> Floats:
        features = self._features(self._scaled(reference))
        found: Floats = _kernel().simulate(features, chosen, self.window)
        return found

    def _compare(self, xs: Floats, flags: Flags, statistics: Floats) -> int:
        for begin in range(0, len(xs), _PIECE):
            piece = slice(begin, begin + _PIECE)
            features = self._features(self._scaled(xs[piece]))
            _kernel().run(self._moving, features, flags[piece], statistics[piece], self.window)
        return len(xs)

    def _scaled(self, rows: Floats) -> Floats:
        d = self._dimension
        scaled: Floats = (rows - self._kept[:d]) / self._kept[d : 2 * d]
        return scaled

    def _bandwidth_for(self, scaled: Floats) -> float:
        """The bandwidth given, or the median distance between vectors of the reference."""
        if self.bandwidth:
            return float(self.bandwidth)
        few = scaled[:_PAIRS_OF]
        squares = (few**2).sum(axis=1)
        distances = squares[:, np.newaxis] + squares - 2 * few @ few.T
        median = float(np.median(distances[np.triu_indices(len(few), 1)]))
        return median**0.5 if median > 1e-12 else 1.0
