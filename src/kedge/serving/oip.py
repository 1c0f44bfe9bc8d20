"""The Open Inference Protocol v2 over JSON: requests to rows, answers to responses.

Inputs are given by column name with shape [n] or [n, 1], or as one tensor. `null` stands for a missing value: NaN in
floating-point tensors (FP16, FP32, FP64) and None in BYTES; integers and booleans cannot be missing. An answer's NaN
is `null` too, since JSON has no NaN.
"""

import itertools
import math
from typing import Any

import msgspec
import numpy as np

from kedge.core.errors import Invalid
from kedge.serving.model import Model, datatype, tensor_datatype
from kedge.serving.signature import COLUMN_TYPES, Array, Inputs, fit, fit_matrix

DATATYPES: dict[str, np.dtype[Any]] = {
    "BOOL": np.dtype(np.bool_),
    **{f"INT{bits}": np.dtype(f"int{bits}") for bits in (8, 16, 32, 64)},
    **{f"UINT{bits}": np.dtype(f"uint{bits}") for bits in (8, 16, 32, 64)},
    **{f"FP{bits}": np.dtype(f"float{bits}") for bits in (16, 32, 64)},
    "BYTES": np.dtype(object),
}
_ALLOWED: dict[str, frozenset[type]] = {
    "b": frozenset({bool}),
    "i": frozenset({int}),
    "u": frozenset({int}),
    "f": frozenset({int, float, type(None)}),
    "O": frozenset({str, type(None)}),
}
_RULES = {
    "b": "true or false",
    "i": "an integer in its range",
    "u": "an integer in its range",
    "f": "a number in its range, or null for a missing one",
    "O": "text, or null for a missing one",
}
_MOST_DIMENSIONS = 8
_MOST_AHEAD_MS = 86_400_000
_LONGEST_ID = 256


class TensorIn(msgspec.Struct):
    """An input tensor of a request."""

    name: str
    shape: list[int]
    datatype: str
    data: list[Any]


class Wanted(msgspec.Struct):
    """An output that the request asks for."""

    name: str


class Request(msgspec.Struct):
    """An inference request; members that the protocol lets pass unread are not listed."""

    inputs: list[TensorIn]
    id: str | None = None
    parameters: dict[str, Any] | None = None
    outputs: list[Wanted] | None = None


class TensorOut(msgspec.Struct):
    """An output tensor of a response."""

    name: str
    shape: list[int]
    datatype: str
    data: list[Any]


class Response(msgspec.Struct, omit_defaults=True):
    """An inference response."""

    model_name: str
    model_version: str
    id: str
    outputs: list[TensorOut]


_requests = msgspec.json.Decoder(Request)


def read_request(body: bytes) -> Request:
    """Decode a body. Raises Invalid with the path of the first wrong member."""
    try:
        request = _requests.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise Invalid(f"the body is not an inference request: {error}") from error
    if request.id is not None and len(request.id) > _LONGEST_ID:
        raise Invalid(f"the id has {len(request.id)} characters: at most {_LONGEST_ID} are taken")
    return request


def event_time_ms(request: Request, now_ms: int) -> int | None:
    """The request's own `event_time_ms` parameter.

    A time far ahead is refused: it would close every monitor's windows up to then.
    """
    value = (request.parameters or {}).get("event_time_ms")
    if value is None:
        return None
    if type(value) is not int or not 0 <= value < 2**53:
        raise Invalid(
            f"parameter 'event_time_ms' is {value!r}: it must be milliseconds since 1970, an integer"
        )
    if value > now_ms + _MOST_AHEAD_MS:
        raise Invalid(f"parameter 'event_time_ms' is {value}: it lies more than a day ahead of now, {now_ms}")
    return value


def read_inputs(request: Request, model: Model) -> Inputs:
    """The request's rows as the model takes them. Raises Invalid naming the tensor, the value and the rule."""
    tensors = request.inputs
    if not tensors:
        raise Invalid("the request has no inputs: at least one is needed")
    names = [tensor.name for tensor in tensors]
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise Invalid(f"input {twice!r} is given twice: names must differ")
    if len(tensors) == 1 and _is_matrix(tensors[0], model):
        return fit_matrix(_array(tensors[0]), model.signature)
    if model.signature.tensor is not None:
        wanted = model.signature.tensor
        raise Invalid(
            f"{len(tensors)} inputs ({', '.join(names)}) are given: the model takes one tensor, {wanted.name!r}"
        )
    return fit({tensor.name: _column(tensor) for tensor in tensors}, model.signature)


def write_response(
    model: Model, answers: Array, *, name: str, version: str, request_id: str, wanted: list[Wanted] | None
) -> bytes:
    """Encode the answers; `wanted` selects outputs by name. Raises Invalid for one that the model does not have."""
    outputs = model.outputs(answers)
    if wanted:
        for output in wanted:
            if output.name not in outputs:
                raise Invalid(f"output {output.name!r} is not one of the model's: {', '.join(outputs)}")
        outputs = {output.name: outputs[output.name] for output in wanted}
    tensors = [
        TensorOut(name=name, shape=list(array.shape), datatype=datatype(array), data=_listed(array))
        for name, array in outputs.items()
    ]
    return msgspec.json.encode(
        Response(model_name=name, model_version=version, id=request_id, outputs=tensors)
    )


