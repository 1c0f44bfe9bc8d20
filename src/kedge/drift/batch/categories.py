"""Categories as text, and how often each occurs."""

import math
from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt

from kedge.drift.codec import Value
from kedge.drift.errors import DataError
from kedge.drift.numbers import is_missing

Counts = npt.NDArray[np.int64]

_SOME = 20


def clean_categories(values: npt.ArrayLike, what: str, name: str, missing: str) -> npt.NDArray[Any]:
    """Categories as an object array of text, shape (n,), n >= 1; None, NaN and infinities are missing."""
    # Left to itself, NumPy would make one text array of ["a", nan], and of NaN a category.
    array = values if isinstance(values, np.ndarray) else np.asarray(values, dtype=_kind(values))
    if array.ndim != 1:
        raise DataError(f"{name}: the {what} must have shape (n,), got {array.shape}")
    texts = [_text(item, what, name) for item in array.tolist()]
    kept = [text for text in texts if text is not None]
    _require_categories(array, kept, what, name)
    if len(kept) < len(texts) and missing != "skip":
        first = texts.index(None)
        raise DataError(
            f"{name}: the {what} holds {array[first]} at {first}; or construct with missing='skip'"
        )
    if not kept:
        raise DataError(f"{name}: the {what} is empty")
    clean = np.empty(len(kept), object)
    clean[:] = kept
    return clean


def _require_categories(array: npt.NDArray[Any], kept: list[str], what: str, name: str) -> None:
    """Refuse numbers with fractions of which hardly two are the same: no test of categories can see them move."""
    different = len(set(kept))
    if array.dtype.kind == "f" and len(kept) >= _SOME and different > 0.9 * len(kept):
        raise DataError(
            f"{name}: the {what} holds {different} different numbers among {len(kept)}: these are no categories; bin them, "
            "or take a test of numbers"
        )


def count(values: npt.NDArray[Any]) -> dict[str, Value]:
    """The categories of a sample, sorted, and their counts: all that a test needs of a reference."""
    found = Counter(values.tolist())
    names = tuple(sorted(found))
    return {"names": names, "counts": np.array([found[name] for name in names], np.int64)}


def common(fitted: dict[str, Any], window: npt.NDArray[Any]) -> tuple[tuple[str, ...], Counts, Counts]:
    """Categories of reference and window together, sorted, and how often each occurs in either."""
    before = dict(zip(fitted["names"], fitted["counts"].tolist(), strict=True))
    after = Counter(window.tolist())
    names = tuple(sorted(before.keys() | after.keys()))
    return (
        names,
        np.array([before.get(name, 0) for name in names], np.int64),
        np.array([after.get(name, 0) for name in names], np.int64),
    )


def _kind(values: Any) -> Any:
    return object if isinstance(values, list | tuple) else None


def _text(item: Any, what: str, name: str) -> str | None:
    if isinstance(item, str):
        return item
    if is_missing(item):
        return None
    if isinstance(item, bool | np.bool_ | int | np.integer):
        return str(item)
    if isinstance(item, float | np.floating):
        if not math.isfinite(item):
            return None
        # One missing value turns a column of integers into floats; its categories stay the same.
        return str(int(item)) if item == int(item) else repr(float(item))
    raise DataError(
        f"{name}: the {what} holds {item!r} ({type(item).__name__}); categories are text, numbers or booleans"
    )
