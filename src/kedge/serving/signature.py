"""What a model takes: MLflow's signature read from MLmodel, and values cast to it."""

import datetime as dt
import math
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from kedge.core.errors import Invalid

Array = npt.NDArray[Any]

COLUMN_TYPES: dict[str, np.dtype[Any]] = {
    "boolean": np.dtype(np.bool_),
    "integer": np.dtype(np.int32),
    "long": np.dtype(np.int64),
    "float": np.dtype(np.float32),
    "double": np.dtype(np.float64),
    "string": np.dtype(object),
    "binary": np.dtype(object),
    "datetime": np.dtype("datetime64[ns]"),
}
"""MLflow's column types and the arrays that hold them; missing values are NaN, None and NaT where the type has one."""


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A named input or output of one of COLUMN_TYPES."""

    name: str
    type: str
    required: bool = True


class Tensor(msgspec.Struct, frozen=True, kw_only=True):
    """An input or output that is one array; -1 is any length, and the first dimension counts rows."""

    name: str
    dtype: str
    shape: tuple[int, ...]


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """Inputs are columns, or one tensor, or unknown (both empty); outputs likewise."""

    columns: tuple[Column, ...] = ()
    tensor: Tensor | None = None
    output_columns: tuple[Column, ...] = ()
    output_tensor: Tensor | None = None


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of a request: named columns of equal length, or one array whose first dimension counts rows."""

    rows: int
    columns: dict[str, Array] = {}
    matrix: Array | None = None

    def schema(self) -> tuple[Any, ...]:
        """Equal for requests that may be joined into one."""
        if self.matrix is not None:
            return (self.matrix.dtype.str, self.matrix.shape[1:])
        return tuple((name, column.dtype.str) for name, column in self.columns.items())


def joined(parts: Sequence[Inputs]) -> Inputs:
    """The rows of all parts, in order; the parts have one schema."""
    if len(parts) == 1:
        return parts[0]
    rows = sum(part.rows for part in parts)
    if parts[0].matrix is not None:
        return Inputs(rows=rows, matrix=np.concatenate([p.matrix for p in parts if p.matrix is not None]))
    names = parts[0].columns
    return Inputs(rows=rows, columns={n: np.concatenate([part.columns[n] for part in parts]) for n in names})


def read_signature(fields: dict[str, Any]) -> Signature:
    """The `signature` of an MLmodel file. Raises Invalid where it holds what cannot be served."""
    columns, tensor = _side(fields.get("inputs"), "input")
    output_columns, output_tensor = _side(fields.get("outputs"), "output", strict=False)
    return Signature(
        columns=columns, tensor=tensor, output_columns=output_columns, output_tensor=output_tensor
    )


def _side(text: str | None, what: str, *, strict: bool = True) -> tuple[tuple[Column, ...], Tensor | None]:
    if not text:
        return (), None
    entries: list[dict[str, Any]] = msgspec.json.decode(text)
    tensors = [entry for entry in entries if entry.get("type") == "tensor"]
    if tensors:
        if len(entries) != 1:
            raise Invalid(f"the signature has {len(entries)} {what} tensors: one can be served")
        spec = tensors[0]["tensor-spec"]
        name = tensors[0].get("name") or f"{what}-0"
        return (), Tensor(name=name, dtype=spec["dtype"], shape=tuple(spec["shape"]))
    columns = []
    for index, entry in enumerate(entries):
        kind = entry.get("type", "")
        if strict and kind not in COLUMN_TYPES:
            raise Invalid(
                f"{what} {entry.get('name', index)!r} has type {kind!r}: columns of type "
                f"{', '.join(COLUMN_TYPES)} can be served"
            )
        columns.append(
            Column(name=entry.get("name", ""), type=str(kind), required=entry.get("required", True))
        )
    return tuple(columns), None


def fit(columns: dict[str, Array], signature: Signature) -> Inputs:
    """Arrays by name, cast and put in the signature's order; absent optional columns are filled as missing."""
    rows = _equal_rows(columns)
    if not signature.columns:
        return Inputs(rows=rows, columns=columns)
    known = {column.name for column in signature.columns}
    unknown = [name for name in columns if name not in known]
    if unknown:
        raise Invalid(f"input {unknown[0]!r} is not one of the model's: {', '.join(sorted(known))}")
    fitted: dict[str, Array] = {}
    for column in signature.columns:
        if column.name in columns:
            fitted[column.name] = cast(columns[column.name], column)
        elif column.required:
            raise Invalid(f"input {column.name!r} ({column.type}) is missing: the model requires it")
        else:
            fitted[column.name] = _missing(column, rows)
    return Inputs(rows=rows, columns=fitted)


