"""What callers hand to streams, as numbers: what is none is refused, what is missing becomes NaN."""

import datetime as dt
from typing import Any

import numpy as np
import numpy.typing as npt

from kedge.drift.errors import DataError

_NUMBERS = "biuf"
_NOT_NUMBERS = (
    str,
    bytes,
    complex,
    np.complexfloating,
    np.datetime64,
    np.timedelta64,
    dt.date,
    dt.timedelta,
)


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
    if isinstance(value, _NOT_NUMBERS) or getattr(value, "ndim", 0) > 0:
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
    try:
        array = np.asanyarray(values)
    except ValueError as error:  # rows of several lengths
        raise _refused(name, "values", str(error)) from error
    hidden = np.ma.getmaskarray(array) if isinstance(array, np.ma.MaskedArray) else None
    array = np.asarray(array)
    if array.dtype.kind == "O":
        wrong = next((each for each in array.ravel().tolist() if isinstance(each, _NOT_NUMBERS)), None)
        if wrong is not None:
            raise _refused(name, "values", repr(wrong))
    elif array.dtype.kind not in _NUMBERS:
        raise _refused(name, "values", str(array.dtype))
    try:
        floats = np.require(array, np.float64, ("C", "A", "W"))
    except (TypeError, ValueError, OverflowError) as error:
        raise _refused(name, "values", str(error)) from error
    return floats if hidden is None else np.where(hidden, np.nan, floats)


def _refused(name: str, what: str, got: str) -> DataError:
    return DataError(f"{name}: the {what} must be real numbers, got {got}")
