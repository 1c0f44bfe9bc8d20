"""The values of one column as detectors take them: finite float64 for numbers, Arrow text for categories."""

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kedge.core.errors import Invalid
from kedge.monitoring.measures import Floats

Kind = Literal["numeric", "categorical"]

MISSING = "(missing)"


class Numbers(NamedTuple):
    """Finite values, and how many rows had none."""

    values: Floats
    missing: int


class Categories(NamedTuple):
    """Categories of two samples under one numbering; rows without a value are a category of their own."""

    names: tuple[str, ...]
    reference: NDArray[np.int64]
    current: NDArray[np.int64]


def kind_of(arrow_type: Any) -> Kind | None:
    """How a column is compared; None for dates, lists and the like, which are not."""
    if pa.types.is_dictionary(arrow_type):
        return "categorical" if kind_of(arrow_type.value_type) else None
    if pa.types.is_integer(arrow_type) or pa.types.is_floating(arrow_type) or pa.types.is_decimal(arrow_type):
        return "numeric"
    text = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_boolean)
    return "categorical" if any(is_kind(arrow_type) for is_kind in text) else None


def as_numbers(name: str, pieces: Iterable[Any]) -> Numbers:
    """Arrow pieces of a column as float64, without nulls, NaN and infinities. Raises Invalid when it holds text."""
    values = with_gaps(name, pieces)
    finite = ~np.isnan(values)
    return Numbers(values[finite], int((~finite).sum()))


def with_gaps(name: str, pieces: Iterable[Any]) -> Floats:
    """Arrow pieces of a column as float64, row by row, NaN where there is no finite number. Raises Invalid as above."""
    arrays = []
    for piece in pieces:
        try:
            # Integers beyond 2**53 are rounded: of no weight where distributions are compared.
            number = piece.cast("float64", safe=not pa.types.is_integer(piece.type))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise Invalid(
                f"column {name!r} is read as numbers but holds other values: {error}",
                hint="compare it by a detector of categories, or leave it out",
            ) from error
        arrays.append(number.to_numpy(zero_copy_only=False))
    values: Floats = np.concatenate(arrays) if arrays else np.empty(0)
    return np.where(np.isfinite(values), values, np.nan)


def as_text(pieces: Iterable[Any]) -> Any:
    """Arrow pieces of a column as one array of text; whole floats read as integers, so 3.0 and 3 are one category."""
    arrays = [_text(piece) for piece in pieces]
    return pa.concat_arrays(arrays) if arrays else pa.array([], pa.string())


def common_categories(reference: Any, current: Any) -> Categories:
    """Number the categories of two text arrays in one way, in alphabetical order."""
    pooled = pc.fill_null(pa.concat_arrays([reference, current]), MISSING).dictionary_encode()
    found = pooled.dictionary.to_pylist()
    names = sorted(found)
    rank = {name: place for place, name in enumerate(names)}
    codes = np.array([rank[name] for name in found], dtype=np.int64)[pooled.indices.to_numpy()]
    return Categories(tuple(names), codes[: len(reference)], codes[len(reference) :])


def _text(piece: Any) -> Any:
    if pa.types.is_dictionary(piece.type):
        piece = piece.dictionary_decode()
    if pa.types.is_floating(piece.type):
        whole = pc.all(pc.equal(pc.floor(piece), piece), min_count=0).as_py()
        piece = piece.cast("int64") if whole else piece
    return piece.cast(pa.string())
