"""Logged models, registered models and what runs read and made: the same of MLflow's own server and of Kedge."""

import json

import pytest
from tests.tracking.both import Both, PassedOn
from tests.tracking.test_against_mlflow import compare, held_the_same, runs

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # MLflow's own
__all__ = ["runs"]


def made(both: Both, name: str, method: str, path: str, body: dict, *where: str) -> None:
    """Ask both for something that gets an id of its own, and give the id a name."""
    found = []
    for side, ask in enumerate((both._ask_theirs, both._ask_ours)):
        text = both._filled(json.dumps(body), side)
        status, answer = ask(method, path, text, "", "application/json")
        assert status == 200, answer
        for key in where:
            answer = answer[key]
        found.append(answer)
    both.name(name, *found)


@pytest.fixture
def models(runs: Both) -> Both:
    """`<m0>` and `<m1>`, logged models of `<r0>`."""
    for place in range(2):
        body = {
            "experiment_id": "1",
            "name": f"model{place}",
            "model_type": "agent",
            "source_run_id": "<r0>",
            "params": [{"key": "p", "value": "1"}],
            "tags": [{"key": "t", "value": "x"}],
        }
        made(runs, f"m{place}", "POST", "logged-models", body, "model", "info", "model_id")
    return runs


def test_logged_models(models: Both) -> None:
    for path in ("logged-models/<m0>", "logged-models/nope"):
        compare_path(models, "GET", path)
    compare_path(models, "PATCH", "logged-models/<m0>", {"model_id": "<m0>", "status": "LOGGED_MODEL_READY"})
    compare_path(models, "PATCH", "logged-models/<m0>", {"model_id": "<m0>", "status": 3})
    compare_path(models, "PATCH", "logged-models/<m0>", {"model_id": "<m0>", "status": "NOPE"})
    compare_path(models, "PATCH", "logged-models/<m0>", {"model_id": "<m0>"})
    compare_path(models, "PATCH", "logged-models/nope", {"model_id": "nope", "status": "LOGGED_MODEL_READY"})
    tags = {"tags": [{"key": "a", "value": "1"}, {"key": "t", "value": "y"}, {"key": "a", "value": "2"}]}
    compare_path(models, "PATCH", "logged-models/<m0>/tags", tags)
    compare_path(models, "PATCH", "logged-models/<m0>/tags", {"tags": "x"})
    compare_path(models, "PATCH", "logged-models/nope/tags", tags)
    compare_path(models, "DELETE", "logged-models/<m0>/tags/a")
    compare_path(models, "DELETE", "logged-models/<m0>/tags/a")
    more = {"model_id": "<m0>", "params": [{"key": "q", "value": "2"}]}
    compare_path(models, "POST", "logged-models/<m0>/params", more)
    for value in (0.5, "NaN", 2):
        metric = {"run_id": "<r0>", "key": "m", "value": value, "timestamp": 3, "step": 1, "model_id": "<m0>"}
        metric |= {"dataset_name": "d", "dataset_digest": "x"}
        compare(models, "POST", "runs/log-metric", metric)
    metric = {"run_id": "<r0>", "key": "m", "value": 1, "timestamp": 3, "model_id": "m-none"}
    theirs, ours = models.ask("POST", "runs/log-metric", metric)
    assert (ours[0], ours[1]["error_code"]) == (theirs[0], theirs[1]["error_code"]) == (400, "BAD_REQUEST")
    compare_path(models, "GET", "logged-models/<m0>")
    compare_path(models, "DELETE", "logged-models/<m1>")
    compare_path(models, "GET", "logged-models/<m1>")
    compare(models, "GET", models._filled("logged-models/", 0) + "nope", query="allow_deleted=true")
    for body in (
        {"name": "a/b", "experiment_id": "1"},
        {"name": "", "experiment_id": "77"},
        {"experiment_id": "x"},
        {},
        {"experiment_id": "1", "tags": "x"},
    ):
        compare(models, "POST", "logged-models", body)
    held_the_same(models)


def compare_path(both: Both, method: str, path: str, body: dict | None = None) -> None:
    """Like `compare`, where the path names an id that each side has made up."""
    answers = []
    for side, ask in enumerate((both._ask_theirs, both._ask_ours)):
        text = both._filled(json.dumps(body) if body is not None else "", side)
        answers.append(both._plain(ask(method, both._filled(path, side), text, "", "application/json"), side))
    assert answers[1] == answers[0], (method, path, body)


