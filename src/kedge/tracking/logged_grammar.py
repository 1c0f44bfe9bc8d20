"""The search grammar of logged models, a dialect of its own: nothing is unquoted but what stands in single quotes."""

import ast
import re
from typing import Any, Final

import msgspec
import sqlparse
from sqlparse import sql

from kedge.core.mlflow_error import MlflowError, invalid_parameter
from kedge.core.models import LoggedOrdering
from kedge.core.search import Comparison
from kedge.tracking.words import joined

MOST_ORDERINGS: Final = 10
_ENTITIES = ("attributes", "metrics", "params", "tags")
_KINDS = dict(zip(_ENTITIES, ("attribute", "metric", "parameter", "tag"), strict=True))
_ALIASES = {
    "creation_time": "creation_timestamp_ms",
    "creation_timestamp": "creation_timestamp_ms",
    "last_updated_timestamp": "last_updated_timestamp_ms",
}
_TIMES = frozenset(_ALIASES.values())
_COLUMNS = _TIMES | {
    "model_id",
    "experiment_id",
    "name",
    "artifact_location",
    "status",
    "lifecycle_stage",
    "model_type",
    "source_run_id",
    "status_message",
}
_IDENTIFIER = re.compile(r"^([a-z]+)\.(.+)$")
_NUMBERS = ("<", "<=", ">", ">=", "=", "!=")
_TEXTS = ("=", "!=", "LIKE", "ILIKE", "IN", "NOT IN")


def parse_filter(text: str) -> tuple[Comparison, ...]:
    """The comparisons that a filter joins by AND; attributes by the names of their columns.

    Raises
    ------
    MlflowError
        In MLflow's words.

    Examples
    --------
    >>> parse_filter("metrics.auc > 0.9")
    (Comparison(kind='metric', key='auc', comparator='>', value=0.9),)
    """
    if not text:
        return ()
    try:
        parsed = sqlparse.parse(text)
    except Exception as error:
        raise invalid_parameter(f"Invalid filter string: {text!r}. {error!r}") from error
    if len(parsed) != 1:
        raise invalid_parameter(f"Invalid filter string: {text!r}. Expected a single SQL expression.")
    found = []
    for word in joined(parsed[0].tokens):
        if isinstance(word, sql.Comparison):
            found.append(_comparison(word))
        elif word.value.strip().upper() != "AND":
            raise invalid_parameter(
                f"Invalid filter string: {text!r}. Expected a list of comparisons separated by 'AND' "
                "(e.g. 'metrics.loss > 0.1 AND params.lr = 0.01')."
            )
    return tuple(_storable(comparison) for comparison in found)


def _storable(found: Comparison) -> Comparison:
    """With values that a database compares: what it would refuse is refused here, after all that MLflow refuses."""
    if found.kind == "attribute" and found.key not in _COLUMNS:
        raise invalid_parameter(f"Invalid attribute key '{found.key}' specified.")
    value: Any = found.value
    if found.kind == "metric" or (found.kind == "attribute" and found.key in _TIMES):
        if value != value:  # noqa: PLR0124 - NaN
            raise invalid_parameter("Nothing compares with NaN.")
        return found
    if found.comparator in ("IN", "NOT IN"):
        if isinstance(value, tuple) and all(type(each) in (str, int) for each in value):
            return msgspec.structs.replace(found, value=tuple(str(each) for each in value))
    elif type(value) in (str, int):
        return msgspec.structs.replace(found, value=str(value))
    raise invalid_parameter(f"Expected a quoted value, or a list of them for IN. Got value {value}")


def _comparison(clause: Any) -> Comparison:
    words = [str(token) for token in clause.tokens if not token.is_whitespace]
    if len(words) != 3:
        raise invalid_parameter(f"Invalid comparison: {clause}. Expected a comparison with 3 tokens.")
    identifier, comparator, value = words
    kind, key = _identifier(identifier)
    comparator = comparator.upper()
    is_number = kind == "metrics" or (kind == "attributes" and _ALIASES.get(key, key) in _TIMES)
    known = _NUMBERS if is_number else _TEXTS
    if comparator not in known:
        raise invalid_parameter(
            f"Invalid comparison operator for {kind}.{key}: {comparator!r}. Expected one of {known}."
        )
    return Comparison(
        kind=_KINDS[kind],
        key=key,
        comparator=comparator,
        value=_number(value) if is_number else _text(value),
    )


def _identifier(text: str) -> tuple[str, str]:
    found = _IDENTIFIER.match(text)
    if found is None:
        return "attributes", _ALIASES.get(text, text).strip("`")
    entity, key = found.groups()
    if entity not in _ENTITIES:
        raise invalid_parameter(f"Invalid entity type: {entity!r}. Expected one of {list(_ENTITIES)}.")
    return entity, key.strip("`")


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise invalid_parameter(f"Expected a number in the filter. Got value {text}") from error


def _text(text: str) -> Any:
    """What stands in single quotes, or a list in parentheses as Python reads it."""
    if not (text.startswith("(") and text.endswith(")")):
        return text.strip("'")
    try:
        listed = ast.literal_eval(text)
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError) as error:
        raise invalid_parameter(f"Expected a list of quoted values. Got value {text}") from error
    return (listed,) if isinstance(listed, str) else listed


def parse_order(clauses: list[dict[str, Any]]) -> tuple[LoggedOrdering, ...]:
    """The orderings of a list of clauses, in the words of the request. Raises MlflowError."""
    if len(clauses) > MOST_ORDERINGS:
        raise invalid_parameter(f"At most {MOST_ORDERINGS} fields may be ordered by, not {len(clauses)}.")
    found = []
    for clause in clauses:
        name = str(clause["field_name"])
        entity, dot, key = name.partition(".")
        if not dot:
            key = _ALIASES.get(name, name)
            if key not in _COLUMNS:
                raise MlflowError(
                    "INVALID_PARAMETER_VALUE", f"Invalid order by field name: {name}", "ATTRIBUTE_NOT_FOUND"
                )
        elif entity != "metrics":
            raise invalid_parameter(f"Invalid order by field name: {name}. Only metrics are supported.")
        found.append(
            LoggedOrdering(
                kind="metric" if dot else "attribute",
                key=key,
                ascending=clause["ascending"],
                dataset_name=clause["dataset_name"] or "",
                dataset_digest=clause["dataset_digest"] or "",
            )
        )
    return tuple(found)
