"""MLflow's search grammar: filters and orders as text, to comparisons and orderings.

The words are cut by sqlparse, as MLflow has them cut: what it takes for one word decides what is accepted.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec
from sqlparse import sql
from sqlparse import tokens as kinds

from kedge.core.mlflow_error import MlflowError, invalid_parameter
from kedge.core.search import Comparison, Ordering
from kedge.tracking.words import (
    MOST_CLAUSES,
    is_clause,
    joined,
    order_of,
    quoted_list,
    shown_set,
    statements,
    unquoted,
    without_backticks,
    without_quotes,
)

_NUMBER_COMPARATORS: Final = frozenset({">", ">=", "!=", "=", "<", "<="})
_TEXT_COMPARATORS: Final = frozenset({"!=", "=", "LIKE", "ILIKE"})
_NULLS, _LISTS = frozenset({"IS NULL", "IS NOT NULL"}), frozenset({"IN", "NOT IN"})
_NUMBERS = (kinds.Literal.Number.Integer, kinds.Literal.Number.Float)
_ALIASES = {
    **dict.fromkeys(("created", "Created"), "start_time"),
    **dict.fromkeys(("run name", "Run name", "Run Name"), "run_name"),
}


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """What may be searched, and how it is spelt."""

    entities: dict[str, str]
    attributes: frozenset[str]
    orderable: frozenset[str]
    numbers: frozenset[str]
    listable: frozenset[str]
    datasets: frozenset[str] = frozenset()
    nulls: frozenset[str] = frozenset({"tag"})
    told_entities: str
    refused: Callable[[list[str]], str]


RUNS: Final = Dialect(
    entities={
        **dict.fromkeys(("metric", "metrics"), "metric"),
        **dict.fromkeys(("parameter", "parameters", "param", "params"), "parameter"),
        **dict.fromkeys(("tag", "tags"), "tag"),
        **dict.fromkeys(("attribute", "attr", "attributes", "run"), "attribute"),
        **dict.fromkeys(("dataset", "datasets"), "dataset"),
    },
    attributes=frozenset(
        {"status", "artifact_uri", "start_time", "user_id", "end_time", "run_id", "run_name", *_ALIASES}
    ),
    orderable=frozenset(
        {
            "status",
            "artifact_uri",
            "start_time",
            "user_id",
            "end_time",
            "run_id",
            "run_name",
            "created",
            "Created",
        }
    ),
    numbers=frozenset({"start_time", "end_time", "created", "Created"}),
    listable=frozenset({"run_id"}),
    datasets=frozenset({"name", "digest", "context"}),
    nulls=frozenset({"tag", "parameter"}),
    told_entities="Invalid entity type '{given}'. Valid values are "
    "['metric', 'parameter', 'tag', 'attribute', 'dataset']",
    refused=lambda words: ", ".join(f"'{word}'" for word in words),
)
EXPERIMENTS: Final = Dialect(
    entities={"attribute": "attribute", "tag": "tag", "tags": "tag"},
    attributes=frozenset({"name", "experiment_id", "creation_time", "last_update_time"}),
    orderable=frozenset({"name", "experiment_id", "creation_time", "last_update_time"}),
    numbers=frozenset({"creation_time", "last_update_time"}),
    listable=frozenset({"experiment_id"}),
    told_entities="Invalid entity type '{given}'. Valid entity types are ('attribute', 'tag', 'tags')",
    refused=", ".join,
)


def parse_filter(dialect: Dialect, text: str) -> tuple[Comparison, ...]:
    """The comparisons that a filter joins by AND, each with a comparator that its kind knows.

    Raises
    ------
    MlflowError
        In MLflow's words; where those list a set, in sorted order.

    Examples
    --------
    >>> parse_filter(RUNS, "metrics.auc > 0.9")
    (Comparison(kind='metric', key='auc', comparator='>', value=0.9),)
    """
    return tuple(checked(dialect, each) for each in read_filter(dialect, text))


def read_filter(dialect: Dialect, text: str) -> tuple[Comparison, ...]:
    """What a filter says, not yet `checked`: MLflow looks at the order of a search in between.

    Raises
    ------
    MlflowError
        In MLflow's words; where those list a set, in sorted order.
    """
    if not text:
        return ()
    found = statements(text, f"Error on parsing filter '{text}'")
    if not found:
        raise invalid_parameter(f"Invalid filter '{text}'. Could not be parsed.")
    if len(found) > 1:
        raise invalid_parameter(
            f"Search filter contained multiple expression {text!r}. Provide AND-ed expression list."
        )
    tokens = joined(found[0].tokens)
    strange = [str(token) for token in tokens if not is_clause(token)]
    if strange:
        raise invalid_parameter(f"Invalid clause(s) in filter string: {dialect.refused(strange)}")
    return tuple(_comparison(dialect, token) for token in tokens if isinstance(token, sql.Comparison))


def _comparison(dialect: Dialect, clause: Any) -> Comparison:
    words = [token for token in clause.tokens if not token.is_whitespace]
    is_null = len(words) == 2 and words[1].value.upper() in _NULLS
    if not is_null and len(words) != 3:
        raise invalid_parameter(f"Invalid comparison clause. Expected 3 tokens found {len(words)}")
    if not isinstance(words[0], sql.Identifier):
        raise invalid_parameter(f"Invalid comparison clause. Expected 'Identifier' found '{words[0]}'")
    kind, key = _identifier(dialect, words[0].value, dialect.attributes)
    comparator = words[1].value.upper()
    if not is_null and dialect is EXPERIMENTS:
        comparator = words[1].value  # there, MLflow takes comparators in capitals only
    if not is_null:
        return Comparison(
            kind=kind, key=key, comparator=comparator, value=_value(dialect, kind, key, words[2])
        )
    if kind not in dialect.nulls:
        if dialect is EXPERIMENTS:
            raise invalid_parameter(
                f"IS NULL / IS NOT NULL is only supported for tags, not for attribute '{key}'"
            )
        raise invalid_parameter(
            f"IS NULL / IS NOT NULL is only supported for tags and params, not for '{kind}' '{key}'"
        )
    return Comparison(kind=kind, key=key, comparator=comparator, value=None)


def _identifier(dialect: Dialect, text: str, attributes: frozenset[str]) -> tuple[str, str]:
    entity, dot, key = text.partition(".")
    if not dot:
        entity, key = "attribute", text
    plain = entity if dialect is EXPERIMENTS else without_backticks(entity)
    if plain not in dialect.entities:
        raise invalid_parameter(dialect.told_entities.format(given=plain))
    kind = dialect.entities[plain]
    key = without_backticks(without_quotes(key))
    if kind == "attribute" and key not in attributes:
        raise invalid_parameter(
            f"Invalid attribute key '{key}' specified. Valid keys are '{shown_set(attributes)}'"
        )
    if kind == "dataset" and key not in dialect.datasets:
        raise invalid_parameter(
            f"Invalid dataset key '{key}' specified. Valid keys are '{shown_set(dialect.datasets)}'"
        )
    return kind, key


def _value(dialect: Dialect, kind: str, key: str, token: Any) -> str | float | int | tuple[str, ...]:
    is_text = token.ttype is kinds.Literal.String.Single or isinstance(token, sql.Identifier)
    if kind == "metric":
        if token.ttype not in _NUMBERS:
            raise invalid_parameter(f"Expected numeric value type for metric. Found {token.value}")
        return float(token.value)
    if kind == "attribute" and key in dialect.numbers:
        return _number(key, token)
    if is_text:
        return unquoted(token.value)
    if kind in ("parameter", "tag"):
        raise invalid_parameter(
            f"Expected a quoted string value for {kind} (e.g. 'my-value'). Got value {token.value}"
        )
    if isinstance(token, sql.Parenthesis):
        if kind == "attribute" and key not in dialect.listable:
            raise invalid_parameter(
                f"Only {sorted(dialect.listable)} attributes support comparison with a list of quoted string values."
            )
        return quoted_list(token.value)
    whose = "dataset attributes" if kind == "dataset" else "attributes"
    raise invalid_parameter(f"Expected a quoted string value for {whose}. Got value {token.value}")


def _number(key: str, token: Any) -> int | float:
    if token.ttype not in _NUMBERS:
        raise invalid_parameter(
            f"Expected numeric value type for numeric attribute: {key}. Found {token.value}"
        )
    return int(token.value) if token.ttype is kinds.Literal.Number.Integer else float(token.value)


def checked(dialect: Dialect, found: Comparison) -> Comparison:
    """With aliases replaced, and a comparator that the kind knows."""
    if dialect is EXPERIMENTS:
        return _checked_experiment(found)
    key = _ALIASES.get(found.key, found.key)
    allowed, end = _comparators(found.kind, number=key in dialect.numbers)
    if found.comparator not in allowed:
        raise invalid_parameter(
            f"Invalid comparator '{found.comparator}' not one of '{shown_set(allowed)}{end}"
        )
    return msgspec.structs.replace(found, key=key)


def _comparators(kind: str, *, number: bool) -> tuple[frozenset[str], str]:
    """What a kind may be compared by, and how MLflow's message ends."""
    if kind == "metric":
        return _NUMBER_COMPARATORS, ""
    if kind == "parameter":
        return _TEXT_COMPARATORS | _NULLS, "'"
    if kind == "tag":
        return _TEXT_COMPARATORS | _NULLS, ""
    if kind == "dataset":
        return _TEXT_COMPARATORS | _LISTS, ""
    return (_NUMBER_COMPARATORS, "") if number else (_TEXT_COMPARATORS | _LISTS, "'")