def test_what_runs_read_and_made(models: Both) -> None:
    dataset = {
        "name": "d",
        "digest": "x",
        "source_type": "local",
        "source": "{}",
        "schema": "{}",
        "profile": "{}",
    }
    other = {"name": "e", "digest": "y", "source_type": "http", "source": "http://x"}
    context = [{"key": "mlflow.data.context", "value": "train"}]
    for body in (
        {
            "run_id": "<r0>",
            "datasets": [{"dataset": dataset, "tags": context}],
            "models": [{"model_id": "<m1>"}],
        },
        {"run_id": "<r0>", "datasets": [{"dataset": dataset, "tags": context}, {"dataset": other}]},
        {"run_id": "<r1>", "datasets": [{"dataset": dataset}, {"dataset": dataset, "tags": context}]},
        {"run_id": "<r0>", "datasets": [{"dataset": {**dataset, "name": "n" * 501}}]},
        {"run_id": "<r0>", "datasets": [{"dataset": other, "tags": [{"key": "k" * 256, "value": "v"}]}]},
        {"run_id": "<r0>"},
        {"run_id": "nope", "datasets": [{"dataset": other}]},
        {"run_id": "<r0>", "datasets": "x"},
        {},
    ):
        compare(models, "POST", "runs/log-inputs", body)
    for body in (
        {"run_id": "<r0>", "models": [{"model_id": "<m0>", "step": 4}]},
        {"run_id": "nope", "models": [{"model_id": "<m0>"}]},
        {"run_id": "<r0>"},
        {"run_id": "<r0>", "models": 5},
    ):
        compare(models, "POST", "runs/outputs", body)
    compare(models, "GET", "runs/get", query="run_id=<r0>")
    for text in (
        "dataset.name = 'd'",
        "dataset.context = 'train'",
        "dataset.digest LIKE 'y%'",
        "dataset.context != 'train'",
    ):
        compare(models, "POST", "runs/search", {"experiment_ids": ["1"], "filter": text})
    held_the_same(models)


def test_the_registry(models: Both) -> None:
    for body in (
        {"name": "flights", "description": "d", "tags": [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}]},
        {"name": "flights"}, {"name": "plain"}, {"name": "a/b"}, {"name": " "}, {"name": "../x"}, {}, {"name": "t", "tags": 5},
        {"name": "late", "tags": [{"key": "../k", "value": "v"}]},
    ):  # fmt: skip
        compare(models, "POST", "registered-models/create", body)
    for place in range(3):
        body = {
            "name": "flights", "source": f"models:/<m{place % 2}>", "model_id": f"<m{place % 2}>", "description": f"v{place}",
            "tags": [{"key": "k", "value": "v"}],
        }  # fmt: skip
        compare(models, "POST", "model-versions/create", body | ({"run_id": "<r1>"} if place == 2 else {}))
    compare(
        models,
        "POST",
        "model-versions/create",
        {"name": "none", "source": "models:/<m0>", "model_id": "<m0>"},
    )
    for query in ("name=flights", "name=plain", "name=none", "name=a/b", ""):
        compare(models, "GET", "registered-models/get", query=query)
    for query in (
        "name=flights&version=1",
        "name=flights&version=3",
        "name=flights&version=9",
        "name=flights&version=x",
        "name=flights",
    ):
        compare(models, "GET", "model-versions/get", query=query)
        if "version" in query:
            compare(models, "GET", "model-versions/get-download-uri", query=query)
    for body in (
        {"name": "flights", "alias": "champion", "version": "1"}, {"name": "flights", "alias": "champion", "version": "2"},
        {"name": "flights", "alias": "latest", "version": "1"}, {"name": "flights", "alias": "v3", "version": "1"},
        {"name": "flights", "alias": "a b", "version": "1"}, {"name": "flights", "alias": "x", "version": "9"},
        {"name": "none", "alias": "x", "version": "1"}, {"name": "flights", "alias": "x" * 256, "version": "1"}, {"name": "flights"},
    ):  # fmt: skip
        compare(models, "POST", "registered-models/alias", body)
    for query in (
        "name=flights&alias=champion",
        "name=flights&alias=latest",
        "name=flights&alias=none",
        "name=none&alias=x",
        "name=plain&alias=latest",
    ):
        compare(models, "GET", "registered-models/alias", query=query)
    for body in (
        {"name": "flights", "key": "b", "value": "1"},
        {"name": "none", "key": "b", "value": "1"},
        {"name": "flights", "key": "../b", "value": "1"},
    ):
        compare(models, "POST", "registered-models/set-tag", body)
        compare(models, "POST", "model-versions/set-tag", body | {"version": "1"})
    compare(
        models,
        "POST",
        "model-versions/set-tag",
        {"name": "flights", "version": "9", "key": "b", "value": "1"},
    )
    for body in (
        {"name": "flights", "key": "b"},
        {"name": "flights", "key": "b"},
        {"name": "none", "key": "b"},
    ):
        compare(models, "DELETE", "registered-models/delete-tag", body)
        compare(models, "DELETE", "model-versions/delete-tag", body | {"version": "1"})
    compare(
        models, "PATCH", "model-versions/update", {"name": "flights", "version": "1", "description": "new"}
    )
    compare(models, "PATCH", "model-versions/update", {"name": "flights", "version": "1"})
    compare(models, "DELETE", "registered-models/alias", {"name": "flights", "alias": "champion"})
    compare(models, "DELETE", "registered-models/alias", {"name": "flights", "alias": "champion"})
    compare(models, "GET", "registered-models/get", query="name=flights")
    compare_path(models, "GET", "logged-models/<m0>")
    held_the_same(models)


