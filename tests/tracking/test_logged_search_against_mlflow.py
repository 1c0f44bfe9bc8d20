"""Searches of logged models and of datasets, and what older clients tell of models: the same of MLflow and of Kedge."""

import json

import pytest
from tests.tracking.both import Both
from tests.tracking.test_against_mlflow import compare, held_the_same, runs
from tests.tracking.test_models_against_mlflow import compare_path, made

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # MLflow's own
__all__ = ["runs"]


@pytest.fixture
def logged(runs: Both) -> Both:
    """`<m0>` to `<m4>`, with parameters, tags and metrics on datasets; the last is deleted, the one before elsewhere."""
    compare(runs, "POST", "experiments/create", {"name": "other"})
    for place in range(5):
        body = {
            "experiment_id": "2" if place == 3 else "1",
            "name": f"model{place % 2}",
            "model_type": ("agent", "Tree", "")[place % 3],
            "source_run_id": f"<r{place % 2}>",
            "params": [{"key": "p", "value": str(place)}, {"key": "kind", "value": "x" * (place % 2)}],
            "tags": [{"key": "t", "value": "y"}] if place % 2 else [],
        }
        made(runs, f"m{place}", "POST", "logged-models", body, "model", "info", "model_id")
    for place, (value, step, dataset) in enumerate(
        [
            (0.5, 0, ("d", "x")),
            (0.7, 1, ("d", "y")),
            (0.6, 0, ("e", "z")),
            ("NaN", 2, ("", "")),
            ("Infinity", 0, ("d", "w")),
        ]
    ):
        for key in ("auc", "f1")[: 1 + place % 2]:
            metric = {
                "run_id": f"<r{place % 2}>",
                "key": key,
                "value": value,
                "timestamp": 3 + place,
                "step": step,
            }
            metric |= {"dataset_name": dataset[0], "dataset_digest": dataset[1]}
            compare(runs, "POST", "runs/log-metric", metric | {"model_id": f"<m{place % 3}>"})
            compare(
                runs, "POST", "runs/log-metric", metric | {"model_id": f"<m{place // 2}>", "timestamp": 9}
            )
    compare_path(runs, "PATCH", "logged-models/<m1>", {"model_id": "<m1>", "status": 2})
    compare_path(runs, "DELETE", "logged-models/<m4>")
    return runs


