"""The one interface of batch detectors: fit a reference once, test windows against it."""

import abc
import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from kedge.drift.codec import Value, decode, encode
from kedge.drift.errors import DataError, NotFittedError, ParameterError, StateError
from kedge.drift.numbers import as_numbers
from kedge.drift.spec import DetectorSpec, Methods, as_call, parameters_of, take_plainly, validate

Floats = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True, kw_only=True)
class TestResult:
    """What a test found.

    A test with a p-value reports a drift when that is below `threshold`, one without when its `statistic` is at or above
    it. `method` says how the p-value was had or the bins were made. `bins` are the `len(counts) + 1` edges of numeric
    bins, of which the outermost also count what lies outside, or the names of categories; `reference_counts` and `counts`
    say how many values of either sample fell into each.
    """

    __test__: ClassVar[bool] = False  # not a test of pytest's, whatever its name

    detector: str
    statistic: float
    threshold: float
    drift: bool
    n_reference: int
    n: int
    p_value: float | None = None
    method: str = ""
    bins: tuple[float, ...] | tuple[str, ...] = ()
    reference_counts: tuple[int, ...] = ()
    counts: tuple[int, ...] = ()


class BatchDetector(abc.ABC):
    """Compares windows with a reference. After `fit`, threads may test with one instance at the same time.

    Subclasses keep what they know of the reference in the values that `_fit` returns, and nowhere else.
    """

    spec: ClassVar[DetectorSpec]
    state_version: ClassVar[int] = 1
    older_versions: ClassVar[tuple[int, ...]] = ()
    """Whose states lack nothing but parameters that have come since, which then have their defaults."""

    missing: str

    def __init__(self) -> None:
        take_plainly(self)
        validate(self.spec, self.parameters())
        self._fitted: dict[str, Any] = {}
        self._n_reference = 0

    @abc.abstractmethod
    def _fit(self, reference: npt.NDArray[Any]) -> dict[str, Value]:
        """What the tests need of a clean reference."""

    def _known(self, values: dict[str, Value]) -> dict[str, Value]:
        """What `_fit` returned, from a state's values; or StateError where they do not tell enough."""
        return values

    @abc.abstractmethod
    def _test(self, window: npt.NDArray[Any]) -> TestResult:
        """Compare a clean window."""

    @abc.abstractmethod
    def _clean(self, values: npt.ArrayLike, what: str) -> npt.NDArray[Any]:
        """A copy of the values, of shape (n,) or (n, d), in the detector's own type; or DataError."""

    def parameters(self) -> dict[str, Any]:
        """The constructor's arguments, as given."""
        return parameters_of(self)

    def fit(self, reference: npt.ArrayLike) -> Self:
        """Take the reference, shape (n,), or (n, d) where vectors are compared, in place of any before.

        Raises
        ------
        DataError
            It is empty or holds what cannot be compared; the detector stays as it was.
        """
        values = self._clean(reference, "reference")
        self._fitted, self._n_reference = self._fit(values), len(values)
        return self

    def test(self, window: npt.ArrayLike) -> TestResult:
        """Compare a window, shaped as the reference, with it; the detector stays as it was.

        Raises
        ------
        NotFittedError
            There is no reference yet.
        DataError
            The window is empty or holds what cannot be compared.
        """
        self._require_fitted("test(window)")
        return self._test(self._clean(window, "window"))

    def state(self) -> bytes:
        """Parameters and what is kept of the reference, as a versioned byte string (no pickle); see `from_state`."""
        self._require_fitted("state()")
        values = {**self._fitted, "n_reference": np.array([self._n_reference], np.int64)}
        return encode(type(self).__name__, self.state_version, self._written(self.parameters()), values)

    @classmethod
    def _written(cls, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Parameters as a state holds them: an object (an estimator) is not in the bytes, its repr is."""
        objects = {name for name, rule in cls.spec.params.items() if isinstance(rule, Methods)}
        return {
            name: repr(value) if name in objects and value is not None else value
            for name, value in parameters.items()
        }

    @classmethod
    def from_state(cls, state: bytes, **parameters: Any) -> Self:
        """A detector fitted as the one whose `state()` this is; `parameters`, where given, must be those it had.

        An estimator is not in the bytes: give it again, and it must have the same repr.

        Raises
        ------
        StateError
            The bytes are cut or changed, or are not a state of this class, of this version, with these parameters.
        """
        stored, values = decode(cls.__name__, cls.state_version, state, cls.older_versions)
        written = cls._written(parameters)
        other = {name: stored.get(name) for name, value in written.items() if stored.get(name) != value}
        if other:
            raise StateError(f"{cls.__name__}: the state was taken with {other}, not with {parameters}")
        try:
            detector = cls(**{**stored, **parameters})
        except (ParameterError, TypeError) as error:
            raise StateError(f"{cls.__name__}: the state's parameters are not its own: {error}") from error
        size = values.pop("n_reference", ())
        if len(size) != 1 or int(size[0]) < 1:
            raise StateError(f"{cls.__name__}: the state holds no reference")
        detector._fitted, detector._n_reference = detector._known(values), int(size[0])
        return detector

    def _require_fitted(self, call: str) -> None:
        if not self._n_reference:
            raise NotFittedError(f"{self!r}: call fit(reference) before {call}")

    def __repr__(self) -> str:
        return as_call(self)


def clean_numbers(values: npt.ArrayLike, what: str, name: str, missing: str) -> Floats:
    """Finite float64 values of shape (n,), n >= 1."""
    array = as_numbers(values, what, name)
    if array.ndim != 1:
        raise DataError(f"{name}: the {what} must have shape (n,), got {array.shape}")
    finite = np.isfinite(array)
    if not finite.all():
        if missing != "skip":
            first = int(np.argmin(finite))
            raise DataError(
                f"{name}: the {what} holds {array[first]} at {first}; or construct with missing='skip'"
            )
        array = array[finite]
    if not array.size:
        raise DataError(f"{name}: the {what} is empty")
    return array + 0.0  # one zero: -0.0 sorts before 0.0 in no defined order