@pytest.mark.parametrize(
    "body",
    [
        {"name": "flights", "source": "runs:/abc/model", "run_id": "abc"},
        {"name": "flights", "source": "/etc/passwd"},
        {"name": "flights", "source": "mlflow-artifacts:/../x"},
        {"name": "flights", "source": "models:/other/1"},
        {"name": "flights", "source": "dummy", "tags": [{"key": "mlflow.prompt.is_prompt", "value": "true"}]},
    ],
)
def test_versions_of_other_sources_are_left_to_mlflow(models: Both, body: dict) -> None:
    compare(models, "POST", "registered-models/create", {"name": "flights"})
    with pytest.raises(PassedOn):
        models._ask_ours("POST", "model-versions/create", json.dumps(body), "", "application/json")


MODEL_FILTERS = [
    "", "name = 'flights'", "name LIKE 'F%'", "name ILIKE 'F%'", "name != 'plain'", "name IN ('flights', 'x')", "name NOT IN ('x')",
    "tags.a = '2'", "tag.a != '2'", "tags.`a` LIKE '%'", "tags.a = '2' AND name = 'flights'", "tags.none = 'x'", "name > 'a'",
    "name = 5", "nope = 'x'", "metrics.a = '1'", "tags.a IS NULL", "x", "name = 'a' OR name = 'b'", "tags.a IN ('2')",
    "tags.`mlflow.prompt.is_prompt` = 'false'", "tags.`mlflow.prompt.is_prompt` != 'true'", "name IN ()", "tags.a = 2", "tags.a=2.5",
    "tags.a = '2' and tags.a LIKE '2%'",
]  # fmt: skip
VERSION_FILTERS = [
    *MODEL_FILTERS, "version_number = 1", "version_number > 1", "version_number = '2'", "version_number = 1.5", "version_number LIKE '1'",
    "run_id = '<r1>'", "run_id IN ('<r1>')", "run_id LIKE '%'", "source_path LIKE 'models%'", "source_path IN ('x')", "name = 3",
    "tags.k = 'v'", "tags.k = 'v' AND version_number >= 2", "creation_timestamp > 0", "version_number IN ('1')", "version_number = 'x'",
]  # fmt: skip
MODEL_ORDERS = [
    ["name"], ["name DESC"], ["timestamp"], ["timestamp DESC"], ["last_updated_timestamp ASC"], ["creation_timestamp"], ["nope"],
    ["name", "name DESC"], ["timestamp", "last_updated_timestamp"], ["name foo"], ["tags.a"],
]  # fmt: skip
VERSION_ORDERS = [
    ["name"], ["version_number"], ["version_number DESC", "name"], ["creation_timestamp DESC", "version_number"], ["nope"], ["tags.name"],
    ["last_updated_timestamp", "version_number ASC"], ["run_id"], ["version_number", "version_number"],
]  # fmt: skip


