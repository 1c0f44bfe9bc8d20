"""What callers hand over, as numbers: what is none is refused, what is missing becomes NaN."""

import datetime as dt

import numpy as np
import numpy.typing as npt

from kedge.drift.errors import DataError

Floats = npt.NDArray[np.float64]

NOT_NUMBERS = (
    str,
    bytes,
    complex,
    np.complexfloating,
    np.datetime64,
    np.timedelta64,
    dt.date,
    dt.timedelta,
)
"""Of what an array of objects may hold, and NumPy would make a number of."""
_KINDS = {"U": "text", "S": "bytes", "M": "dates", "m": "lengths of time", "c": "complex numbers"}


def as_numbers(values: npt.ArrayLike, what: str, name: str) -> Floats:
    """A float64 copy of any shape; what is masked, None or pandas' NA is NaN. Text, dates and complex numbers are refused.

    Raises
    ------
    DataError
        It holds no real numbers, or is of no shape.
    """
    try:
        array = np.asanyarray(values)
        kind = array.dtype.kind
        if kind == "O":
            flat = [None if is_missing(each) else each for each in array.ravel().tolist()]
            wrong = next((each for each in flat if isinstance(each, NOT_NUMBERS)), None)
            if wrong is not None:
                raise DataError(f"{name}: the {what} must be real numbers, got {wrong!r}")
            array = np.array(flat, object).reshape(array.shape)
        if kind not in "bifuO":
            raise DataError(
                f"{name}: the {what} must be real numbers, got {_KINDS.get(kind, str(array.dtype))}"
            )
        mask = np.ma.getmaskarray(array) if isinstance(array, np.ma.MaskedArray) else None
        numbers = np.array(np.ma.getdata(array), dtype=np.float64)  # a copy: the caller may change theirs
    except (TypeError, ValueError, OverflowError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{name}: the {what} must be real numbers: {error}") from error
    if mask is not None:
        numbers[mask] = np.nan
    return numbers


def is_missing(value: object) -> bool:
    """Whether it is None, or pandas' mark of a missing value of any kind."""
    return value is None or type(value).__name__ in ("NAType", "NaTType")