FILTERS = [
    "", "name = 'model0'", "name != 'model0'", "name LIKE 'M%'", "name ILIKE 'M%'", "name like 'model_'", "name IN ('model0', 'x')",
    "name NOT IN ('x')", "name IN ()", "name IN ('model1')", "name = model0", 'name = "model0"', "name = 5", "name IN (1, 2)",
    "model_type = 'agent'", "model_type != 'agent'", "model_type = ''", "model_id = '<m0>'", "source_run_id = '<r1>'",
    "status = '2'", "status = 2", "status != '2'", "status = 'READY'", "status != 'READY'", "status LIKE '1'", "status IN ('1', '2')",
    "status NOT IN ('1')", "lifecycle_stage = 'active'", "experiment_id = '1'", "experiment_id != '1'", "artifact_location LIKE 'mlflow%'",
    "status_message = 'x'", "creation_timestamp > 0", "creation_time > 0", "creation_timestamp_ms >= 0", "last_updated_timestamp < 5",
    "creation_timestamp LIKE '1'", "creation_timestamp = 'x'", "last_updated_time > 0", "nope = 'x'", "attributes.name = 'model1'",
    "attributes.`name` = 'model1'", "`name` = 'model1'", "attribute.name = 'x'", "METRICS.auc > 0", "metrics.auc > 0.5", "metrics.auc = 0.5",
    "metrics.auc != 0.5", "metrics.auc <= 0.7", "metrics.`auc` > 0.5", "metrics.f1 > 0 AND metrics.auc > 0", "metrics.auc > 'x'",
    "metrics.auc LIKE '1'", "metrics.auc > inf", "metrics.auc > -1", "metrics.auc >", "metrics.auc IS NULL", "params.p = '1'", "params.p > '1'",
    "params.p != '1'", "params.p = 1", "params.kind = ''", "params.kind LIKE '%'", "params.p IN ('0', '2')", "tags.t = 'y'", "tags.t ILIKE 'Y'",
    "tags.none = 'y'", "params.p = '1' AND tags.t = 'y' and name = 'model1'", "params.p = '1' OR params.p = '2'", "x", "name = 'a';", " ",
    "name = 'a'; name = 'b'", "AND name = 'model0'", "(name = 'model0')", "name = 'it''s'", "name NOT LIKE 'x'", "datasets.name = 'd'",
    "params.p = '1' AND params.kind = 'x'", "tags.`t` = 'y'", "name IN ('model0'", "name = ('model0')",
]  # fmt: skip
ORDERS = [
    [{"field_name": "name"}], [{"field_name": "name", "ascending": False}], [{"field_name": "creation_timestamp"}, {"field_name": "model_id"}],
    [{"field_name": "metrics.auc"}], [{"field_name": "metrics.auc", "ascending": False}], [{"field_name": "metrics.f1"}, {"field_name": "name"}],
    [{"field_name": "metrics.auc", "dataset_name": "d"}], [{"field_name": "metrics.auc", "dataset_name": "d", "dataset_digest": "y"}],
    [{"field_name": "metrics.auc", "dataset_digest": "y"}], [{"field_name": "params.p"}], [{"field_name": "nope"}], [{"field_name": ""}], [{}],
    [{"field_name": "model_type"}, {"field_name": "status", "ascending": False}], [{"field_name": "last_updated_timestamp"}],
    [{"field_name": "last_updated_time"}], [{"field_name": "creation_time", "ascending": False}], "name", ["name"], [{"field_name": 5}],
    [{"field_name": "name", "ascending": "no"}], [{"field_name": "status_message"}, {"field_name": "name"}, {"field_name": "metrics.auc"}],
    [{"field_name": "name", "fieldName": "x"}], [{"field_name": "metrics.auc"}, {"field_name": "metrics.f1", "ascending": False}],
]  # fmt: skip
MORE = [
    {}, {"max_results": 1}, {"max_results": "2"}, {"max_results": 0}, {"max_results": "x"}, {"max_results": 2**40}, {"max_results": None},
    {"datasets": [{"dataset_name": "d"}]}, {"datasets": [{"dataset_name": "d", "dataset_digest": "x"}]}, {"datasets": [{}]}, {"datasets": []},
    {"datasets": [{"dataset_name": "e"}, {"dataset_name": "d", "dataset_digest": "y"}], "filter": "metrics.auc > 0.5"}, {"datasets": "d"},
    {"datasets": [{"dataset_digest": "x"}]}, {"datasets": [{"dataset_name": "d", "dataset_digest": "x"}], "filter": "params.p = '0'"},
    {"page_token": "zz"}, {"page_token": "e30="}, {"page_token": "eyJvZmZzZXQiOiAxfQ=="}, {"page_token": 5}, {"page_token": "!"},
    {"experiment_ids": []}, {"experiment_ids": ["1", "2", "77"]}, {"experiment_ids": ["x"]}, {"experiment_ids": "1"}, {"experiment_ids": None},
    {"experiment_ids": [1]}, {"filter": 5}, {"filter": None}, {"order_by": None}, {"unknown": 1}, {"experimentIds": ["2"]},
]  # fmt: skip


def test_searches_of_logged_models(logged: Both) -> None:
    for text in FILTERS:
        if logged.postgresql and text.startswith(("status", "experiment_id", "name IN (1", "name = (")):
            continue  # MLflow compares a number with a text there, which PostgreSQL refuses
        compare(logged, "POST", "logged-models/search", {"experiment_ids": ["1", "2"], "filter": text})
    for order in ORDERS:
        compare(logged, "POST", "logged-models/search", {"experiment_ids": ["1"], "order_by": order})
    for more in MORE:
        compare(logged, "POST", "logged-models/search", {"experiment_ids": ["1"], **more})
    compare(logged, "POST", "logged-models/search", {})
    held_the_same(logged)


