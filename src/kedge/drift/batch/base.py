"""The one interface of batch detectors: fit a reference once, test windows against it."""

import abc
import dataclasses
import inspect
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from kedge.drift.errors import DataError, NotFittedError
from kedge.drift.spec import DetectorSpec, validate

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
Labels = npt.NDArray[np.str_]


@dataclasses.dataclass(frozen=True)
class TestResult:
    """What a test found; `method` says how a p-value was had. For tests on bins or categories, the counts are those."""

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
    """Compares windows with a reference."""

    spec: ClassVar[DetectorSpec]
    missing: str

    def __init__(self) -> None:
        validate(self.spec, self.parameters())
        self._n_reference = 0

    @abc.abstractmethod
    def _fit(self, reference: npt.NDArray[Any]) -> None:
        """Keep what the tests need of a clean reference."""

    @abc.abstractmethod
    def _test(self, window: npt.NDArray[Any]) -> TestResult:
        """Compare a clean window."""

    @abc.abstractmethod
    def _clean(self, values: npt.ArrayLike, what: str) -> npt.NDArray[Any]:
        """The values as an array of shape (n,) in the detector's own type, or DataError."""

    def parameters(self) -> dict[str, Any]:
        """The constructor's arguments, as given."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def fit(self, reference: npt.ArrayLike) -> Self:
        """Take the reference, shape (n,). Raises DataError when it is empty or holds what cannot be compared."""
        values = self._clean(reference, "reference")
        self._fit(values)
        self._n_reference = values.size
        return self

    def test(self, window: npt.ArrayLike) -> TestResult:
        """Compare a window of shape (n,) with the reference; the detector stays as it was.

        Raises
        ------
        NotFittedError
            There is no reference yet.
        DataError
            The window is empty or holds what cannot be compared.
        """
        if not self._n_reference:
            raise NotFittedError(f"{self!r}: call fit(reference) before test(window)")
        return self._test(self._clean(window, "window"))

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in self.parameters().items())
        return f"{type(self).__name__}({given})"


def clean_numbers(values: npt.ArrayLike, what: str, name: str, missing: str) -> Floats:
    """Finite float64 values of shape (n,), n >= 1."""
    array = np.array(values, dtype=np.float64)  # a copy: the caller may change theirs
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
    return array


def clean_labels(values: npt.ArrayLike, what: str, name: str) -> Labels:
    """Categories as text of shape (n,), n >= 1; None is the category "None"."""
    array = np.asarray(values)
    if array.ndim != 1:
        raise DataError(f"{name}: the {what} must have shape (n,), got {array.shape}")
    if not array.size:
        raise DataError(f"{name}: the {what} is empty")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise DataError(
            f"{name}: the {what} holds NaN or infinities; categories are text, integers or booleans"
        )
    return array.astype(str)


def count_categories(reference: Labels, window: Labels) -> tuple[tuple[str, ...], Counts, Counts]:
    """Categories of both, sorted, and how often each occurs in either."""
    names, place = np.unique(np.concatenate([reference, window]), return_inverse=True)
    split = reference.size
    first = np.bincount(place[:split], minlength=names.size)
    second = np.bincount(place[split:], minlength=names.size)
    return tuple(str(name) for name in names), first.astype(np.int64), second.astype(np.int64)