def _checked_experiment(found: Comparison) -> Comparison:
    if found.kind == "tag":
        if found.comparator not in _TEXT_COMPARATORS | _NULLS:
            raise invalid_parameter(f"Invalid comparator for tag: {found.comparator}")
        return found
    if found.key == "experiment_id":
        if found.comparator not in ("=", "!=", "IN", "NOT IN"):
            raise invalid_parameter(f"Invalid comparator for experiment_id: {found.comparator}")
        return found
    if found.key in EXPERIMENTS.numbers:
        if found.comparator not in _NUMBER_COMPARATORS:
            raise invalid_parameter(
                f"Invalid comparator '{found.comparator}' not one of '{shown_set(_TEXT_COMPARATORS | _LISTS)}"
            )
        if isinstance(found.value, float):
            raise invalid_parameter(
                f"Invalid value for numeric attribute '{found.key}': {str(found.value)!r}"
            )
        return found
    if found.comparator not in _TEXT_COMPARATORS | _LISTS:
        raise invalid_parameter(
            f"Invalid comparator '{found.comparator}' not one of '{shown_set(_TEXT_COMPARATORS | _LISTS)}'"
        )
    if found.comparator in _LISTS:
        raise invalid_parameter(f"Invalid comparator for string attribute: {found.comparator}")
    return found


