"""Searches of logged models as SQL."""

from typing import LiteralString

import msgspec

from kedge.core.models import DatasetFilter, LoggedModelQuery, LoggedOrdering
from kedge.core.search import Comparison
from kedge.storage.run_search import Query, Text, one_of

_COLUMNS: dict[str, LiteralString] = {
    "model_id": "m.model_id",
    "experiment_id": "m.experiment_id",
    "name": "m.name",
    "artifact_location": "m.artifact_location",
    "creation_timestamp_ms": "m.creation_timestamp_ms",
    "last_updated_timestamp_ms": "m.last_updated_timestamp_ms",
    "status": "m.status",
    "lifecycle_stage": "m.lifecycle_stage",
    "model_type": "m.model_type",
    "source_run_id": "m.source_run_id",
    "status_message": "m.status_message",
}
_WHOLE = ("experiment_id", "status")
_VALUES: dict[str, tuple[LiteralString, LiteralString]] = {
    "metric": (
        "logged_model_metrics AS v WHERE v.model_id = m.model_id AND v.metric_name = ?",
        "v.metric_value",
    ),
    "parameter": (
        "logged_model_params AS v WHERE v.model_id = m.model_id AND v.param_key = ?",
        "v.param_value",
    ),
    "tag": ("logged_model_tags AS v WHERE v.model_id = m.model_id AND v.tag_key = ?", "v.tag_value"),
}
_ALIASES: tuple[LiteralString, ...] = ("o0", "o1", "o2", "o3", "o4", "o5", "o6", "o7", "o8", "o9")
MOST_ORDERINGS = len(_ALIASES)


def logged_query(query: LoggedModelQuery) -> Query:
    """Ids of the models of a page and one more."""
    text = Text()
    text.add("SELECT m.model_id FROM logged_models AS m")
    order = [
        term for place, each in enumerate(query.orderings) for term in _order(text, each, _ALIASES[place])
    ]
    text.add("WHERE m.lifecycle_stage <> 'deleted'")
    text.add("AND " + one_of("m.experiment_id", len(query.experiment_ids)), *query.experiment_ids)
    for condition in query.conditions:
        text.add("AND")
        if condition.kind == "attribute":
            _column(text, condition)
            continue
        found, value = _VALUES[condition.kind]
        text.add("EXISTS (SELECT 1 FROM " + found + " AND", condition.key)  # noqa: S608 - literals
        text.compare(value, condition)
        if condition.kind == "metric":
            _on(text, query.datasets)
        text.add(")")
    if query.datasets and not any(condition.kind == "metric" for condition in query.conditions):
        text.add("AND EXISTS (SELECT 1 FROM logged_model_metrics AS v WHERE v.model_id = m.model_id")
        _on(text, query.datasets)
        text.add(")")
    keys = [each.key for each in query.orderings if each.kind == "attribute"]
    order += [] if "creation_timestamp_ms" in keys else ["m.creation_timestamp_ms DESC"]
    order += [] if "model_id" in keys else ["m.model_id"]
    text.add("ORDER BY " + ", ".join(order))
    text.add("LIMIT ? OFFSET ?", query.limit + 1, query.offset)
    return text.done()


def _on(text: Text, datasets: tuple[DatasetFilter, ...]) -> None:
    """That the metric `v` is on one of the datasets."""
    for place, dataset in enumerate(datasets):
        start: LiteralString = "OR" if place else "AND ("
        if dataset.digest is None:
            text.add(start + " (v.dataset_name = ? AND v.dataset_digest IS NULL)", dataset.name)
        else:
            text.add(start + " (v.dataset_name = ? AND v.dataset_digest = ?)", dataset.name, dataset.digest)
    if datasets:
        text.add(")")


def _column(text: Text, condition: Comparison) -> None:
    column = _COLUMNS[condition.key]
    if condition.key not in _WHOLE:
        text.compare(column, condition)
    elif condition.comparator in ("LIKE", "ILIKE"):
        text.compare("CAST(" + column + " AS TEXT)", condition)
    else:  # what is no number is none of theirs, and differs from all
        listed = condition.value if isinstance(condition.value, tuple) else (condition.value,)
        numbers = tuple(number for each in listed if (number := _number(str(each))) is not None)
        comparator = {"=": "IN", "!=": "NOT IN"}.get(condition.comparator, condition.comparator)
        text.compare(column, msgspec.structs.replace(condition, comparator=comparator, value=numbers))


def _number(text: str) -> int | None:
    try:
        number = int(text)
    except ValueError:
        return None
    return number if abs(number) < 2**31 else None


def _order(text: Text, ordering: LoggedOrdering, alias: LiteralString) -> list[LiteralString]:
    """The terms of one key; what is missing comes last."""
    if ordering.kind == "attribute":
        column = _COLUMNS[ordering.key]
    else:
        column = alias + ".metric_value"
        text.add(
            "LEFT JOIN (SELECT model_id, metric_value, row_number() OVER (PARTITION BY model_id "
            "ORDER BY metric_timestamp_ms DESC, metric_step DESC, run_id) AS place "
            "FROM logged_model_metrics WHERE metric_name = ?",
            ordering.key,
        )
        if ordering.dataset_name:
            text.add("AND dataset_name = ?", ordering.dataset_name)
        if ordering.dataset_digest:
            text.add("AND dataset_digest = ?", ordering.dataset_digest)
        text.add(") AS " + alias + " ON " + alias + ".model_id = m.model_id AND " + alias + ".place = 1")
    return [
        "CASE WHEN " + column + " IS NULL THEN 1 ELSE 0 END",
        column if ordering.ascending else column + " DESC",
    ]