def metadata(name: str, version: str, model: Model) -> dict[str, Any]:
    """What GET /v2/models/{name} answers; -1 is any length."""
    signature = model.signature
    inputs = [
        {
            "name": column.name,
            "datatype": datatype(np.empty(0, COLUMN_TYPES[column.type])),
            "shape": [-1],
            "parameters": {"type": column.type, "required": column.required},
        }
        for column in signature.columns
    ]
    if signature.tensor is not None:
        tensor = signature.tensor
        inputs = [{"name": tensor.name, "datatype": tensor_datatype(tensor), "shape": list(tensor.shape)}]
    outputs: list[dict[str, Any]] = []
    if signature.output_tensor is not None:
        tensor = signature.output_tensor
        outputs = [
            {"name": model.output_name, "datatype": tensor_datatype(tensor), "shape": list(tensor.shape)}
        ]
    elif signature.output_columns:
        names = [column.name for column in signature.output_columns]
        names = [model.output_name] if len(names) == 1 else names
        outputs = [
            {
                "name": given or str(index),
                "datatype": datatype(np.empty(0, COLUMN_TYPES.get(column.type, np.dtype(object)))),
                "shape": [-1],
            }
            for index, (given, column) in enumerate(zip(names, signature.output_columns, strict=True))
        ]
    return {
        "name": name,
        "versions": [version],
        "platform": "mlflow_sklearn",
        "inputs": inputs,
        "outputs": outputs,
    }


def _is_matrix(tensor: TensorIn, model: Model) -> bool:
    if model.signature.tensor is not None:
        return True
    if len(tensor.shape) == 2 and tensor.shape[1] != 1:
        return True
    known = {column.name for column in model.signature.columns} or set(model.feature_names)
    return len(tensor.shape) == 2 and tensor.name not in known


def _column(tensor: TensorIn) -> Array:
    if len(tensor.shape) not in (1, 2) or (len(tensor.shape) == 2 and tensor.shape[1] != 1):
        raise Invalid(f"input {tensor.name!r} has shape {tensor.shape}: a column has shape [n] or [n, 1]")
    return _array(tensor).reshape(-1)


def _array(tensor: TensorIn) -> Array:
    target = DATATYPES.get(tensor.datatype)
    if target is None:
        raise Invalid(
            f"input {tensor.name!r} has datatype {tensor.datatype!r}: one of {', '.join(DATATYPES)}"
        )
    if len(tensor.shape) > _MOST_DIMENSIONS or any(size < 0 for size in tensor.shape):
        raise Invalid(
            f"input {tensor.name!r} has shape {tensor.shape}: at most {_MOST_DIMENSIONS} sizes of 0 or more"
        )
    values = _flat(tensor)
    expected = math.prod(tensor.shape)
    if len(values) != expected:
        raise Invalid(
            f"input {tensor.name!r} has {len(values)} values: shape {tensor.shape} means {expected}"
        )
    if not _ALLOWED[target.kind].issuperset(map(type, values)):
        raise _refused(tensor, values, target)
    if target.kind == "O":
        array: Array = np.empty(len(values), dtype=object)
        array[:] = values
        return array.reshape(tensor.shape)
    try:
        with np.errstate(over="raise"):
            array = np.array(values, dtype=target)
    except (OverflowError, FloatingPointError):
        raise _refused(tensor, values, target) from None
    # JSON has no infinity: one here is a number that overflowed.
    if target.kind == "f" and np.isinf(array).any():
        raise _refused(tensor, values, target)
    return array.reshape(tensor.shape)


def _flat(tensor: TensorIn) -> list[Any]:
    """The data in row-major order; nested lists must have the stated shape."""
    values = tensor.data
    if not values or type(values[0]) is not list:
        return values
    for depth, size in enumerate(tensor.shape):
        if depth == 0:
            if len(values) != size:
                raise Invalid(
                    f"input {tensor.name!r} has {len(values)} rows: shape {tensor.shape} means {size}"
                )
            continue
        if any(type(value) is not list or len(value) != size for value in values):
            raise Invalid(f"input {tensor.name!r} is nested otherwise than its shape {tensor.shape} says")
        values = list(itertools.chain.from_iterable(values))
    return values


def _refused(tensor: TensorIn, values: list[Any], target: np.dtype[Any]) -> Invalid:
    for index, value in enumerate(values):
        if not _fits(value, target):
            shown = repr(value)
            shown = shown if len(shown) <= 80 else shown[:77] + "..."
            return Invalid(
                f"input {tensor.name!r} has {shown} at place {index}: a {tensor.datatype} value is {_RULES[target.kind]}"
            )
    return Invalid(f"input {tensor.name!r} has values that are not {tensor.datatype}")


def _fits(value: Any, target: np.dtype[Any]) -> bool:
    if type(value) not in _ALLOWED[target.kind]:
        return False
    if target.kind in "iu":
        limits = np.iinfo(target)
        return bool(limits.min <= value <= limits.max)
    if target.kind == "f" and value is not None:
        return bool(abs(value) <= float(np.finfo(target).max))
    return True


def _listed(array: Array) -> list[Any]:
    """Values in row-major order that JSON can hold."""
    values: list[Any] = array.reshape(-1).tolist()
    if datatype(array) == "BYTES":
        return [value if value is None or isinstance(value, str) else str(value) for value in values]
    return values
