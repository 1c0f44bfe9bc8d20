"""Values between steps, stored by type in open formats: JSON, Parquet, npy; cloudpickle for the rest.

Only step processes load them. The web process shows the summary and never unpickles.
"""

import io
import math
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from kedge.core.errors import Invalid
from kedge.core.objects import ObjectStore
from kedge.core.pipelines import StepOutput

_SUMMARY_LENGTH = 200
_KIND = b"kedge.value"
_KEPT_OBJECTS = frozenset({"string", "bytes", "date", "time", "decimal", "empty"})


def store(value: Any, objects: ObjectStore, step: str) -> StepOutput:
    """Store what a step returned. Raises Invalid naming the step when it cannot be."""
    content, form, summary = _encode(value, step)
    return StepOutput(object_id=objects.put([content]), format=form, size_bytes=len(content), summary=summary)


def load(output: StepOutput, objects: ObjectStore) -> Any:
    """The value again."""
    path = objects.path(output.object_id)
    match output.format:
        case "json":
            return msgspec.json.decode(path.read_bytes())
        case "parquet":
            return _from_parquet(path)
        case "npy":
            return np.load(path, allow_pickle=False)
        case "pickle":
            return _unpickle(path)
        case other:
            raise Invalid(f"an output of unknown format {other!r}")


def _from_parquet(path: Path) -> Any:
    table = pq.read_table(path)
    metadata = dict(table.schema.metadata or {})
    kind = metadata.pop(_KIND, b"arrow")
    table = table.replace_schema_metadata(metadata or None)
    return table.to_pandas() if kind == b"pandas" else table


def _unpickle(path: Path) -> Any:
    import cloudpickle  # only steps with unusual values need it

    return cloudpickle.loads(path.read_bytes())


def _encode(value: Any, step: str) -> tuple[bytes, str, str]:
    table = _as_table(value)
    content = None if table is None else _parquet(table, value)
    if table is not None and content is not None:
        return content, "parquet", f"table, {table.num_rows:,} rows x {table.num_columns} columns"
    if type(value) in (np.ndarray, np.memmap) and not value.dtype.hasobject and not value.dtype.metadata:
        buffer = io.BytesIO()
        np.save(buffer, value, allow_pickle=False)
        return buffer.getvalue(), "npy", f"array {value.dtype} {value.shape}"
    try:
        plain = _without_numpy_scalars(value)
        if _is_json(plain):
            content = msgspec.json.encode(plain)
            return content, "json", _shortened(content.decode())
    except RecursionError:  # a list that holds itself
        return _pickled(value, step)
    return _pickled(value, step)


def _as_table(value: Any) -> pa.Table | None:
    if isinstance(value, pa.Table):
        return value
    if not (type(value).__module__.startswith("pandas.") and type(value).__name__ == "DataFrame"):
        return None
    if not _arrow_keeps(value):
        return None
    try:
        return pa.Table.from_pandas(value)
    except (pa.ArrowException, TypeError, ValueError):  # mixed columns, doubled names: not for Arrow
        return None


def _arrow_keeps(frame: Any) -> bool:
    """Whether Arrow would give back the same frame: lists, dicts and numbers among objects come back as others."""
    from pandas.api.types import infer_dtype

    if frame.columns.nlevels == 1 and frame.columns.inferred_type.startswith("mixed"):
        return False
    if not _is_json(frame.attrs):
        return False
    indices = [frame.index.get_level_values(level) for level in range(frame.index.nlevels)]
    columns = [
        frame.iloc[:, at]
        for at, kind in enumerate(frame.dtypes)
        if kind.kind == "O" and type(kind).__module__.startswith("numpy")
    ]
    return all(
        infer_dtype(each, skipna=True) in _KEPT_OBJECTS
        for each in (*columns, *(index for index in indices if index.dtype == object))
    )


def _without_numpy_scalars(value: Any) -> Any:
    """`value` with NumPy's numbers, as metrics are, as Python's."""
    if isinstance(value, np.bool_ | np.integer | np.float64 | np.float32):
        return value.item()
    if type(value) is list:
        return [_without_numpy_scalars(each) for each in value]
    if type(value) is dict:
        return {key: _without_numpy_scalars(each) for key, each in value.items()}
    return value


def _is_json(value: Any) -> bool:
    """Whether JSON gives back the same value: tuples, sets and NaN do not survive it."""
    if value is None or isinstance(value, bool):
        return True
    if type(value) is str:
        return value.isascii() or value.encode(errors="replace").decode() == value  # no lone surrogates
    if type(value) in (int, float):
        return (
            not math.isnan(value)
            and value not in (float("inf"), float("-inf"))
            and (type(value) is float or abs(value) < 2**53)
        )
    if type(value) is list:
        return all(_is_json(each) for each in value)
    if type(value) is dict:
        return all(type(key) is str and _is_json(key) and _is_json(each) for key, each in value.items())
    return False


def _pickled(value: Any, step: str) -> tuple[bytes, str, str]:
    import cloudpickle

    try:
        content = cloudpickle.dumps(value)
    except Exception as error:
        kind = type(value).__name__
        raise Invalid(
            f"step {step!r} returned a {kind}, which cannot be stored: {error}",
            hint="return what can be pickled, a table, an array or plain values",
        ) from error
    return content, "pickle", _described(value)


def _described(value: Any) -> str:
    kind = type(value).__name__
    try:
        return _shortened(f"{kind} {value!r}")
    except Exception:  # noqa: BLE001 - a repr of the user's that fails is no reason to lose the value
        return kind


def _parquet(table: pa.Table, value: Any) -> bytes | None:
    """None for what Parquet cannot hold, or would not give back: some types, two columns of one name."""
    if len(set(table.column_names)) != table.num_columns:
        return None
    # Arrow tables that came from pandas carry its metadata too; this tells which of both the step returned.
    kind = b"arrow" if isinstance(value, pa.Table) else b"pandas"
    table = table.replace_schema_metadata({**(table.schema.metadata or {}), _KIND: kind})
    buffer = io.BytesIO()
    try:
        pq.write_table(table, buffer, compression="zstd")
    except pa.ArrowException:
        return None
    content = buffer.getvalue()
    return content if pq.read_schema(pa.BufferReader(content)).equals(table.schema) else None


def _shortened(text: str) -> str:
    return text if len(text) <= _SUMMARY_LENGTH else text[: _SUMMARY_LENGTH - 1] + "…"
