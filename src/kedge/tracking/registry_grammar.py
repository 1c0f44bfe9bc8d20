"""The search grammar of registered models and of their versions, a dialect of its own."""

from typing import Any, Final

import msgspec
from sqlparse import sql
from sqlparse import tokens as kinds

from kedge.core.mlflow_error import MlflowError, NeedsMlflow, invalid_parameter
from kedge.core.search import Comparison, Ordering
from kedge.tracking.words import (
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

PROMPT_TAG: Final = "mlflow.prompt.is_prompt"
_TEXTS = frozenset({"=", "!=", "LIKE", "ILIKE"})
_NUMBERS = frozenset({"=", "!=", "<", "<=", ">", ">="})
_ENTITIES = ("attribute", "tag", "tags")


class Registry(msgspec.Struct, frozen=True):
    """What may be searched: attributes, the numbers and the listable among them, and what orders."""

    attributes: frozenset[str]
    numbers: frozenset[str]
    known_numbers: frozenset[str]
    listable: frozenset[str]
    orderable: frozenset[str]
    is_version: bool


MODELS: Final = Registry(
    attributes=frozenset({"name"}),
    numbers=frozenset(),
    known_numbers=frozenset({"creation_timestamp", "last_updated_timestamp"}),
    listable=frozenset({"name"}),
    orderable=frozenset({"name", "timestamp", "last_updated_timestamp"}),
    is_version=False,
)
VERSIONS: Final = Registry(
    attributes=frozenset({"name", "version_number", "run_id", "source_path"}),
    numbers=frozenset({"version_number"}),
    known_numbers=frozenset({"version_number", "creation_timestamp", "last_updated_timestamp"}),
    listable=frozenset({"name", "run_id"}),
    orderable=frozenset({"name", "version_number", "creation_timestamp", "last_updated_timestamp"}),
    is_version=True,
)


def parse_filter(registry: Registry, text: str) -> tuple[Comparison, ...]:
    """The comparisons of a filter; that on the prompt tag that asks for models is left out, for only they are found.

    Raises
    ------
    MlflowError
        In MLflow's words.
    NeedsMlflow
        Prompts are asked for.
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
        raise invalid_parameter(f"Invalid clause(s) in filter string: {', '.join(strange)}")
    parsed = [_comparison(registry, token) for token in tokens if isinstance(token, sql.Comparison)]
    checked = [_checked(registry, comparison) for comparison in parsed]
    prompts = [each for each in checked if each.kind == "tag" and each.key == PROMPT_TAG]
    if prompts and _asks_for_prompts(prompts[0]):
        raise NeedsMlflow
    return tuple(each for each in checked if each not in prompts)


def _asks_for_prompts(condition: Comparison) -> bool:
    value = str(condition.value).lower()
    return (condition.comparator, value) in (("=", "true"), ("!=", "false"))


def _comparison(registry: Registry, clause: Any) -> Comparison:
    words = [token for token in clause.tokens if not token.is_whitespace]
    if len(words) != 3:
        raise invalid_parameter(f"Invalid comparison clause. Expected 3 tokens found {len(words)}")
    if not isinstance(words[0], sql.Identifier):
        raise invalid_parameter(f"Invalid comparison clause. Expected 'Identifier' found '{words[0]}'")
    kind, key = _identifier(words[0].value, registry.attributes)
    value = _value(registry, kind, key, words[2])
    return Comparison(kind=kind, key=key, comparator=words[1].value.upper(), value=value)


def _identifier(text: str, attributes: frozenset[str], *, quoted: bool = False) -> tuple[str, str]:
    """What is named; in an order the name of an attribute may be `quoted`, in a filter not."""
    entity, dot, key = text.partition(".")
    if not dot:
        entity, key = "attribute", text
    elif entity not in _ENTITIES:
        raise invalid_parameter(f"Invalid entity type '{entity}'. Valid entity types are {_ENTITIES}")
    kind = "attribute" if entity == "attribute" else "tag"
    if quoted:
        key = without_backticks(without_quotes(key))
    if kind == "attribute" and key not in attributes:
        raise invalid_parameter(
            f"Invalid attribute key '{key}' specified. Valid keys are '{shown_set(attributes)}'"
        )
    return kind, without_backticks(without_quotes(key))


def _value(registry: Registry, kind: str, key: str, token: Any) -> str | float | int | tuple[str, ...]:
    if token.ttype is kinds.Literal.String.Single or isinstance(token, sql.Identifier):
        return unquoted(token.value)
    if kind == "tag":
        raise invalid_parameter(
            f"Expected a quoted string value for {kind} (e.g. 'my-value'). Got value {token.value}"
        )
    if isinstance(token, sql.Parenthesis):
        if key not in registry.listable:
            raise invalid_parameter(
                f"Only {sorted(registry.listable)} attributes support comparison with a list of quoted string values."
            )
        return quoted_list(token.value)
    if registry.is_version and token.ttype in (kinds.Literal.Number.Integer, kinds.Literal.Number.Float):
        if key not in registry.known_numbers:
            raise invalid_parameter(
                f"Only the '{shown_set(registry.known_numbers)}' attributes support comparison with numeric values."
            )
        return int(token.value) if token.ttype is kinds.Literal.Number.Integer else float(token.value)
    raise invalid_parameter(
        "Expected a quoted string value or a list of quoted string values for attributes. "
        f"Got value {token.value}"
    )


def _checked(registry: Registry, found: Comparison) -> Comparison:
    """With a comparator that the kind knows, and a number where a number is compared."""
    if found.kind == "tag":
        if found.comparator not in _TEXTS:
            raise invalid_parameter(f"Invalid comparator for tag: {found.comparator}")
        return found
    if found.key in registry.numbers:
        if found.comparator not in _NUMBERS:
            raise invalid_parameter(f"Invalid comparator for attribute {found.key}: {found.comparator}")
        return msgspec.structs.replace(found, value=_whole(found))
    if found.comparator not in _TEXTS | {"IN", "NOT IN"} or (
        found.comparator in ("IN", "NOT IN") and found.key not in registry.listable
    ):
        raise invalid_parameter(f"Invalid comparator for attribute: {found.comparator}")
    return found


def _whole(found: Comparison) -> int:
    wrong = invalid_parameter(f"Invalid value for numeric attribute '{found.key}': {found.value!r}")
    if isinstance(found.value, float | tuple) or found.value is None:
        raise wrong
    try:
        return int(found.value)
    except ValueError as error:
        raise wrong from error


def parse_order(registry: Registry, clauses: list[str]) -> tuple[Ordering, ...]:
    """The orderings of a list of clauses. Raises MlflowError."""
    found: list[Ordering] = []
    for clause in clauses:
        text, ascending = order_of(clause)
        key = _order_key(registry, text.strip())
        if any(each.key == key for each in found):
            raise MlflowError("INTERNAL_ERROR", f"`order_by` contains duplicate fields: {clauses}")
        found.append(Ordering(kind="attribute", key=key, ascending=ascending))
    return tuple(found)


def _order_key(registry: Registry, text: str) -> str:
    if registry.is_version:
        kind, key = _identifier(text, registry.orderable, quoted=True)
        if kind != "attribute" and key not in registry.orderable:
            raise invalid_parameter(
                f"Invalid order by key '{key}' specified. Valid keys are {shown_set(registry.orderable)}"
            )
        return key
    if text not in registry.orderable:
        raise invalid_parameter(
            f"Invalid order by key '{text}' specified. Valid keys are '{shown_set(frozenset({'name', 'timestamp'}))}'"
        )
    return "last_updated_timestamp" if text == "timestamp" else text
