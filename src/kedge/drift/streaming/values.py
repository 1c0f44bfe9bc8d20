"""What callers hand to streams, as numbers: what is none is refused, what is missing becomes NaN."""

from typing import Any

import numpy as np
import numpy.typing as npt

from kedge.drift.errors import DataError
from kedge.drift.numbers import NOT_NUMBERS, as_numbers

_NUMBERS = "biuf"


def as_number(value: Any, name: str) -> float:
    """One real number; NaN for None and for a masked one.

    Raises
    ------
    DataError
        It is none: text, a complex number, a date, an array. Text is refused even where it could be read as a number.
    """
    if isinstance(value, float | int):
        return _as_float(value, name)
    if value is None or value is np.ma.masked:
        return np.nan
    if isinstance(value, NOT_NUMBERS) or getattr(value, "ndim", 0) > 0:
        raise _refused(name, "value", repr(value))
    if isinstance(value, np.ndarray):
        return float(as_floats(value[np.newaxis], name)[0])
    return _as_float(value, name)


def _as_float(value: Any, name: str) -> float:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise _refused(name, "value", f"{value!r}: {error}") from error


def as_floats(values: npt.ArrayLike, name: str) -> npt.NDArray[np.float64]:
    """A contiguous float array, NaN where a value is None or masked.

    Writable, though nothing writes: of a read-only one numba would compile kernels once more.

    Raises
    ------
    DataError
        The values are not real numbers.
    """
    if type(values) is not np.ndarray or values.dtype.kind not in _NUMBERS:
        values = as_numbers(values, "values", name)
    return np.require(values, np.float64, ("C", "A", "W"))


def _refused(name: str, what: str, got: str) -> DataError:
    return DataError(f"{name}: the {what} must be real numbers, got {got}")