def test_numbers_of_logged_models_are_compared_with_texts_on_both_databases(logged: Both) -> None:
    for text, count in (
        ("status = '2'", 1),
        ("status != 'READY'", 4),
        ("experiment_id IN ('2', 'x')", 1),
        ("status LIKE '1%'", 3),
    ):
        body = json.dumps({"experiment_ids": ["1", "2"], "filter": text})
        status, found = logged._ask_ours("POST", "logged-models/search", body, "", "application/json")
        assert (status, len(found.get("models", ()))) == (200, count), text


@pytest.mark.parametrize(
    "more", [{}, {"order_by": [{"field_name": "metrics.auc"}]}, {"filter": "name LIKE 'model%'"}]
)
def test_pages_of_logged_models_to_the_end(logged: Both, more: dict) -> None:
    body = {"experiment_ids": ["1", "2"], "max_results": 1, **more}
    seen = 0
    while True:
        _, answer = compare(logged, "POST", "logged-models/search", body)
        seen += len(answer.get("models", ()))
        if "next_page_token" not in answer:
            break
        body["page_token"] = answer["next_page_token"]
    assert seen == 4
    for wrong in (
        {"filter": "name = 'x'"},
        {"experiment_ids": ["1"]},
        {"order_by": [{"field_name": "name"}]},
    ):
        compare(logged, "POST", "logged-models/search", {**body, **wrong})


def test_datasets_of_experiments(runs: Both) -> None:
    for run, name, context in (
        ("<r0>", "d", "train"),
        ("<r1>", "d", "eval"),
        ("<r2>", "d", "train"),
        ("<r0>", "e", None),
    ):
        dataset = {"name": name, "digest": "x", "source_type": "local", "source": "{}"}
        tags = (
            [{"key": "mlflow.data.context", "value": context}]
            if context
            else [{"key": "other", "value": "z"}]
        )
        compare(
            runs, "POST", "runs/log-inputs", {"run_id": run, "datasets": [{"dataset": dataset, "tags": tags}]}
        )
    _, found = compare(runs, "POST", "experiments/search-datasets", {"experiment_ids": ["1"]})
    assert len(found["dataset_summaries"]) == 3
    for listed in (["0"], ["0", "1", "1"], [], ["x"], "1", [1], ["1", 2], [str(n) for n in range(21)], None):
        compare(runs, "POST", "experiments/search-datasets", {"experiment_ids": listed})
    compare(runs, "POST", "experiments/search-datasets", {})


MODEL = {
    "run_id": "r",
    "artifact_path": "model",
    "utc_time_created": "2024-01-02 03:04:05",
    "flavors": {"python_function": {"loader_module": "x", "config": {"a": 1}}, "plain": "y"},
    "model_uuid": "u",
    "signature": None,
}


def test_models_of_older_clients(runs: Both) -> None:
    for model in (
        MODEL, {**MODEL, "model_uuid": None, "more": [1]}, {**MODEL, "flavors": {}}, {**MODEL, "flavors": [1]}, {}, [], 5,
        {key: value for key, value in MODEL.items() if key != "run_id"}, {**MODEL, "run_id": None, "artifact_path": None},
        {key: value for key, value in MODEL.items() if key not in ("model_uuid", "signature")}, {**MODEL, "artifact_path": "ü" * 20},
    ):  # fmt: skip
        compare(runs, "POST", "runs/log-model", {"run_id": "<r0>", "model_json": json.dumps(model)})
    for body in (
        {"run_id": "<r0>", "model_json": "{"}, {"run_id": "<r0>"}, {"run_id": "nope", "model_json": json.dumps(MODEL)}, {},
        {"run_id": "<r0>", "model_json": MODEL}, {"model_json": json.dumps(MODEL)},
    ):  # fmt: skip
        compare(runs, "POST", "runs/log-model", body)
    compare(
        runs, "POST", "runs/set-tag", {"run_id": "<r1>", "key": "mlflow.log-model.history", "value": "nope"}
    )
    compare(runs, "POST", "runs/log-model", {"run_id": "<r1>", "model_json": json.dumps(MODEL)})
    compare(runs, "POST", "runs/delete", {"run_id": "<r2>"})
    compare(runs, "POST", "runs/log-model", {"run_id": "<r2>", "model_json": json.dumps(MODEL)})
    held_the_same(runs)
