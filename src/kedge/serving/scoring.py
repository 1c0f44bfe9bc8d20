"""MLflow's scoring protocol: JSON in one of four shapes, or CSV, to rows; answers to `{"predictions": ...}`."""

import csv
import io
import itertools
import math
from typing import Any

import msgspec
import numpy as np

from kedge.core.errors import Invalid
from kedge.serving.model import Model
from kedge.serving.signature import COLUMN_TYPES, Array, Column, Inputs, fit, fit_matrix

SHAPES = ("dataframe_split", "dataframe_records", "instances", "inputs")
_MOST_SHOWN = 40


class Split(msgspec.Struct):
    """A data frame as pandas writes it with orient="split"."""

    columns: list[str]
    data: list[list[Any]]


def read_json(body: bytes, model: Model) -> Inputs:
    """Rows of a JSON body, which has exactly one of SHAPES. Raises Invalid."""
    try:
        fields = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise Invalid(f"the body is not JSON: {error}") from error
    if not isinstance(fields, dict):
        raise Invalid(
            f"the body is a JSON {type(fields).__name__}: an object with one of {', '.join(SHAPES)} is taken"
        )
    given = [shape for shape in SHAPES if shape in fields]
    if len(given) != 1:
        raise Invalid(
            f"the body has {' and '.join(given) or 'none'} of {', '.join(SHAPES)}: exactly one is taken"
        )
    value = fields[given[0]]
    if given[0] == "dataframe_split":
        return _from_columns(_split(value), model)
    if given[0] == "dataframe_records":
        return _from_columns(_records(value, "dataframe_records"), model)
    if isinstance(value, dict):
        if given[0] == "instances":
            raise Invalid("instances is an object: a list of rows is taken")
        return _from_columns({name: _listed(name, column) for name, column in value.items()}, model)
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return _from_columns(_records(value, given[0]), model)
    return fit_matrix(_matrix(value, given[0], model), model.signature)


def read_csv(body: bytes, model: Model) -> Inputs:
    """Rows of CSV with a header; an empty field is missing. Raises Invalid."""
    try:
        rows = list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise Invalid(f"the body is not CSV in UTF-8: {error}") from error
    rows = [row for row in rows if row]
    if not rows:
        raise Invalid("the body is empty: CSV with a header is taken")
    header, data = rows[0], rows[1:]
    columns = _turned(header, data)
    kinds = {column.name: column.type for column in model.signature.columns}
    typed = {
        name: [_typed(text, kinds.get(name), name, row) for row, text in enumerate(column)]
        for name, column in columns.items()
    }
    return _from_columns(typed, model)


def write_answer(answers: Array) -> bytes:
    """`{"predictions": ...}`; NaN is null."""
    values: Any = answers.tolist()
    return msgspec.json.encode({"predictions": values}, enc_hook=str)


def _split(value: Any) -> dict[str, list[Any]]:
    try:
        split = msgspec.convert(value, Split)
    except msgspec.ValidationError as error:
        raise Invalid(f"dataframe_split is not what is expected: {error}") from error
    return _turned(split.columns, split.data)


def _turned(names: list[str], rows: list[list[Any]]) -> dict[str, list[Any]]:
    if len(set(names)) != len(names):
        raise Invalid("a column is named twice: names must differ")
    for index, row in enumerate(rows):
        if len(row) != len(names):
            raise Invalid(f"row {index} has {len(row)} values: there are {len(names)} columns")
    return {name: [row[place] for row in rows] for place, name in enumerate(names)}


def _records(value: Any, what: str) -> dict[str, list[Any]]:
    if not isinstance(value, list) or not all(isinstance(record, dict) for record in value):
        raise Invalid(f"{what} is not a list of objects")
    names = dict.fromkeys(itertools.chain.from_iterable(value))
    return {name: [record.get(name) for record in value] for name in names}


def _listed(name: str, column: Any) -> list[Any]:
    if not isinstance(column, list):
        raise Invalid(f"inputs has {type(column).__name__} under {name!r}: a list of values is taken")
    return [value[0] if isinstance(value, list) and len(value) == 1 else value for value in column]


