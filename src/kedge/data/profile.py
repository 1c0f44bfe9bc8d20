"""What the columns of a table hold, small enough to keep beside every version."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kedge.core.datasets import ColumnProfile

BINS = 30
_LARGEST = 1e300  # differences of larger numbers are no longer numbers
TOP = 20
LONGEST = 200


def profile(table: pa.Table) -> tuple[ColumnProfile, ...]:
    """One profile a column: histogram for numbers and times, commonest values for the rest."""
    return tuple(_column(name, table.column(at)) for at, name in enumerate(table.column_names))


def _column(name: str, values: pa.ChunkedArray) -> ColumnProfile:
    kind = values.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return _time(name, values)
    if _is_number(kind):
        return _number(name, values)
    if (
        pa.types.is_boolean(kind)
        or _is_text(kind)
        or (pa.types.is_dictionary(kind) and (_is_text(kind.value_type) or _is_number(kind.value_type)))
    ):
        return _category(name, values)
    return ColumnProfile(name=name, type=str(kind), nulls=values.null_count)


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _number(name: str, values: pa.ChunkedArray) -> ColumnProfile:
    numbers = values.cast(pa.float64(), safe=False).drop_null().to_numpy()
    finite = numbers[np.isfinite(numbers)]
    nulls = len(values) - finite.size
    if not finite.size:
        return ColumnProfile(name=name, type=str(values.type), nulls=nulls, distinct=0)
    distinct = np.unique(finite).size
    with np.errstate(over="ignore"):
        mean = float(finite.mean())
    counts, edges = _histogram(finite, min(BINS, max(distinct, 1)))
    return ColumnProfile(
        name=name,
        type=str(values.type),
        nulls=nulls,
        distinct=int(distinct),
        minimum=float(finite.min()),
        maximum=float(finite.max()),
        mean=mean if np.isfinite(mean) else None,
        bins=tuple(float(edge) for edge in edges),
        counts=tuple(int(count) for count in counts),
    )


def _histogram(finite: np.ndarray, bins: int) -> tuple[np.ndarray, np.ndarray]:
    low, high = float(finite.min()), float(finite.max())
    if max(-low, high) > _LARGEST or high == low or low + (high - low) / bins == low:
        return np.array([finite.size]), np.array([low, high])
    return np.histogram(finite, bins=bins, range=(low, high))


def _time(name: str, values: pa.ChunkedArray) -> ColumnProfile:
    bounds = pc.min_max(values)
    return ColumnProfile(
        name=name,
        type=str(values.type),
        nulls=values.null_count,
        distinct=pc.count_distinct(values).as_py(),
        minimum=_moment(bounds["min"]),
        maximum=_moment(bounds["max"]),
    )


def _moment(bound: pa.Scalar) -> str | None:
    try:
        value = bound.as_py()
    except (OverflowError, ValueError):  # a year that Python's dates do not reach
        return f"{bound.type}:{bound.value}"
    return None if value is None else str(value.isoformat())


def _category(name: str, values: pa.ChunkedArray) -> ColumnProfile:
    counted = pc.value_counts(values.cast(pa.string()).drop_null())
    pairs = sorted(
        ((str(each["values"]), int(each["counts"])) for each in counted.to_pylist()),
        key=lambda pair: (-pair[1], pair[0]),
    )
    top = tuple((_shortened(value), count) for value, count in pairs[:TOP])
    return ColumnProfile(
        name=name, type=str(values.type), nulls=values.null_count, distinct=len(pairs), top=top
    )


def _shortened(text: str) -> str:
    """A column of documents must not make its profile as large as they are."""
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
