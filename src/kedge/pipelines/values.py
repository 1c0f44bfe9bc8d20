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
            table = pq.read_table(path)
            return table.to_pandas() if b"pandas" in (table.schema.metadata or {}) else table
        case "npy":
            return np.load(path, allow_pickle=False)
        case "pickle":
            return _unpickle(path)
        case other:
            raise Invalid(f"an output of unknown format {other!r}")


def _unpickle(path: Path) -> Any:
    import cloudpickle  # only steps with unusual values need it

    return cloudpickle.loads(path.read_bytes())


def _encode(value: Any, step: str) -> tuple[bytes, str, str]:
    if isinstance(value, pa.Table):
        return _parquet(value), "parquet", f"table, {value.num_rows:,} rows x {value.num_columns} columns"
    if type(value).__module__.startswith("pandas.") and type(value).__name__ == "DataFrame":
        table = pa.Table.from_pandas(value)
        return _parquet(table), "parquet", f"table, {len(value):,} rows x {len(value.columns)} columns"
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        buffer = io.BytesIO()
        np.save(buffer, value, allow_pickle=False)
        return buffer.getvalue(), "npy", f"array {value.dtype} {value.shape}"
    if _is_json(value):
        content = msgspec.json.encode(value)
        return content, "json", _shortened(content.decode())
    return _pickled(value, step)


def _is_json(value: Any) -> bool:
    """Whether JSON gives back the same value: tuples, sets and NaN do not survive it."""
    if value is None or isinstance(value, bool | str):
        return True
    if type(value) in (int, float):
        return (
            not math.isnan(value)
            and value not in (float("inf"), float("-inf"))
            and (type(value) is float or abs(value) < 2**53)
        )
    if type(value) is list:
        return all(_is_json(each) for each in value)
    if type(value) is dict:
        return all(type(key) is str and _is_json(each) for key, each in value.items())
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
    return content, "pickle", _shortened(f"{type(value).__name__} {value!r}")


def _parquet(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def _shortened(text: str) -> str:
    return text if len(text) <= _SUMMARY_LENGTH else text[: _SUMMARY_LENGTH - 1] + "…"
