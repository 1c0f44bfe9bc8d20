"""What the columns of a table hold, small enough to keep beside every version."""

import math
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kedge.core.datasets import ColumnProfile

BINS = 30
TOP = 20
LONGEST_VALUE = 100


def profile(table: pa.Table) -> tuple[ColumnProfile, ...]:
    """One profile a column: a histogram for numbers, the range for times, the commonest values for text."""
    return tuple(profile_columns(zip(table.column_names, table.columns, strict=True)))


def profile_columns(columns: Iterable[tuple[str, pa.ChunkedArray]]) -> Iterator[ColumnProfile]:
    """As `profile`, column after column: a table that does not fit into memory need not be in it at once."""
    for name, values in columns:
        yield _measure(values.type)(name, values)


def _measure(kind: pa.DataType) -> Callable[[str, pa.ChunkedArray], ColumnProfile]:
    types = pa.types
    if types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind):
        return _number
    if types.is_timestamp(kind) or types.is_date(kind):
        return _time
    if types.is_boolean(kind) or types.is_string(kind) or types.is_large_string(kind):
        return _category
    if types.is_dictionary(kind):
        return _dictionary
    return _other


def _number(name: str, values: pa.ChunkedArray) -> ColumnProfile:
    # Not `safe`: large integers and decimals are rounded, which a histogram does not mind.
    numbers = np.asarray(values.cast(pa.float64(), safe=False).drop_null().to_numpy())
    finite = numbers[np.isfinite(numbers)]
    missing = len(values) - finite.size  # NaN and infinities are no values either
    if not finite.size:
        return ColumnProfile(name=name, type=str(values.type), nulls=missing, distinct=0)
    distinct = int(np.unique(finite).size)
    counts, edges = _histogram(finite, min(BINS, distinct))
    with np.errstate(over="ignore"):
        mean = float(finite.mean())
    return ColumnProfile(
        name=name,
        type=str(values.type),
        nulls=missing,
        distinct=distinct,
        minimum=float(finite.min()),
        maximum=float(finite.max()),
        mean=mean if math.isfinite(mean) else None,
        bins=tuple(float(edge) for edge in edges),
        counts=tuple(int(count) for count in counts),
    )


def _histogram(finite: np.ndarray, bins: int) -> tuple[np.ndarray, np.ndarray]:
    low, high = float(finite.min()), float(finite.max())
    whole = np.array([finite.size]), np.array([low, high])
    with np.errstate(over="ignore", invalid="ignore"):
        edges = np.linspace(low, high, bins + 1)
        steps = np.diff(edges)
    # A single value, neighbouring floats, or ends so far apart that a float cannot say how far: no room for bins.
    if not (np.isfinite(steps) & (steps > 0)).all():
        return whole
    return np.histogram(finite, bins=edges)


def _time(name: str, values: pa.ChunkedArray) -> ColumnProfile:
    kind = values.type
    # UTC without its zone: a zone would need a zone database.
    values_utc = values.cast(pa.timestamp(kind.unit)) if pa.types.is_timestamp(kind) else values
    # As Arrow writes them: Python's datetime ends with the year 9999 and has no nanoseconds.
    bounds = pc.min_max(values_utc)
    return ColumnProfile(
        name=name,
        type=str(kind),
        nulls=values.null_count,
        distinct=pc.count_distinct(values_utc).as_py(),
        minimum=bounds["min"].cast(pa.string()).as_py(),
        maximum=bounds["max"].cast(pa.string()).as_py(),
    )


def _dictionary(name: str, values: pa.ChunkedArray) -> ColumnProfile:
    plain = pa.chunked_array([chunk.dictionary_decode() for chunk in values.chunks], values.type.value_type)
    if not (pa.types.is_string(plain.type) or pa.types.is_large_string(plain.type)):
        try:
            plain = plain.cast(pa.string())
        except pa.ArrowNotImplementedError:
            return _other(name, values)
    return _category(name, plain, str(values.type))


def _category(name: str, values: pa.ChunkedArray, kind: str = "") -> ColumnProfile:
    counted = pc.value_counts(values.cast(pa.large_string()).drop_null())
    pairs = pa.table({"value": counted.field("values"), "count": counted.field("counts")})
    commonest = pairs.sort_by([("count", "descending"), ("value", "ascending")]).slice(0, TOP).to_pylist()
    return ColumnProfile(
        name=name,
        type=kind or str(values.type),
        nulls=values.null_count,
        distinct=len(counted),
        top=tuple((_short(pair["value"]), pair["count"]) for pair in commonest),
    )


def _other(name: str, values: pa.ChunkedArray) -> ColumnProfile:
    return ColumnProfile(name=name, type=str(values.type), nulls=values.null_count)


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"
