"""A request's body or query, checked as MLflow checks it."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from kedge.core.mlflow_error import MlflowError, invalid_parameter
from kedge.tracking.fields import Message, parse, refuse_two_spellings

Check = Callable[[Any], bool]
_SEE = " See the API docs for more information about request parameters."


class Rule(msgspec.Struct, frozen=True):
    """What a parameter must be. `of_type` rules are asked only where the body did not parse: then types are known good.

    `message` is said instead of the usual words.
    """

    holds: Check
    of_type: bool = True
    message: Callable[[Any], str] | None = None


def _intlike(value: Any) -> bool:
    try:
        return isinstance(int(value), int)
    except ValueError:
        return False


def _floatlike(value: Any) -> bool:
    try:
        return isinstance(float(value), float)
    except ValueError:
        return False


REQUIRED = Rule(lambda value: value is not None and value != "", of_type=False)
TEXT = Rule(lambda value: isinstance(value, str))
INTEGER = Rule(_intlike)
NUMBER = Rule(_floatlike)
BOOLEAN = Rule(lambda value: isinstance(value, bool))
LIST = Rule(lambda value: isinstance(value, list))
TEXTS = Rule(lambda value: all(isinstance(item, str) for item in value))

Rules = Mapping[str, tuple[Rule, ...]]


class Request(msgspec.Struct, frozen=True):
    """What a route takes."""

    message: Message
    rules: Rules


def of_body(request: Request, content: bytes, content_type: str | None) -> dict[str, Any]:
    """The fields of a POST.

    Raises
    ------
    MlflowError
        The content is of another type, or breaks a rule.
    """
    if content_type is None:
        raise invalid_parameter("Bad Request. Content-Type header is missing.")
    if content_type.split(";")[0] != "application/json":
        raise invalid_parameter("Bad Request. Content-Type must be one of ['application/json'].")
    return _checked(request, _loaded(content))


def _loaded(content: bytes) -> Any:
    try:
        body = json.loads(content)
        # Old clients sent JSON within a JSON string.
        body = json.loads(body) if isinstance(body, str) else body
    except (ValueError, RecursionError):
        body = None
    return {} if body is None else body


def of_query(request: Request, given: Mapping[str, list[str]]) -> dict[str, Any]:
    """The fields of a GET; a single value stands for a list of one."""
    body: dict[str, Any] = {}
    for name, field in request.message.items():
        if name in given:
            body[name] = given[name] if field.repeated else given[name][0]
    return _checked(request, body)


def _checked(request: Request, body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise MlflowError("BAD_REQUEST", f"The request must be a JSON object, not {type(body).__name__}.")
    refuse_two_spellings(request.message, body)
    fields: dict[str, Any] = {}
    parsed = parse(request.message, body, fields)
    for name, rules in request.rules.items():
        if name in body or REQUIRED in rules:
            value = body.get(name)
            if name == "run_id" and value is None:
                value = body.get("run_uuid")
            _check(name, rules, value, parsed=parsed)
    return fields


def _check(name: str, rules: tuple[Rule, ...], value: Any, *, parsed: bool) -> None:
    for rule in rules:
        if rule.of_type and parsed:
            continue
        try:
            holds = rule.holds(value)
        except (TypeError, AttributeError, OverflowError):
            holds = False
        if not holds:
            raise invalid_parameter(_told(name, rule, value) + _SEE)


def _told(name: str, rule: Rule, value: Any) -> str:
    if rule.message is not None:
        return rule.message(value)
    if rule is REQUIRED:
        return f"Missing value for required parameter '{name}'."
    shown = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return f"Invalid value {shown} for parameter '{name}' supplied:  Hint: Value was of type '{type(value).__name__}'."
