"""Searches as SQL: conditions and orders of a query over MLflow's tables, as text with arguments."""

from typing import Any, LiteralString

from kedge.core.runs import ExperimentQuery, RunQuery
from kedge.core.search import Comparison, Ordering
from kedge.storage.statements import statements

Query = tuple[LiteralString, tuple[Any, ...]]

_EXPERIMENTS = statements("experiments")
_DATASET_CONTEXT = "mlflow.data.context"
_RUN_COLUMNS: dict[str, LiteralString] = {
    "run_id": "r.run_uuid",
    "run_name": "r.name",
    "experiment_id": "r.experiment_id",
    "user_id": "r.user_id",
    "status": "r.status",
    "start_time": "r.start_time",
    "end_time": "r.end_time",
    "artifact_uri": "r.artifact_uri",
    "lifecycle_stage": "r.lifecycle_stage",
    "deleted_time": "r.deleted_time",
}
_EXPERIMENT_COLUMNS: dict[str, LiteralString] = {
    "experiment_id": "e.experiment_id",
    "name": "e.name",
    "creation_time": "e.creation_time",
    "last_update_time": "e.last_update_time",
}
_DATASET_COLUMNS: dict[str, LiteralString] = {"name": "d.name", "digest": "d.digest"}
_VALUES: dict[str, LiteralString] = {"metric": "latest_metrics", "parameter": "params", "tag": "tags"}
_PLAIN: dict[str, LiteralString] = {"=": "=", "!=": "<>", ">": ">", ">=": ">=", "<": "<", "<=": "<="}


class Text:
    """SQL in the making, and its arguments in their order."""

    def __init__(self) -> None:
        self.parts: list[LiteralString] = []
        self.arguments: list[Any] = []

    def add(self, part: LiteralString, *arguments: Any) -> None:
        self.parts.append(part)
        self.arguments += arguments

    def compare(self, column: LiteralString, condition: Comparison) -> None:
        """A comparison of a column."""
        value = condition.value
        if condition.comparator in _PLAIN:
            self.add(column + " " + _PLAIN[condition.comparator] + " ?", value)
        elif condition.comparator == "LIKE":
            self.add(column + " LIKE ?", value)
        elif condition.comparator == "ILIKE":
            self.add("lower(" + column + ") LIKE lower(?)", value)
        else:  # IN, NOT IN
            listed = value if isinstance(value, tuple) else (value,)
            negated: LiteralString = "NOT " if condition.comparator == "NOT IN" else ""
            self.add("(" + negated + one_of(column, len(listed)) + ")", *listed)

    def done(self) -> Query:
        return "\n".join(self.parts), tuple(self.arguments)


def countable(condition: Comparison) -> bool:
    """Whether an index leads straight to what the condition holds for."""
    if condition.kind == "metric":
        return condition.comparator in _PLAIN and condition.comparator != "!="
    return condition.kind in ("parameter", "tag") and condition.comparator == "="


def count_query(condition: Comparison, most: int) -> Query:
    """How many runs a countable condition holds for, counted up to `most`."""
    text = Text()
    text.add("SELECT count(*) FROM (SELECT 1 FROM " + _VALUES[condition.kind] + " AS d WHERE")  # noqa: S608 - literals
    _driving(text, condition)
    text.add("LIMIT ?) AS counted", most)
    return text.done()


def run_queries(query: RunQuery, rare: Comparison | None) -> list[Query]:
    """Queries for the ids of a page and one more; the last is exact, one before it is when it gives the whole page.

    A countable condition that is known to be `rare` leads the way. Else, ordered by a value, runs that have it
    come first, so that a walk along its index finds the first pages without looking at every run. No plan depends on
    statistics that nobody has gathered.
    """
    if rare is not None:
        return [_all_runs(query, rare)]
    first = next(iter(query.orderings), None)
    if first is None or first.kind == "attribute":
        return [_all_runs(query, None)]
    return [_along_index(query, first), _all_runs(query, None)]


def _driving(text: Text, condition: Comparison) -> None:
    text.add("d.key = ? AND", condition.key)
    if condition.kind == "metric":
        text.add("d.is_nan = ? AND", False)
    text.compare("d.value", condition)


def _along_index(query: RunQuery, first: Ordering) -> Query:
    text = Text()
    # CROSS JOIN keeps SQLite to this order of tables; to PostgreSQL it is an inner join like any other.
    text.add("SELECT r.run_uuid FROM " + _VALUES[first.kind] + " AS o CROSS JOIN runs AS r")  # noqa: S608 - literals
    joined = _join_orders(text, query.orderings[1:])
    text.add("WHERE o.key = ? AND o.value IS NOT NULL AND r.run_uuid = o.run_uuid", first.key)
    if first.kind == "metric":
        text.add("AND o.is_nan = ?", False)
    for condition in query.conditions:  # the walk may begin where what is asked for begins
        if countable(condition) and (condition.kind, condition.key) == (first.kind, first.key):
            text.add("AND")
            text.compare("o.value", condition)
    _where(text, query)
    order: list[LiteralString] = ["o.value" if first.ascending else "o.value DESC", *joined]
    _page(text, query, order)
    return text.done()


def _all_runs(query: RunQuery, rare: Comparison | None) -> Query:
    text = Text()
    if rare is None:
        text.add("SELECT r.run_uuid FROM runs AS r")
    else:
        text.add("SELECT r.run_uuid FROM " + _VALUES[rare.kind] + " AS d CROSS JOIN runs AS r")  # noqa: S608 - literals
    order = _join_orders(text, query.orderings)
    text.add("WHERE 1 = 1")
    if rare is not None:
        text.add("AND r.run_uuid = d.run_uuid AND")
        _driving(text, rare)
    _where(text, query)
    _page(text, query, order)
    return text.done()


