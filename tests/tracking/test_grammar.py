"""The search grammar, word for word MLflow's: what is accepted, what it means, and what is said of the rest."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from kedge.core.mlflow_error import MlflowError
from kedge.tracking.grammar import EXPERIMENTS, RUNS, parse_filter, parse_order

mlflow_search = pytest.importorskip("mlflow.utils.search_utils")
MlflowException = pytest.importorskip("mlflow.exceptions").MlflowException

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

KEYS = some.sampled_from(
    ["auc", "a b", "`a b`", '"a b"', "a.b", "status", "run_id", "start_time", "created", "run name", "name", "context",
     "experiment_id", "creation_time", "é", "x-y", "user_id", "nope", "", "`", "mlflow.runName", "digest", "1a", "select"]
)  # fmt: skip
ENTITIES = some.sampled_from(
    ["metrics.", "metric.", "params.", "parameter.", "tags.", "tag.", "attributes.", "attribute.", "attr.", "run.",
     "dataset.", "datasets.", "", "nope.", "`metrics`.", "METRICS.", "."]
)  # fmt: skip
COMPARATORS = some.sampled_from(
    ["=", "!=", ">", ">=", "<", "<=", "<>", "==", "LIKE", "like", "ILIKE", "iLike", "IN", "not in", "NOT IN", "IS NULL",
     "is not null", "IS", "BETWEEN", "", "~", "NOT  IN", "IS  NOT  NULL"]
)  # fmt: skip
VALUES = some.sampled_from(
    ["1", "-1", "1.5", "1e-3", "'x'", '"x"', "`x`", "x", "''", "'it''s'", "'a b'", "('a','b')", "('a')", "()", "(1)", "(a)",
     "'%'", "NULL", "", "'é'", "1a", "'unclosed", "('a', 'b',)", "-1.5e10", "TRUE", "('a' 'b')"]
)  # fmt: skip
SPACES = some.sampled_from([" ", "  ", "", "\t", "\n"])
JOINS = some.sampled_from([" AND ", " and ", " OR ", ";", " ", "AND", " AND AND ", ", "])


@some.composite
def filters(draw) -> str:
    text = ""
    for place in range(draw(some.integers(1, 3))):
        if place:
            text += draw(JOINS)
        text += draw(ENTITIES) + draw(KEYS) + draw(SPACES) + draw(COMPARATORS) + draw(SPACES) + draw(VALUES)
    if draw(some.booleans()) and text:
        cut = draw(some.integers(0, len(text) - 1))
        text = (
            text[:cut]
            + draw(some.sampled_from(["", "(", ")", "'", " ", ";", ".", "--", "/*"]))
            + text[cut + 1 :]
        )
    return text


@some.composite
def orders(draw) -> str:
    direction = draw(some.sampled_from(["", " ASC", " desc", " DESC ", " foo", " ASC DESC", ",", ";"]))
    return draw(ENTITIES) + draw(some.one_of(KEYS, some.just("timestamp"))) + draw(SPACES) + direction


def plain(message: str) -> str:
    """Sets have no order of their own."""
    return re.sub(r"\{('[^{}]*')\}", lambda m: "{" + ", ".join(sorted(m[1].split(", "))) + "}", message)


def theirs(text: str):
    """What MLflow's store makes of a filter: parsed, aliases replaced, comparators checked."""
    utils = mlflow_search.SearchUtils
    found = []
    for each in utils.parse_search_filter(text):
        key, kind, comparator = (
            utils.translate_key_alias(each["key"]),
            each["type"],
            each["comparator"].upper(),
        )
        if not (
            utils.is_string_attribute(kind, key, comparator)
            or utils.is_numeric_attribute(kind, key, comparator)
        ):
            for check in (utils.is_metric, utils.is_param, utils.is_tag, utils.is_dataset):
                if check(kind, comparator):
                    break
        value = float(each["value"]) if kind == "metric" else each["value"]
        found.append((kind, key, comparator, value))
    return found


def ours(text: str):
    return [(each.kind, each.key, each.comparator, each.value) for each in parse_filter(RUNS, text)]


def outcome(parse, text: str):
    """What came of it; an error by its words, and one that is no MLflow error at all by being one."""
    try:
        return parse(text)
    except (MlflowException, MlflowError) as error:
        return plain(error.message)
    except Exception:
        return "crash"


def agree(first, second, text: str) -> None:
    found = outcome(second, text)
    wanted = outcome(first, text)
    if wanted == "crash":
        assert isinstance(found, str), text
        return
    assert found == wanted, text


@settings(max_examples=700, deadline=None, derandomize=True)
@given(filters())
def test_filters_of_runs(text: str) -> None:
    agree(theirs, ours, text)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(some.text(alphabet="metricsparamtag.`'\"=<>!()ANDORINLKE 123,;é\\%_-/*", max_size=30))
def test_filters_of_anything(text: str) -> None:
    agree(theirs, ours, text)


@settings(max_examples=500, deadline=None, derandomize=True)
@given(orders())
def test_orders_of_runs(text: str) -> None:
    def wanted(clause: str):
        kind, key, ascending = mlflow_search.SearchUtils.parse_order_by_for_search_runs(clause)
        if kind == "dataset":
            raise MlflowException("Invalid identifier type 'dataset'")
        return kind, mlflow_search.SearchUtils.translate_key_alias(key), ascending

    def found(clause: str):
        (ordering,) = parse_order(RUNS, [clause])
        return ordering.kind, ordering.key, ordering.ascending

    agree(wanted, found, text)


@settings(max_examples=700, deadline=None, derandomize=True)
@given(filters())
def test_filters_of_experiments(text: str) -> None:
    store = pytest.importorskip("mlflow.store.tracking.sqlalchemy_store")

    def wanted(clause: str):
        parsed = mlflow_search.SearchExperimentsUtils.parse_search_filter(clause)
        store._get_search_experiments_filter_clauses(parsed, "sqlite")
        return [(each["type"], each["key"], each["comparator"].upper(), each["value"]) for each in parsed]

    def found(clause: str):
        parsed = parse_filter(EXPERIMENTS, clause)
        for each in parsed:  # ids are made numbers by the route
            if each.key == "experiment_id" and each.kind == "attribute":
                from kedge.tracking.experiment_operations import _numbered

                _numbered(each)
        return [(each.kind, each.key, each.comparator, each.value) for each in parsed]

    agree(wanted, found, text)