def fit_matrix(matrix: Array, signature: Signature) -> Inputs:
    """One array: the model's tensor, or its columns side by side in the signature's order."""
    if matrix.ndim < 1 or len(matrix) == 0:
        raise Invalid(f"an input of shape {list(matrix.shape)} has no rows: at least one is needed")
    if signature.columns:
        if matrix.ndim != 2 or matrix.shape[1] != len(signature.columns):
            raise Invalid(
                f"an input of shape {list(matrix.shape)} does not fit: the model takes {len(signature.columns)} "
                f"columns ({', '.join(c.name for c in signature.columns)}), as named inputs or as one of shape "
                f"[n, {len(signature.columns)}]"
            )
        return fit({c.name: matrix[:, i] for i, c in enumerate(signature.columns)}, signature)
    if signature.tensor is None:
        if matrix.dtype == object:
            raise Invalid(
                "text cannot be given as one tensor to a model without a signature: name the columns"
            )
        return Inputs(rows=len(matrix), matrix=matrix)
    wanted = signature.tensor
    fits = matrix.ndim == len(wanted.shape) and all(
        want in (-1, have) for want, have in zip(wanted.shape, matrix.shape, strict=True)
    )
    if not fits:
        raise Invalid(
            f"input {wanted.name!r} has shape {list(matrix.shape)}: the model takes {list(wanted.shape)}"
        )
    return Inputs(rows=len(matrix), matrix=_cast_numbers(matrix, np.dtype(wanted.dtype), wanted.name))


def cast(values: Array, column: Column) -> Array:
    """An array as the column's type. Raises Invalid naming the first value that does not fit."""
    target = COLUMN_TYPES[column.type]
    if column.type in ("string", "binary"):
        if values.dtype != object:
            raise Invalid(f"input {column.name!r} holds {values.dtype} values: the model takes {column.type}")
        return values
    if column.type == "datetime":
        return _cast_times(values, column)
    return _cast_numbers(values, target, column.name)


def _cast_numbers(values: Array, target: np.dtype[Any], name: str) -> Array:
    if values.dtype == target:
        return values
    if (
        values.dtype == object
        or values.dtype.kind == "M"
        or (target.kind == "b") != (values.dtype.kind == "b")
    ):
        raise Invalid(f"input {name!r} holds {_kind(values)} values: the model takes {target}")
    with np.errstate(all="ignore"):
        changed = values.astype(target)
    if target.kind in "iu":
        # Compared by value in the source type: catches fractions, NaN and what overflows.
        wrong = (changed.astype(values.dtype) != values) | ((changed < 0) != (values < 0))
    elif target.kind == "f":
        wrong = np.isinf(changed) & np.isfinite(values)
    else:
        return changed
    if wrong.any():
        raise Invalid(f"input {name!r} has the value {values[wrong].flat[0]}: the model takes {target}")
    return changed


def _kind(values: Array) -> str:
    return "text" if values.dtype == object else str(values.dtype)


def _cast_times(values: Array, column: Column) -> Array:
    if values.dtype.kind == "M":
        return values.astype("datetime64[ns]")
    if values.dtype != object:
        raise Invalid(f"input {column.name!r} holds {values.dtype} values: a datetime is ISO 8601 text")
    found = []
    for value in values:
        try:
            moment = None if value is None else dt.datetime.fromisoformat(value)
        except (TypeError, ValueError):
            raise Invalid(
                f"input {column.name!r} has the value {value!r}: a datetime is ISO 8601 text"
            ) from None
        if moment is not None and moment.tzinfo is not None:
            moment = moment.astimezone(dt.UTC).replace(tzinfo=None)
        found.append(np.datetime64("NaT", "us") if moment is None else np.datetime64(moment, "us"))
    return np.array(found, dtype="datetime64[us]").astype("datetime64[ns]")


def _equal_rows(columns: dict[str, Array]) -> int:
    if not columns:
        raise Invalid("the request has no inputs: at least one is needed")
    lengths = {name: len(column) for name, column in columns.items()}
    first = next(iter(lengths))
    for name, length in lengths.items():
        if length != lengths[first]:
            raise Invalid(
                f"input {name!r} has {length} rows but {first!r} has {lengths[first]}: all inputs must have as many"
            )
    if lengths[first] == 0:
        raise Invalid(f"input {first!r} has no rows: at least one is needed")
    return lengths[first]


def _missing(column: Column, rows: int) -> Array:
    target = COLUMN_TYPES[column.type]
    if target.kind == "O":
        return np.full(rows, None, dtype=object)
    if target.kind == "f":
        return np.full(rows, math.nan, dtype=target)
    if target.kind == "M":
        return np.full(rows, np.datetime64("NaT"), dtype=target)
    raise Invalid(f"input {column.name!r} is missing: a {column.type} column cannot hold missing values")
