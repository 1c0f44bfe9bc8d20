"""Streaming detectors that hold a sliding window against a fixed reference: given, or the first values of the stream."""

import abc
from collections.abc import Callable
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from kedge.drift.errors import DataError, ParameterError
from kedge.drift.spec import Parameters
from kedge.drift.streaming.base import Flags, Floats, State, StreamingDetector
from kedge.drift.streaming.values import as_floats

Words = Callable[[Parameters, int, int], int]
"""How many numbers a detector of these parameters keeps beside a reference of this size and dimension."""

HEAD = 4
"""Before the reference the state holds: its size, how much of it is there, whether it was given, length of vectors."""


def bound_of(words: Words) -> Callable[[Parameters], int]:
    """The longest state, while the reference comes from the stream, of a detector that keeps so many words beside it."""

    def bound(parameters: Parameters) -> int:
        size = int(parameters.get("reference_size", parameters["window"]))
        dimension = int(parameters.get("dimension", 1))
        numbers = HEAD + 1 + size * dimension + words(parameters, size, dimension)
        return 2048 + 8 * numbers + numbers // 8  # the numbers, the bitmap of those in use, the parameters

    return bound


class ReferencedDetector(StreamingDetector):
    """Learns a reference, then compares each window with it; after an alarm the window is filled anew.

    Until `fit` is called, the first `reference_size` values of the stream become the reference. In `_state`, after the head
    and the reference, subclasses keep `_words` numbers of their own.
    """

    reference_size: int
    window: int
    least_windows: ClassVar[int] = 2
    """How many windows the reference must be as long as."""

    def __init__(self) -> None:
        super().__init__()
        if self.reference_size < self.least_windows * self.window:
            rule = f"at least {self.least_windows} windows of {self.window}"
            raise ParameterError(self.spec.name, "reference_size", self.reference_size, rule)

    @staticmethod
    @abc.abstractmethod
    def _words(parameters: Parameters, size: int, dimension: int) -> int:
        """How many numbers the detector keeps beside a reference of that size."""

    @abc.abstractmethod
    def _learn(self, reference: Floats) -> None:
        """Prepare `_kept` for windows against the reference, of shape (m,) or (m, d)."""

    @abc.abstractmethod
    def _compare(self, xs: Floats, flags: Flags, statistics: Floats) -> int:
        """`_run` once there is a reference; how many values it took, fewer than all if it is to learn anew."""

    def _start_anew(self) -> None:
        """Empty the window; and unless the reference was given, let the values to come be the next."""
        self._kept[:] = 0.0
        if self._state[2]:
            self._learn(self._reference.copy())
        else:
            self._reference[:] = 0.0
            self._state[1] = 0.0

    @property
    def n_reference(self) -> int:
        """How many values of the reference there are yet."""
        return int(self._state[1])

    @property
    def _dimension(self) -> int:
        return int(self._state[3])

    @property
    def _reference(self) -> Floats:
        size, dimension = int(self._state[0]), self._dimension
        values = self._state[HEAD : HEAD + size * dimension]
        return values.reshape(size, dimension) if self.spec.input == "vector" else values

    @property
    def _kept(self) -> Floats:
        return self._state[HEAD + int(self._state[0]) * self._dimension :]

    def fit(self, reference: npt.ArrayLike) -> Self:
        """Take this reference, of shape (m,) or (m, d), in place of the first values of the stream; the window is emptied.

        Raises
        ------
        DataError
            It is too short for the window, or holds what `update_many` would refuse; the detector stays as it was.
        """
        fresh = type(self)(**self.parameters())
        values, kept = fresh.checked(reference)
        clean = values if kept is None else values[kept]
        if len(clean) < self.least_windows * self.window:
            rule = f"at least {self.least_windows} windows of {self.window}"
            raise DataError(f"{self.spec.name}.fit: {len(clean)} values of reference, not {rule}")
        self._state = self._sized(len(clean), clean.shape[1] if clean.ndim == 2 else 1)
        self._state[1:3] = len(clean), 1.0
        self._reference[:] = clean
        self._learn(clean)
        self._statistic = float("nan")
        return self

    def reset(self) -> None:
        """Forget the stream, and the reference too unless it was given to `fit`."""
        given = self._reference.copy() if self._state[2] else None
        super().reset()
        if given is not None:
            self.fit(given)

    def update(self, x: npt.ArrayLike) -> State:
        """Take one value (or vector) and say what it brought: "normal" or "drift".

        Raises
        ------
        DataError
            `x` has another shape, or holds NaN or infinities and `missing` is "raise", or values larger than 1e150.
        """
        return super().update(x) if self.spec.input == "real" else self._update_row(x)  # type: ignore[arg-type]

    def _shaped(self, xs: npt.ArrayLike) -> Floats:
        if self.spec.input != "vector":
            return super()._shaped(xs)
        values = as_floats(xs, self.spec.name)
        shape = values.shape
        if shape == (0,):
            return np.empty((0, self._dimension))
        if len(shape) != 2 or not shape[1] or self._dimension not in (0, shape[1]):
            expected = f"(n, {self._dimension or 'd'})"
            raise DataError(f"{self.spec.name}: expected vectors of shape {expected}, got {shape}")
        return values

    def _empty(self) -> Floats:
        if self.spec.input == "vector":
            return np.zeros(HEAD)  # the first vector tells their length
        return self._sized(self.reference_size, 1)

    def _sized(self, size: int, dimension: int) -> Floats:
        state = np.zeros(HEAD + size * dimension + self._words(self.parameters(), size, dimension))
        state[0], state[3] = size, dimension
        return state

    def _fits(self, state: npt.NDArray[Any]) -> bool:
        if state.size < HEAD or not (state[[0, 1, 3]] >= 0).all() or not (state[:HEAD] < 2**40).all():
            return False
        size, have, dimension = (int(state[k]) for k in (0, 1, 3))
        if self.spec.input == "vector" and not dimension:
            return state.size == HEAD
        words = HEAD + size * dimension + self._words(self.parameters(), size, dimension)
        return state.size == words and have <= size and (state[2] == 1 or size == self.reference_size)

    def _run(self, xs: Floats, flags: Flags, statistics: Floats) -> None:
        if not self._dimension and len(xs):
            self._state = self._sized(self.reference_size, xs.shape[1])
        begin = 0
        while begin < len(xs):
            have, size = int(self._state[1]), int(self._state[0])
            if have == size:
                begin += self._compare(xs[begin:], flags[begin:], statistics[begin:])
                continue
            taken = xs[begin : begin + size - have]
            self._reference[have : have + len(taken)] = taken
            statistics[begin : begin + len(taken)] = 0.0
            self._state[1] += len(taken)
            begin += len(taken)
            if have + len(taken) == size:
                self._learn(self._reference.copy())
