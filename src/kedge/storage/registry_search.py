"""Searches of registered models and versions as SQL."""

from typing import LiteralString

from kedge.core.models import RegistryQuery
from kedge.core.search import Comparison, Ordering
from kedge.storage.run_search import Query, Text

_MODEL_COLUMNS: dict[str, LiteralString] = {"name": "m.name", "last_updated_timestamp": "m.last_updated_time"}
_VERSION_COLUMNS: dict[str, LiteralString] = {
    "name": "m.name",
    "version_number": "m.version",
    "run_id": "m.run_id",
    "source_path": "m.source",
    "creation_timestamp": "m.creation_time",
    "last_updated_timestamp": "m.last_updated_time",
}
# A prompt is kept as a model with this tag.
_NO_PROMPT: LiteralString = (
    "AND NOT EXISTS (SELECT 1 FROM {tags} AS p WHERE p.workspace = m.workspace AND p.name = m.name "
    "AND p.key = 'mlflow.prompt.is_prompt' AND p.value = 'true')"
)


def models_query(query: RegistryQuery) -> Query:
    """Names of registered models of a page and one more."""
    text = Text()
    text.add("SELECT m.name FROM registered_models AS m WHERE m.workspace = 'default'")
    text.add(_NO_PROMPT.replace("{tags}", "registered_model_tags"))
    for condition in query.conditions:
        _condition(text, condition, _MODEL_COLUMNS, "registered_model_tags", "")
    _page(text, query, _MODEL_COLUMNS, ("name",))
    return text.done()


def versions_query(query: RegistryQuery) -> Query:
    """Names and numbers of versions of a page and one more."""
    text = Text()
    text.add("SELECT m.name, m.version FROM model_versions AS m WHERE m.workspace = 'default'")
    text.add("AND m.current_stage <> 'Deleted_Internal'")
    text.add(_NO_PROMPT.replace("{tags}", "model_version_tags"))
    for condition in query.conditions:
        _condition(text, condition, _VERSION_COLUMNS, "model_version_tags", " AND t.version = m.version")
    _page(text, query, _VERSION_COLUMNS, ("name", "-version_number"))
    return text.done()


def _condition(
    text: Text,
    condition: Comparison,
    columns: dict[str, LiteralString],
    tags: LiteralString,
    same: LiteralString,
) -> None:
    if condition.kind == "attribute":
        text.add("AND")
        text.compare(columns[condition.key], condition)
        return
    text.add(
        "AND EXISTS (SELECT 1 FROM " + tags + " AS t WHERE t.workspace = m.workspace AND t.name = m.name"  # noqa: S608 - literals
        + same + " AND t.key = ? AND",
        condition.key,
    )  # fmt: skip
    text.compare("t.value", condition)
    text.add(")")


def _page(
    text: Text, query: RegistryQuery, columns: dict[str, LiteralString], breakers: tuple[str, ...]
) -> None:
    orderings = list(query.orderings)
    for breaker in breakers:
        key = breaker.removeprefix("-")
        if not any(ordering.key == key for ordering in orderings):
            orderings.append(Ordering(kind="attribute", key=key, ascending=not breaker.startswith("-")))
    order = [columns[each.key] + ("" if each.ascending else " DESC") for each in orderings]
    text.add("ORDER BY " + ", ".join(order))
    text.add("LIMIT ? OFFSET ?", query.limit + 1, query.offset)