def _join_orders(text: Text, orderings: tuple[Ordering, ...]) -> list[LiteralString]:
    """Join what is sorted by; what is missing comes last, NaN before it."""
    order: list[LiteralString] = []
    for place, ordering in enumerate(orderings):
        if ordering.kind == "attribute":
            column = _RUN_COLUMNS[ordering.key]
            order.append("CASE WHEN " + column + " IS NULL THEN 1 ELSE 0 END")
        else:
            name = _ALIASES[place]
            table = _VALUES[ordering.kind]
            text.add(
                "LEFT JOIN "
                + table
                + " AS "
                + name
                + " ON "
                + name
                + ".run_uuid = r.run_uuid AND "
                + name
                + ".key = ?",
                ordering.key,
            )
            column = name + ".value"
            missing: LiteralString = "WHEN " + column + " IS NULL THEN 2 ELSE 0 END"
            if ordering.kind == "metric":
                order.append("CASE WHEN " + name + ".is_nan THEN 1 " + missing)
            else:
                order.append("CASE " + missing)
        order.append(column if ordering.ascending else column + " DESC")
    return order


_ALIASES: tuple[LiteralString, ...] = tuple(f"o{place}" for place in range(60))
"""As many as SQLite can join, beside the runs and what drives the search."""


def _page(text: Text, query: RunQuery, order: list[LiteralString]) -> None:
    if not any(o.kind == "attribute" and o.key == "start_time" for o in query.orderings):
        order.append("r.start_time DESC")
    order.append("r.run_uuid")
    text.add("ORDER BY " + ", ".join(order))
    text.add("LIMIT ? OFFSET ?", query.limit + 1, query.offset)


def _where(text: Text, query: RunQuery) -> None:
    text.add("AND " + one_of("r.experiment_id", len(query.experiment_ids)), *query.experiment_ids)
    text.add("AND " + one_of("r.lifecycle_stage", len(query.stages)), *query.stages)
    for condition in query.conditions:
        _condition(text, condition)


def _condition(text: Text, condition: Comparison) -> None:
    if condition.kind == "attribute" and condition.key != "run_name":
        text.add("AND")
        text.compare(_RUN_COLUMNS[condition.key], condition)
    elif condition.kind == "dataset":
        _dataset(text, condition)
    else:
        _value(text, condition)


def _value(text: Text, condition: Comparison) -> None:
    """A metric, parameter or tag of the run; a run's name is the tag `mlflow.runName`."""
    kind = "tag" if condition.kind == "attribute" else condition.kind
    key = "mlflow.runName" if condition.kind == "attribute" else condition.key
    table = _VALUES[kind]
    start: LiteralString = (
        "EXISTS (SELECT 1 FROM " + table + " AS v WHERE v.run_uuid = r.run_uuid AND v.key = ?"  # noqa: S608 - literals
    )
    if condition.comparator == "IS NULL":
        text.add("AND NOT " + start + ")", key)
        return
    text.add("AND " + start, key)
    if condition.comparator != "IS NOT NULL":
        text.add("AND (")
        text.compare("v.value", condition)
        if kind == "metric":  # NaN stands in the table as 0, and differs from every number
            text.add("OR v.is_nan" if condition.comparator == "!=" else "AND NOT v.is_nan")
        text.add(")")
    text.add(")")


def _dataset(text: Text, condition: Comparison) -> None:
    text.add(
        "AND EXISTS (SELECT 1 FROM inputs AS i JOIN datasets AS d ON d.dataset_uuid = i.source_id "
        "WHERE i.destination_id = r.run_uuid AND"
    )
    if condition.key == "context":
        text.add(
            "EXISTS (SELECT 1 FROM input_tags AS t WHERE t.input_uuid = i.input_uuid AND t.name = ? AND",
            _DATASET_CONTEXT,
        )
        text.compare("t.value", condition)
        text.add("))")
        return
    text.compare(_DATASET_COLUMNS[condition.key], condition)
    text.add(")")


def one_of(column: LiteralString, count: int) -> LiteralString:
    """That a column is one of so many values."""
    if count == 1:  # an equality lets an index give the order
        return column + " = ?"
    if not count:
        return "1 = 0"
    return column + " IN (" + ", ".join(["?"] * count) + ")"


def experiments_query(query: ExperimentQuery) -> Query:
    """Experiments of a page and one more."""
    text = Text()
    text.add(_EXPERIMENTS["some"])
    text.add("AND " + one_of("e.lifecycle_stage", len(query.stages)), *query.stages)
    for condition in query.conditions:
        if condition.kind == "attribute":
            text.add("AND")
            text.compare(_EXPERIMENT_COLUMNS[condition.key], condition)
            continue
        start: LiteralString = (
            "EXISTS (SELECT 1 FROM experiment_tags AS t WHERE t.experiment_id = e.experiment_id AND t.key = ?"
        )
        if condition.comparator == "IS NULL":
            text.add("AND NOT " + start + ")", condition.key)
            continue
        text.add("AND " + start, condition.key)
        if condition.comparator != "IS NOT NULL":
            text.add("AND")
            text.compare("t.value", condition)
        text.add(")")
    order = [_EXPERIMENT_COLUMNS[o.key] + ("" if o.ascending else " DESC") for o in query.orderings]
    text.add("ORDER BY " + ", ".join(order))
    text.add("LIMIT ? OFFSET ?", query.limit + 1, query.offset)
    return text.done()
