"""The one interface of streaming detectors: a flat array of numbers is the whole state."""

import abc
import dataclasses
import inspect
import math
import struct
from typing import Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt

from kedge.drift.errors import DataError, StateError
from kedge.drift.spec import DetectorSpec, validate

State = Literal["normal", "drift"]
Floats = npt.NDArray[np.float64]
_HEADER = struct.Struct("<4sHH")
_MAGIC = b"KDST"


@dataclasses.dataclass(frozen=True)
class Result:
    """What `update_many` found: indices into the array it was given."""

    drifts: npt.NDArray[np.int64]
    n: int
    statistics: Floats | None = None


class StreamingDetector(abc.ABC):
    """Takes values in order and says after which of them the stream has changed.

    Subclasses keep all that they know in `_state`, a float64 array that their kernel reads and writes, so that one value,
    an array, and a saved and resumed detector give the same results bit for bit.
    """

    spec: ClassVar[DetectorSpec]
    state_version: ClassVar[int] = 1
    missing: str

    def __init__(self) -> None:
        validate(self.spec, self.parameters())
        self._reset()

    @abc.abstractmethod
    def _empty(self) -> Floats:
        """The state of a detector that has seen nothing."""

    @abc.abstractmethod
    def _run(self, xs: Floats, drifts: npt.NDArray[np.bool_], statistics: Floats) -> None:
        """Advance `_state` over finite values; mark changes and write the statistic after each."""

    def _reset(self) -> None:
        self._state = self._empty()
        self._statistic = float("nan")
        # One value goes through the same kernel as an array; these are its array, made once.
        self._one = np.empty(1), np.empty(1, np.bool_), np.empty(1)

    @property
    def statistic(self) -> float:
        """The statistic after the last value; NaN before the first."""
        return self._statistic

    def parameters(self) -> dict[str, Any]:
        """The constructor's arguments, as given."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def update(self, x: float) -> State:
        """Take one value.

        Raises
        ------
        DataError
            `x` is NaN or infinite and `missing` is "raise"; the state stays as it was.
        """
        value = float(x)
        if not math.isfinite(value):
            if self.missing == "skip":
                return "normal"
            raise DataError(
                f"{self.spec.name}.update({x!r}): values must be finite; or construct with missing='skip'"
            )
        xs, drifts, statistics = self._one
        xs[0], drifts[0] = value, False
        self._run(xs, drifts, statistics)
        self._statistic = float(statistics[0])
        return "drift" if drifts[0] else "normal"

    def update_many(self, xs: npt.ArrayLike, *, statistics: bool = False) -> Result:
        """Take an array of shape (n,); equal to n calls of `update`, for any way of cutting the stream.

        Raises
        ------
        DataError
            The array is not one-dimensional, or holds NaN or infinities and `missing` is "raise"; nothing was taken.
        """
        values = np.ascontiguousarray(np.asarray(xs), dtype=np.float64)
        if values.ndim != 1:
            raise DataError(f"{self.spec.name}.update_many: expected shape (n,), got {values.shape}")
        finite = np.isfinite(values)
        if not finite.all() and self.missing != "skip":
            first = int(np.argmin(finite))
            raise DataError(
                f"{self.spec.name}.update_many: xs[{first}] is {values[first]}; or construct with missing='skip'"
            )
        kept = values[finite]
        drifts = np.zeros(kept.size, np.bool_)
        written = np.empty(kept.size)
        self._run(kept, drifts, written)
        if kept.size:
            self._statistic = float(written[-1])
        where = np.flatnonzero(finite)
        every = np.full(values.size, np.nan)
        every[where] = written
        return Result(where[drifts].astype(np.int64), values.size, every if statistics else None)

    def reset(self) -> None:
        """Forget everything."""
        self._reset()

    def state(self) -> bytes:
        """What the detector knows, as a small versioned byte string (no pickle); see `from_state`."""
        name = type(self).__name__.encode()
        given = repr(sorted(self.parameters().items())).encode()
        head = (
            _HEADER.pack(_MAGIC, self.state_version, len(name)) + name + struct.pack("<I", len(given)) + given
        )
        return head + np.append(self._state, self._statistic).astype("<f8").tobytes()

    @classmethod
    def from_state(cls, state: bytes, **parameters: Any) -> Self:
        """A detector that continues where `state` was taken; `parameters` as it was constructed with.

        Raises
        ------
        StateError
            The bytes are not a state of this class, of this version, with these parameters.
        """
        detector = cls(**parameters)
        empty = detector.state()
        head = empty[: len(empty) - 8 * (detector._state.size + 1)]
        if not state.startswith(head) or len(state) != len(empty):
            raise StateError(f"not a state of {detector!r} (version {cls.state_version})")
        numbers = np.frombuffer(state[len(head) :], "<f8").astype(np.float64)
        detector._state, detector._statistic = numbers[:-1].copy(), float(numbers[-1])
        return detector

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in self.parameters().items())
        return f"{type(self).__name__}({given})"
