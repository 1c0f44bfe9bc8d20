"""The grammars of logged models, registered models and versions, word for word MLflow's."""

import types
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from tests.tracking.test_grammar import COMPARATORS, JOINS, KEYS, SPACES, VALUES, agree

from kedge.tracking import logged_grammar
from kedge.tracking.registry_grammar import MODELS, VERSIONS, Registry, parse_filter, parse_order

mlflow_search = pytest.importorskip("mlflow.utils.search_utils")
mlflow_logged = pytest.importorskip("mlflow.utils.search_logged_model_utils")
registry_store = pytest.importorskip("mlflow.store.model_registry.sqlalchemy_store")

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
alike = settings(max_examples=600, deadline=None, derandomize=True)

ENTITIES = some.sampled_from(
    ["metrics.", "params.", "tags.", "tag.", "attributes.", "attribute.", "", "", "", "nope.", "`tags`.", "TAGS.", ".", "metric."]
)  # fmt: skip
NAMES = some.one_of(
    KEYS,
    some.sampled_from(
        ["name", "model_id", "model_type", "status", "source_run_id", "creation_timestamp", "creation_time", "last_updated_timestamp",
         "version_number", "run_id", "source_path", "creation_timestamp_ms", "`name`", "last_updated_time", "timestamp", "lifecycle_stage"]
    ),
)  # fmt: skip


@some.composite
def filters(draw: Any) -> str:
    text = ""
    for place in range(draw(some.integers(1, 3))):
        if place:
            text += draw(JOINS)
        text += draw(ENTITIES) + draw(NAMES) + draw(SPACES) + draw(COMPARATORS) + draw(SPACES) + draw(VALUES)
    if draw(some.integers(0, 3)) == 0 and text:
        cut = draw(some.integers(0, len(text) - 1))
        text = (
            text[:cut] + draw(some.sampled_from(["", "(", ")", "'", " ", ";", ".", "--"])) + text[cut + 1 :]
        )
    return text


KINDS = {"attributes": "attribute", "metrics": "metric", "params": "parameter", "tags": "tag"}


@alike
@given(filters())
def test_filters_of_logged_models(text: str) -> None:
    def theirs(given_text: str) -> list[tuple[Any, ...]]:
        found = []
        for each in mlflow_logged.parse_filter_string(given_text):
            kind, key, value = KINDS[each.entity.type.value], each.entity.key, each.value
            if kind == "attribute":
                assert hasattr(mlflow_logged.SqlLoggedModel, key)  # what the store looks up
            is_list = each.op in ("IN", "NOT IN")
            assert is_list == isinstance(value, tuple)  # else the database refuses it
            assert value == value  # nothing compares with NaN
            if (
                not is_list
                and kind != "metric"
                and key not in ("creation_timestamp_ms", "last_updated_timestamp_ms")
            ):
                assert isinstance(value, str | int)
                value = str(value)
            found.append((kind, key, each.op, tuple(map(str, value)) if is_list else value))
        return found

    def ours(given_text: str) -> list[tuple[Any, ...]]:
        return [(c.kind, c.key, c.comparator, c.value) for c in logged_grammar.parse_filter(given_text)]

    agree(theirs, ours, text)


WITHOUT_STORE = types.SimpleNamespace(
    _get_workspace_clauses=lambda *_: [], _is_querying_prompt=lambda *_: True
)


@pytest.mark.parametrize("registry", [MODELS, VERSIONS], ids=["models", "versions"])
@alike
@given(text=filters())
def test_filters_of_the_registry(registry: Registry, text: str) -> None:
    store = registry_store.SqlAlchemyStore

    def theirs(given_text: str) -> list[tuple[Any, ...]]:
        if registry.is_version:
            parsed = mlflow_search.SearchModelVersionUtils.parse_search_filter(given_text)
            store._get_search_model_versions_filter_clauses(WITHOUT_STORE, parsed, "sqlite")
        else:
            parsed = mlflow_search.SearchModelUtils.parse_search_filter(given_text)
            store._get_search_registered_model_filter_query(WITHOUT_STORE, None, parsed, "sqlite")
        return [
            (each["type"], each["key"], each["comparator"], int(each["value"]) if each["key"] == "version_number" and each["type"] == "attribute" else each["value"])
            for each in parsed
        ]  # fmt: skip

    def ours(given_text: str) -> list[tuple[Any, ...]]:
        return [(c.kind, c.key, c.comparator, c.value) for c in parse_filter(registry, given_text)]

    agree(theirs, ours, text)


@alike
@given(ENTITIES, NAMES, some.sampled_from(["", " ASC", " desc", " DESC ", " foo", " ASC DESC", ",", ";"]))
def test_orders_of_versions(entity: str, name: str, way: str) -> None:
    def theirs(clause: str) -> tuple[str, bool]:
        kind, key, ascending = mlflow_search.SearchModelVersionUtils.parse_order_by_for_search_model_versions(
            clause
        )
        assert kind == "attribute" or key in VERSIONS.orderable
        return key, ascending

    def ours(clause: str) -> tuple[str, bool]:
        (found,) = parse_order(VERSIONS, [clause])
        return found.key, found.ascending

    agree(theirs, ours, entity + name + way)
