"""The one interface of streaming detectors: a flat array of numbers is the whole state."""

import abc
import dataclasses
from typing import Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt

from kedge.drift.codec import decode, encode
from kedge.drift.errors import DataError, ParameterError, StateError
from kedge.drift.kernels.layout import DRIFT, LARGEST, QUIET, WARNING
from kedge.drift.spec import DetectorSpec, as_call, parameters_of, take_plainly, validate
from kedge.drift.streaming.values import as_floats, as_number

State = Literal["normal", "warning", "drift"]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.int8]


@dataclasses.dataclass(frozen=True, eq=False)
class Result:
    """What `update_many` found: `drifts` and `warnings` are indices into the array of `n` values that it was given.

    `statistics`, where asked for, holds the detector's statistic after each value, NaN for those skipped.
    """

    drifts: npt.NDArray[np.int64]
    warnings: npt.NDArray[np.int64]
    n: int
    statistics: Floats | None = None


class StreamingDetector(abc.ABC):
    """Takes values in order and says after which of them the stream has changed.

    Subclasses keep all that they know in `_state`, a float64 array that their kernel reads and writes, so that one value,
    an array, and a saved and resumed detector give the same results bit for bit. An instance is not for use by two
    threads at once; different instances are, and their kernels run without the interpreter's lock.
    """

    spec: ClassVar[DetectorSpec]
    state_version: ClassVar[int] = 1
    measures: ClassVar[str] = ""
    """What the statistic is, in words: the label of a plot."""
    missing: str
    ordered: ClassVar[tuple[tuple[str, str], ...]] = ()
    """Pairs of parameters of which the first must not be above the second, such as a level that warns and one that alarms."""

    def __init__(self) -> None:
        take_plainly(self)
        given = self.parameters()
        validate(self.spec, given)
        for lower, upper in self.ordered:
            if given[lower] > given[upper]:
                rule = f"not above {upper}, {given[upper]:g}"
                raise ParameterError(self.spec.name, lower, given[lower], rule)
        self._reset()

    @abc.abstractmethod
    def _empty(self) -> Floats:
        """The state of a detector that has seen nothing."""

    @abc.abstractmethod
    def _run(self, xs: Floats, flags: Flags, statistics: Floats) -> None:
        """Advance `_state` over finite values; mark changes in the zeroed `flags`, write the statistic after each."""

    def _reset(self) -> None:
        self._restore(self._empty(), float("nan"))

    def _restore(self, state: Floats, statistic: float) -> None:
        self._state = state
        self._statistic = statistic

    @property
    def statistic(self) -> float:
        """The statistic after the last value; NaN before the first."""
        return self._statistic

    @property
    def alarm_level(self) -> float:
        """What the statistic must pass to alarm; NaN where that is not one number."""
        return float("nan")

    def parameters(self) -> dict[str, Any]:
        """The constructor's arguments, as given."""
        return parameters_of(self)

    def update(self, x: float) -> State:
        """Take one value and say what it brought: "normal", "warning" or "drift".

        Raises
        ------
        DataError
            `x` is no real number, or NaN or infinite and `missing` is "raise", or larger than 1e150; the state stays as it
            was. None and masked values are missing, as NaN is.
        """
        value = as_number(x, f"{self.spec.name}.update")
        if not -LARGEST <= value <= LARGEST:
            if self.missing == "skip" and not np.isfinite(value):
                return "normal"
            raise DataError(f"{self.spec.name}.update({x!r}): {_RULE}")
        return self._update_row(value)

    def _update_row(self, x: npt.ArrayLike) -> State:
        """`update` by way of `update_many`: one value goes through the same kernel as an array, so they cannot differ."""
        result = self.update_many(as_floats(x, f"{self.spec.name}.update")[np.newaxis])
        return "drift" if result.drifts.size else ("warning" if result.warnings.size else "normal")

    def update_many(self, xs: npt.ArrayLike, *, statistics: bool = False) -> Result:
        """Take an array of shape (n,); equal to n calls of `update`, for any way of cutting the stream.

        Parameters
        ----------
        xs : array of shape (n,)
            The values, oldest first.
        statistics : bool, default False
            Whether the result shall hold the statistic after every value.

        Raises
        ------
        DataError
            The array is not one-dimensional, or not of real numbers (text and dates are none), or holds NaN or infinities
            and `missing` is "raise", or values larger than 1e150; nothing was taken. None and masked values count as NaN.
        """
        values, kept = self.checked(xs)
        return self._advance(values, kept, statistics)

    def checked(self, xs: npt.ArrayLike) -> tuple[Floats, npt.NDArray[np.int64] | None]:
        """The values as an array and the indices of those not skipped (None: all), if `update_many` would take them.

        Raises
        ------
        DataError
            As `update_many`.
        """
        values = self._shaped(xs)
        # Two passes that make no arrays; of NaN both comparisons are false.
        if not values.size or (values.min() >= -LARGEST and values.max() <= LARGEST):
            return values, None
        usable: npt.NDArray[np.bool_] = np.abs(values) <= LARGEST
        finite: npt.NDArray[np.bool_] = np.isfinite(values)
        if values.ndim == 2:
            usable, finite = np.all(usable, axis=1), np.all(finite, axis=1)
        if usable.all():
            return values, None
        refused = finite & ~usable if self.missing == "skip" else ~usable
        if refused.any():
            first = int(np.argmax(refused))
            raise DataError(f"{self.spec.name}.update_many: xs[{first}] is {values[first].tolist()}: {_RULE}")
        return values, np.flatnonzero(finite)

    def _shaped(self, xs: npt.ArrayLike) -> Floats:
        """The values as a contiguous float array of the shape that the detector takes, or DataError."""
        values = as_floats(xs, f"{self.spec.name}.update_many")
        if values.ndim != 1:
            raise DataError(f"{self.spec.name}.update_many: expected shape (n,), got {values.shape}")
        return values

    def _advance(self, values: Floats, kept: npt.NDArray[np.int64] | None, statistics: bool) -> Result:
        taken = values if kept is None else values[kept]
        flags = np.full(len(taken), QUIET, np.int8)
        written = np.empty(len(taken))
        self._run(taken, flags, written)
        if len(taken):
            self._statistic = written[-1].item()
        drifts, warnings = (np.flatnonzero(flags == flag) for flag in (DRIFT, WARNING))
        if kept is None:
            return Result(drifts, warnings, len(values), written if statistics else None)
        every = np.full(len(values), np.nan)
        every[kept] = written
        return Result(kept[drifts], kept[warnings], len(values), every if statistics else None)

    def reset(self) -> None:
        """Forget everything."""
        self._reset()

    def state(self) -> bytes:
        """Parameters and all that the detector knows, as a small versioned byte string (no pickle); see `from_state`."""
        known = np.append(self._state, self._statistic)
        return encode(type(self).__name__, self.state_version, self.parameters(), {"state": known})

    @classmethod
    def from_state(cls, state: bytes, **parameters: Any) -> Self:
        """A detector that continues where `state` was taken, bit for bit.

        Parameters
        ----------
        state : bytes
            What `state()` gave.
        **parameters
            Parameters that the state must have been taken with; none need be given, for the state holds them.

        Raises
        ------
        StateError
            The bytes are cut or changed, or are not a state of this class, of this version, with these parameters. A
            checksum tells that; it is no signature: take states from where you would take code.
        """
        stored, values = decode(cls.__name__, cls.state_version, state)
        other = {name: stored.get(name) for name, value in parameters.items() if stored.get(name) != value}
        if other:
            raise StateError(f"{cls.__name__}: the state was taken with {other}, not with {parameters}")
        try:
            detector = cls(**stored)
        except (ParameterError, TypeError) as error:
            raise StateError(f"{cls.__name__}: the state's parameters are not its own: {error}") from error
        known = values.get("state")
        if not isinstance(known, np.ndarray) or not detector._fits(known[:-1]):
            raise StateError(f"{cls.__name__}: the state is not as long as that of {detector!r}")
        detector._restore(known[:-1].astype(np.float64), float(known[-1]))
        return detector

    def _fits(self, state: npt.NDArray[Any]) -> bool:
        """Whether a state has the length that these parameters give."""
        return state.size == self._state.size

    def __repr__(self) -> str:
        return as_call(self)


_RULE = f"values must be finite and not beyond {LARGEST:g}; or construct with missing='skip' for NaN and infinities"