def _from_columns(columns: dict[str, list[Any]], model: Model) -> Inputs:
    known = {column.name: column for column in model.signature.columns}
    tensor = model.signature.tensor
    arrays = {
        name: _column(values, known.get(name) or Column(name=name, type=""))
        for name, values in columns.items()
    }
    if tensor is not None:
        if len(tensor.shape) != 2:
            raise Invalid(f"columns are given: the model takes one tensor of shape {list(tensor.shape)}")
        if any(array.dtype == object for array in arrays.values()):
            raise Invalid("a column holds text: the model takes numbers")
        lengths = {len(array) for array in arrays.values()}
        if len(lengths) != 1:
            raise Invalid("the columns differ in length, or there are none")
        return fit_matrix(np.stack(list(arrays.values()), axis=1), model.signature)
    return fit(arrays, model.signature)


def _column(values: list[Any], column: Column) -> Array:
    """Python values as an array near the column's type; `fit` makes it exact."""
    kinds = set(map(type, values))
    target = COLUMN_TYPES.get(column.type)
    if kinds <= {bool}:
        return np.array(values, dtype=np.bool_ if values or target is None else target)
    if kinds <= {int} and (target is None or target.kind != "f"):
        return _numbers(values, np.dtype(np.int64), column.name)
    if kinds <= {int, float, type(None)} and (target is None or target.kind not in "OM"):
        return _numbers(values, np.dtype(np.float64), column.name)
    if kinds <= {str, type(None)}:
        array: Array = np.empty(len(values), dtype=object)
        array[:] = values
        return array
    raise Invalid(
        f"column {column.name!r} mixes {', '.join(sorted(kind.__name__ for kind in kinds))}: "
        f"the model takes {column.type or 'one type'}"
    )


def _numbers(values: list[Any], target: np.dtype[Any], name: str) -> Array:
    try:
        return np.array(values, dtype=target)
    except OverflowError:
        raise Invalid(f"column {name!r} has a number that does not fit {target}") from None


def _matrix(value: Any, what: str, model: Model) -> Array:
    if not isinstance(value, list):
        raise Invalid(f"{what} is {type(value).__name__}: a list of rows is taken")
    try:
        array: Array = np.array(value)
    except (ValueError, OverflowError, RecursionError) as error:
        raise Invalid(f"{what} is not one array: {error}") from error
    if array.dtype.kind == "U":
        # numpy makes text of numbers beside text: only pure text is meant.
        array = np.array(value, dtype=object)
        if not all(isinstance(entry, str) for entry in array.flat):
            raise Invalid(f"{what} mixes text and numbers: give columns by name")
    elif array.dtype == object:
        array = _with_missing(value, what)
    if array.ndim == 1 and len(model.signature.columns) == 1:
        array = array.reshape(-1, 1)
    return array


def _with_missing(value: list[Any], what: str) -> Array:
    flat = np.array(value, dtype=object)
    if not all(entry is None or type(entry) in (int, float) for entry in flat.flat):
        raise Invalid(f"{what} holds values that are not numbers: give columns by name")
    try:
        return flat.astype(np.float64)
    except OverflowError:
        raise Invalid(f"{what} has a number that does not fit float64") from None


def _typed(text: str, kind: str | None, name: str, row: int) -> Any:
    if text == "" and kind not in ("long", "integer", "boolean"):
        return None
    try:
        if kind in ("long", "integer"):
            return int(text)
        value: Any = float(text) if kind in ("double", "float") else text
        if kind == "boolean":
            value = {"true": True, "false": False}[text.lower()]
    except (ValueError, KeyError):
        raise _refused(text, name, row, f"the model takes {kind}") from None
    value = value if kind else _guessed(text)
    if isinstance(value, float) and math.isinf(value):
        # More digits than fit become infinity; JSON cannot say it at all.
        raise _refused(text, name, row, "a number must be finite")
    return value


def _refused(text: str, name: str, row: int, rule: str) -> Invalid:
    shown = text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}... ({len(text)} characters)"
    return Invalid(f"column {name!r} has the value {shown!r} in row {row}: {rule}")


def _guessed(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