def test_searches_of_the_registry(models: Both) -> None:
    from urllib.parse import urlencode

    for name in ("flights", "plain", "Zed"):
        body = {"name": name, "tags": [{"key": "a", "value": "2"}] if name == "flights" else []}
        compare(models, "POST", "registered-models/create", body)
    for place in range(4):
        source = {
            "source": f"models:/<m{place % 2}>",
            "model_id": f"<m{place % 2}>",
            "tags": [{"key": "k", "value": "v" * (1 + place % 2)}],
        }
        body = {"name": ("flights", "plain")[place // 3], **source}
        compare(models, "POST", "model-versions/create", body | ({"run_id": "<r1>"} if place == 2 else {}))
    compare(
        models, "POST", "registered-models/alias", {"name": "flights", "alias": "champion", "version": "2"}
    )
    for path, filters, orders, name in (
        ("registered-models/search", MODEL_FILTERS, MODEL_ORDERS, "name"),
        ("model-versions/search", VERSION_FILTERS, VERSION_ORDERS, "version_number"),
    ):
        for text in filters:
            compare(
                models,
                "GET",
                path,
                query=urlencode({"filter": text, "order_by": [name, "name"][path[0] == "r"]}, safe="<>"),
            )
        for order in orders:
            compare(models, "GET", path, query=urlencode({"order_by": order}, doseq=True))
        for more in (
            "max_results=1",
            "max_results=2&page_token=eyJvZmZzZXQiOiAxfQ==",
            "max_results=x",
            "max_results=1001",
            "max_results=200001",
            "page_token=zz",
        ):
            compare(models, "GET", path, query=f"order_by={name}&{more}")
    compare(models, "GET", "model-versions/search", query="max_results=0")


@pytest.mark.parametrize(
    "value", ["tags.`mlflow.prompt.is_prompt` = 'true'", "tag.`mlflow.prompt.is_prompt` != 'false'"]
)
def test_searches_for_prompts_are_left_to_mlflow(models: Both, value: str) -> None:
    from urllib.parse import urlencode

    with pytest.raises(PassedOn):
        models._ask_ours("GET", "registered-models/search", "", urlencode({"filter": value}), "")


def test_the_registry_s_later_life(models: Both) -> None:
    for name in ("flights", "plain"):
        compare(
            models, "POST", "registered-models/create", {"name": name, "tags": [{"key": "a", "value": "2"}]}
        )
    for place in range(4):
        source = {
            "source": f"models:/<m{place % 2}>",
            "model_id": f"<m{place % 2}>",
            "tags": [{"key": "k", "value": "v"}],
        }
        compare(models, "POST", "model-versions/create", {"name": ("flights", "plain")[place // 3], **source})
    compare(
        models, "POST", "registered-models/alias", {"name": "flights", "alias": "champion", "version": "2"}
    )
    stage = {"name": "flights", "version": "1"}
    for more in (
        {"stage": "staging"}, {"stage": "Staging", "version": "2", "archive_existing_versions": True}, {"stage": "nope"}, {},
        {"stage": "Archived", "archive_existing_versions": True}, {"stage": "Production", "version": "9"},
        {"stage": "Production", "version": "x"}, {"stage": "None", "archive_existing_versions": "yes"}, {"stage": "Production"},
    ):  # fmt: skip
        if models.postgresql and more.get("archive_existing_versions") is True:
            continue  # MLflow compares a number with a text there, which psycopg 3 refuses
        compare(models, "POST", "model-versions/transition-stage", {**stage, **more})
    for query in (
        "name=flights", "name=flights&stages=Staging", "name=flights&stages=staging&stages=None", "name=flights&stages=nope",
        "name=none", "", "name=plain",
    ):  # fmt: skip
        compare(models, "GET", "registered-models/get-latest-versions", query=query)
    compare(
        models, "POST", "registered-models/get-latest-versions", {"name": "flights", "stages": ["Production"]}
    )
    compare(models, "PATCH", "registered-models/update", {"name": "flights", "description": "new"})
    compare(models, "PATCH", "registered-models/update", {"name": "flights"})
    compare(models, "PATCH", "registered-models/update", {"name": "none", "description": "new"})
    for body in (
        {"name": "flights", "version": "2"},
        {"name": "flights", "version": "2"},
        {"name": "flights", "version": "x"},
        {"name": "flights"},
    ):
        compare(models, "DELETE", "model-versions/delete", body)
    compare(models, "GET", "registered-models/alias", query="name=flights&alias=champion")
    for body in (
        {"name": "flights", "new_name": "plain"}, {"name": "flights", "new_name": "trips"}, {"name": "flights", "new_name": "x"},
        {"name": "trips", "new_name": "a/b"}, {"name": "trips", "new_name": " "}, {"name": "trips"}, {"name": "trips", "new_name": "trips"},
    ):  # fmt: skip
        compare(models, "POST", "registered-models/rename", body)
    compare(models, "GET", "registered-models/get", query="name=trips")
    held_the_same(models)
    for body in ({"name": "trips"}, {"name": "trips"}, {}):
        compare(models, "DELETE", "registered-models/delete", body)
    compare(models, "GET", "registered-models/search")
    held_the_same(models)