def parse_order(dialect: Dialect, clauses: list[str]) -> tuple[Ordering, ...]:
    """The orderings of a list of clauses such as `metrics.auc DESC`. Raises MlflowError.

    Examples
    --------
    >>> parse_order(RUNS, ["metrics.auc DESC"])
    (Ordering(kind='metric', key='auc', ascending=False),)
    """
    if len(clauses) > MOST_CLAUSES:
        raise invalid_parameter(f"At most {MOST_CLAUSES} fields may be ordered by, not {len(clauses)}.")
    found: list[Ordering] = []
    for clause in clauses:
        text, ascending = order_of(clause)
        kind, key = _identifier(dialect, text.strip(), dialect.orderable)
        key = _ALIASES.get(key, key) if dialect is RUNS else key
        if dialect is RUNS and kind == "dataset":
            raise invalid_parameter(f"Invalid identifier type '{kind}'")
        if dialect is EXPERIMENTS and kind != "attribute":
            raise invalid_parameter(f"Invalid order_by entity: {kind}")
        if dialect is RUNS and any((o.kind, o.key) == (kind, key) for o in found):
            raise MlflowError("INTERNAL_ERROR", f"`order_by` contains duplicate fields: {clauses}")
        found.append(Ordering(kind=kind, key=key, ascending=ascending))
    return tuple(found)
