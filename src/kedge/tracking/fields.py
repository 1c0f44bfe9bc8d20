"""Request messages as MLflow reads them: protobuf's JSON mapping, over plain declarations of fields.

MLflow parses into protobuf messages and then validates the JSON again. What it accepts (numbers as strings, both spellings
of a name, a prefix of the fields when a later one is wrong) is part of what its clients meet, so it is kept here.
"""

import functools
import math
import re
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from kedge.core.mlflow_error import invalid_parameter

Kind = Literal["string", "int64", "int32", "double", "bool", "enum", "message"]
_SURROGATE = re.compile("[\ud800-\udfff]")
_BOUNDS = {"int64": (-(2**63), 2**63 - 1), "int32": (-(2**31), 2**31 - 1)}
_QUOTED = {"Infinity": math.inf, "-Infinity": -math.inf, "NaN": math.nan}


class Field(msgspec.Struct, frozen=True):
    """A field; `options` are an enum's names, numbered from `first`, and `message` what a message is made of."""

    kind: Kind
    repeated: bool = False
    options: tuple[str, ...] = ()
    message: Mapping[str, "Field"] = {}
    first: int = 1


Message = Mapping[str, Field]
STRING, INT64, INT32, DOUBLE = Field("string"), Field("int64"), Field("int32"), Field("double")
STRINGS = Field("string", repeated=True)
BOOL = Field("bool")


def messages(fields: Message) -> Field:
    """A repeated message."""
    return Field("message", repeated=True, message=fields)


class NotParsed(ValueError):
    """A value does not fit its field."""


@functools.cache
def _spellings(names: tuple[str, ...]) -> dict[str, str]:
    """What each field may be called, to its name."""
    return {json_name(name): name for name in names} | {name: name for name in names}


def json_name(name: str) -> str:
    """The lowerCamelCase spelling that protobuf accepts beside the name itself.

    Examples
    --------
    >>> json_name("run_id"), json_name("key")
    ('runId', 'key')
    """
    head, *rest = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)


def parse(message: Message, body: Any, into: dict[str, Any]) -> bool:
    """Fill `into` from a JSON object, in its order; False where a value did not fit: what came before it stays.

    Names that are on no list are ignored, null leaves a field unset.
    """
    spellings = _spellings(tuple(message))
    try:
        for given, value in body.items():
            name = spellings.get(given)
            if name is not None:
                _set(message[name], name, value, into)
    except (NotParsed, AttributeError):
        return False
    return True


def _set(field: Field, name: str, value: Any, into: dict[str, Any]) -> None:
    if value is None:
        into.pop(name, None)
    elif field.repeated:
        filled: list[Any] = []
        into[name] = filled
        if not isinstance(value, list):
            raise NotParsed(name)
        for item in value:
            if field.kind == "message":
                inner: dict[str, Any] = {}
                filled.append(inner)
                _message(field, item, inner)
            else:
                filled.append(_scalar(field, item))
    elif field.kind == "message":
        inner = into[name] = {}
        _message(field, value, inner)
    elif (scalar := _scalar(field, value)) is not None:
        into[name] = scalar


def _message(field: Field, value: Any, into: dict[str, Any]) -> None:
    if not parse(field.message, value, into):
        raise NotParsed(value)


def _scalar(field: Field, value: Any) -> Any:
    if field.kind == "string":
        if not isinstance(value, str) or _SURROGATE.search(value):
            raise NotParsed(value)
        return value
    if field.kind == "double":
        return _double(value)
    if field.kind == "enum":
        return _option(field, value)
    if field.kind == "bool":
        if not isinstance(value, bool):
            raise NotParsed(value)
        return value
    return _integer(value, *_BOUNDS[field.kind])


def _integer(value: Any, low: int, high: int) -> int:
    if isinstance(value, bool) or (isinstance(value, str) and " " in value):
        raise NotParsed(value)
    if isinstance(value, float) and not value.is_integer():
        raise NotParsed(value)
    try:
        number = int(value)
    except ValueError:
        number = _integral(value)
    except (TypeError, OverflowError) as error:
        raise NotParsed(value) from error
    if not low <= number <= high:
        raise NotParsed(value)
    return number


def _integral(text: Any) -> int:
    try:
        number = float(text)
        if number.is_integer():
            return int(number)
    except (ValueError, OverflowError) as error:
        raise NotParsed(text) from error
    raise NotParsed(text)


def _double(value: Any) -> float:
    if value == "nan" or (isinstance(value, float) and not math.isfinite(value)):
        raise NotParsed(value)
    try:
        return float(value)
    except ValueError as error:
        if value in _QUOTED:
            return _QUOTED[value]
        raise NotParsed(value) from error
    except TypeError as error:
        raise NotParsed(value) from error
    except OverflowError as error:  # no prefix of such a body stands: zero would be stored for the number
        raise invalid_parameter("A number is out of the range of doubles.") from error


def _option(field: Field, value: Any) -> str | None:
    """The option's name; None for a name that is on no list, which protobuf passes over like an unknown field."""
    if isinstance(value, str) and value in field.options:
        return value
    try:
        place = int(value) - field.first
    except ValueError:
        return None
    except (TypeError, OverflowError) as error:
        raise NotParsed(value) from error
    if not 0 <= place < len(field.options):
        raise NotParsed(value)
    return field.options[place]


def refuse_two_spellings(message: Message, body: Any) -> None:
    """Raise MlflowError where an object spells one field both ways: which of the two would count?"""
    if not isinstance(body, dict):
        return
    for other, name in _spellings(tuple(message)).items():
        field = message[name]
        if other != name and name in body and other in body:
            raise invalid_parameter(
                f"Request specifies both '{name}' and '{other}'; provide only one of them."
            )
        if field.kind == "message":
            value = body.get(name, body.get(other))
            for item in value if isinstance(value, list) else [value]:
                refuse_two_spellings(field.message, item)
