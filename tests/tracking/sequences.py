"""Requests as hypothesis makes them up: mostly what clients send, sometimes what none should."""

from typing import Any

from hypothesis import strategies as some
from tests.tracking.test_against_mlflow import FILTERS, INTEGERS, KEYS, NUMBERS, ORDERS
from tests.tracking.test_logged_search_against_mlflow import FILTERS as LOGGED_FILTERS
from tests.tracking.test_logged_search_against_mlflow import ORDERS as LOGGED_ORDERS
from tests.tracking.test_models_against_mlflow import (
    MODEL_FILTERS,
    MODEL_ORDERS,
    VERSION_FILTERS,
    VERSION_ORDERS,
)

Strategy = some.SearchStrategy[Any]


def mostly(usual: Strategy, odd: Strategy, times: int = 12) -> Strategy:
    """The usual, `times` times as often as the odd."""
    return some.sampled_from([usual] * times + [odd]).flatmap(lambda chosen: chosen)


def body(required: dict[str, Strategy], optional: dict[str, Strategy] | None = None) -> Strategy:
    """A body; rarely one without a field that it needs, or with a field of another type."""
    whole = some.fixed_dictionaries(required, optional=optional or {})
    torn = some.tuples(whole, some.sampled_from([*required, *(optional or {})]), WRONG).map(
        lambda drawn: {**drawn[0], drawn[1]: drawn[2]}
    )
    less = some.tuples(whole, some.sampled_from(list(required))).map(
        lambda drawn: {k: v for k, v in drawn[0].items() if k != drawn[1]}
    )
    return mostly(whole, some.one_of(torn, less), 14)


WRONG = some.sampled_from(
    [None, 5, -1, 1.5, True, "", [], {}, "x", [1], {"a": 1}, [None], 2**63, "\x00", "é\u202e😀"]
)
TEXTS = mostly(
    some.sampled_from(["", "1", "v", "w", "é", "😀", "a'b", 'q"', "100%", "x" * 300]),
    some.one_of(some.sampled_from(["y" * 6500, "y" * 8500, "\ud800", "\x00", "%_\\"]), some.text(max_size=5)),
)
SHORT = some.sampled_from(["", "1", "v", "w", "é", "😀", "a'b", "%"])
KEY = mostly(
    some.sampled_from(["a", "b", "c/d", "é", "t", "p", "auc", "A"]),
    some.sampled_from([k for k in KEYS if isinstance(k, str)]),
)
RUN = mostly(
    some.sampled_from(["<r0>", "<r0>", "<r1>", "<r2>"]),
    some.sampled_from(["<r9>", "nope", "", "0" * 32, "r" * 300]),
)
MODEL = mostly(
    some.sampled_from(["<m0>", "<m0>", "<m1>", "<m2>"]), some.sampled_from(["<m9>", "m-none", "x"])
)
EXPERIMENT = mostly(
    some.sampled_from(["0", "1", "1", "2"]),
    some.sampled_from(["9", "x", "", "-1", "1.0", "9" * 9]),
)
NAME = mostly(
    some.sampled_from(["a", "b", "C", "é 1"]),
    some.sampled_from(["", " ", "a/b", "../a", ".", "x" * 257, "x" * 501, "a:b", "Default"]),
)
VALUE = mostly(
    some.sampled_from([0, 1, 0.5, -1.25, 1e300, "NaN", "Infinity", "-Infinity", "0.25"]),
    some.sampled_from(NUMBERS),
)
TIME = mostly(some.integers(0, 4), some.sampled_from(INTEGERS))
STEP = mostly(some.integers(-2, 4), some.sampled_from(INTEGERS))
STAGE = mostly(
    some.sampled_from(["ACTIVE_ONLY", "DELETED_ONLY", "ALL"]), some.sampled_from(["nope", 1, 2, 9])
)
SIZE = mostly(some.integers(1, 4), some.sampled_from([0, "2", 1000, 50_000, 50_001, 2**31, "x"]))
PAIR = some.fixed_dictionaries({"key": KEY, "value": TEXTS})
NAMED_PAIR = some.fixed_dictionaries(
    {"key": some.sampled_from(["mlflow.runName", "mlflow.note"]), "value": SHORT}
)
PAIRS = some.lists(some.one_of(PAIR, PAIR, NAMED_PAIR), max_size=3)
ON_DATASET = some.sampled_from([{}, {}, {"dataset_name": "d", "dataset_digest": "x"}, {"dataset_name": "d"}])
METRIC = some.fixed_dictionaries({"key": KEY, "value": VALUE, "timestamp": TIME}, optional={"step": STEP})
DATASET = some.fixed_dictionaries(
    {
        "dataset": some.fixed_dictionaries(
            {"name": some.sampled_from(["d", "e"]), "digest": some.sampled_from(["x", "y"]), "source_type": SHORT, "source": SHORT},
            optional={"schema": SHORT, "profile": SHORT},
        )
    },
    optional={"tags": some.lists(some.fixed_dictionaries({"key": some.sampled_from(["mlflow.data.context", "k"]), "value": SHORT}), max_size=2, unique_by=lambda tag: tag["key"])},
)  # fmt: skip
MODEL_NAME = mostly(some.sampled_from(["a", "a", "a", "b"]), NAME)
VERSION = mostly(some.sampled_from(["1", "1", "2", "3"]), some.sampled_from(["9", "x", "0", "-1", 1, " 1"]))
ALIAS = mostly(
    some.sampled_from(["best", "Old", "é"]), some.sampled_from(["latest", "v1", "a b", "", "x" * 256])
)
OF_MODEL, OF_VERSION = {"name": MODEL_NAME}, {"name": MODEL_NAME, "version": VERSION}


def ordered(*names: str) -> list[list[str]]:
    """Orders by one or two of the names."""
    return [
        [f"{name} {way}".strip() for name in chosen]
        for way in ("", "ASC", "DESC")
        for chosen in (*[(n,) for n in names], names[:2])
    ]


def by_field(*names: str) -> list[list[dict[str, Any]]]:
    """The same for logged models."""
    return [
        [{"field_name": name, "ascending": up} for name in chosen]
        for up in (True, False)
        for chosen in (*[(n,) for n in names], names[:2])
    ]


RUNS = (
    [
        f"{first} AND {second}" if second else first
        for first in ("metrics.a > 0", "metrics.auc != 1", "metrics.b <= 0.5", "params.a = 'v'", "params.p LIKE '%'", "params.t IS NULL", "tags.t = 'v'",
                      "tags.a ILIKE 'V'", "tags.p IS NOT NULL", "attributes.status = 'RUNNING'", "start_time >= 1", "run_name = 'v'", "user_id != ''", "dataset.name = 'd'",
                      "dataset.context = 'v'", "run_id IN ('<r0>', '<r2>')", "run_id NOT IN ('<r1>')", "end_time > 0", "metrics.a = 0")
        for second in ("", "tags.b != 'w'", "metrics.a < 1")
    ],
    ordered("metrics.a", "params.a", "tags.t", "start_time", "end_time", "run_name", "status", "metrics.auc"),
)  # fmt: skip
LOGGED_MODELS = (
    ["name = 'v'", "name LIKE '%'", "model_type = ''", "source_run_id = '<r0>'", "metrics.a > 0", "metrics.auc != 1", "metrics.a <= 1 AND metrics.b > -1", "params.a = 'v'",
     "params.t LIKE '%' AND tags.a != 'w'", "tags.a ILIKE 'V'", "creation_timestamp > 0", "model_id IN ('<m0>', '<m1>')", "name NOT IN ('w')"],
    by_field("name", "creation_timestamp", "metrics.a", "model_id", "metrics.auc", "status", "last_updated_timestamp"),
)  # fmt: skip
ODD_LOGGED = [
    text
    for text in LOGGED_FILTERS
    if not text.startswith(("status", "experiment_id", "name IN (1", "name = ("))
]


def request(method: str, path: str, given: Strategy) -> Strategy:
    """One step of a sequence."""
    return some.tuples(some.just(method), some.just(path), given)


def at_model(method: str, path: str, given: Strategy) -> Strategy:
    """A step whose path names a logged model."""
    return some.tuples(some.just(method), MODEL.map(lambda model: path.format(model)), given)


def search(
    path: str,
    usual: tuple[list[str], list[Any]],
    odd: tuple[list[str], list[Any]],
    more: dict[str, Strategy],
    method: str = "POST",
) -> Strategy:
    """A search by filters and orders, asked on to its end."""
    filters, orders = (
        mostly(
            some.sampled_from(sound),
            some.sampled_from([each for each in strange if method == "POST" or isinstance(each, list | str)]),
            3,
        )
        for sound, strange in zip(usual, odd, strict=True)
    )
    return request(
        method,
        path,
        some.fixed_dictionaries(
            {"max_results": SIZE}, optional={"filter": filters, "order_by": orders, **more}
        ),
    )


MADE = [
    request("POST", "experiments/create", body({"name": NAME}, {"tags": PAIRS})),
    request("POST", "runs/create", body({"experiment_id": EXPERIMENT}, {"start_time": TIME, "user_id": SHORT, "run_name": SHORT, "tags": PAIRS})),
    request("POST", "runs/create", some.just({"experiment_id": "0", "start_time": 3})),
    request("POST", "logged-models", body({"experiment_id": EXPERIMENT}, {"name": mostly(SHORT, NAME), "model_type": SHORT, "source_run_id": RUN,
                                          "params": some.lists(PAIR, max_size=2, unique_by=lambda p: p["key"]), "tags": some.lists(PAIR, max_size=2, unique_by=lambda p: p["key"])})),
    request("POST", "registered-models/create", body(OF_MODEL, {"tags": some.lists(PAIR, max_size=2), "description": TEXTS})),
    some.tuples(some.just("POST"), some.just("model-versions/create"), some.tuples(MODEL_NAME, MODEL, some.fixed_dictionaries({}, optional={"description": TEXTS, "tags": some.lists(PAIR, max_size=2), "run_id": RUN, "run_link": SHORT})).map(
        lambda drawn: {"name": drawn[0], "source": f"models:/{drawn[1]}", "model_id": drawn[1], **drawn[2]})),
]  # fmt: skip
LOGGED = [
    request("POST", "runs/log-metric", some.tuples(body({"run_id": RUN, "key": KEY, "value": VALUE, "timestamp": TIME}, {"step": STEP}), ON_DATASET).map(lambda d: {**d[0], **d[1]})),
    request("POST", "runs/log-metric", some.tuples(METRIC, RUN, MODEL, ON_DATASET).map(lambda d: {**d[0], "run_id": d[1], "model_id": d[2], **d[3]})),
    request("POST", "runs/log-parameter", body({"run_id": RUN, "key": KEY, "value": TEXTS})),
    request("POST", "runs/set-tag", body({"run_id": RUN, "key": some.one_of(KEY, some.just("mlflow.runName")), "value": TEXTS})),
    request("POST", "runs/delete-tag", body({"run_id": RUN, "key": KEY})),
    request("POST", "runs/log-batch", body({"run_id": RUN}, {"metrics": some.lists(METRIC, max_size=6), "params": some.lists(PAIR, max_size=4), "tags": PAIRS})),
    request("POST", "runs/log-inputs", body({"run_id": RUN}, {"datasets": some.lists(DATASET, max_size=2), "models": some.lists(some.fixed_dictionaries({"model_id": MODEL}), max_size=1)})),
    request("POST", "runs/outputs", body({"run_id": RUN, "models": some.lists(some.fixed_dictionaries({"model_id": MODEL}, optional={"step": STEP}), max_size=1)})),
    request("POST", "runs/update", body({"run_id": RUN}, {"status": mostly(some.sampled_from(["FINISHED", "FAILED", "RUNNING"]), WRONG), "end_time": TIME, "run_name": SHORT})),
    request("POST", "runs/delete", body({"run_id": RUN})),
    request("POST", "runs/restore", body({"run_id": RUN})),
]  # fmt: skip
READ = [
    request("GET", "runs/get", body({"run_id": RUN})),
    request("GET", "metrics/get-history", body({"run_id": RUN, "metric_key": KEY}, {"max_results": SIZE})),
    request("GET", "metrics/get-history-bulk", some.fixed_dictionaries({"run_id": some.lists(RUN, min_size=1, max_size=3, unique=True), "metric_key": KEY}, optional={"max_results": some.integers(1, 5)})),
    request("GET", "metrics/get-history-bulk-interval", some.fixed_dictionaries({"run_ids": some.lists(RUN, min_size=1, max_size=3), "metric_key": KEY}, optional={"max_results": SIZE, "start_step": some.integers(-2, 2), "end_step": some.integers(-1, 4)})),
    search("runs/search", RUNS, (FILTERS[1:], ORDERS), {"experiment_ids": some.lists(EXPERIMENT, max_size=3), "run_view_type": STAGE}),
    search("runs/search", RUNS, (RUNS[0], RUNS[1]), {"experiment_ids": some.just(["0", "1", "2"]), "run_view_type": STAGE}),
    search("experiments/search", (["name = 'a'", "name LIKE 'a%'", "tags.a = 'v'", "tags.t IS NULL", "tags.t IS NOT NULL AND name ILIKE 'A'", "creation_time > 0", "experiment_id IN ('1', '2')"],
           ordered("name", "last_update_time", "creation_time", "experiment_id")), (["x", "nope = 'a'", "name > 'a'"], [["nope"], ["tags.a"], "name"]), {"view_type": STAGE}),
    request("POST", "experiments/search-datasets", some.fixed_dictionaries({"experiment_ids": some.lists(EXPERIMENT, max_size=3)})),
    request("GET", "experiments/get", body({"experiment_id": EXPERIMENT})),
    request("GET", "experiments/get-by-name", body({"experiment_name": NAME})),
    search("logged-models/search", LOGGED_MODELS, (ODD_LOGGED, LOGGED_ORDERS), {"experiment_ids": some.just(["0", "1", "2"]), "datasets": some.sampled_from([[{"dataset_name": "d", "dataset_digest": "x"}], [{"dataset_name": "d"}], [{}]])}),
    search("logged-models/search", LOGGED_MODELS, LOGGED_MODELS, {"experiment_ids": some.just(["0", "1", "2"])}),
    search("registered-models/search", (["name = 'a'", "name LIKE '%'", "name ILIKE 'A%'", "name IN ('a', 'b')", "tags.a = 'v'", "tags.t != 'v' AND name != 'b'"], ordered("name", "timestamp", "last_updated_timestamp")), (MODEL_FILTERS, MODEL_ORDERS), {}, "GET"),
    search("model-versions/search", (["name = 'a'", "version_number > 1", "version_number <= 2 AND name LIKE '%'", "tags.a = 'v'", "run_id = '<r0>'", "source_path LIKE 'models:%'"], ordered("version_number", "name", "last_updated_timestamp", "creation_timestamp")), (VERSION_FILTERS, VERSION_ORDERS), {}, "GET"),
]  # fmt: skip
EXPERIMENTS = [
    request("POST", "experiments/update", body({"experiment_id": EXPERIMENT, "new_name": NAME})),
    request("POST", "experiments/delete", body({"experiment_id": EXPERIMENT})),
    request("POST", "experiments/restore", body({"experiment_id": EXPERIMENT})),
    request("POST", "experiments/set-experiment-tag", body({"experiment_id": EXPERIMENT, "key": KEY, "value": TEXTS})),
    request("POST", "experiments/delete-experiment-tag", body({"experiment_id": EXPERIMENT, "key": KEY})),
]  # fmt: skip
MODELS = [
    at_model("GET", "logged-models/{}", some.just({})),
    at_model("PATCH", "logged-models/{}/tags", body({"tags": some.lists(PAIR, max_size=3)})),
    at_model("DELETE", "logged-models/{}/tags/a", some.just({})),
    at_model("DELETE", "logged-models/{}", some.just({})),
    some.tuples(some.just("PATCH"), MODEL, mostly(some.integers(0, 3), WRONG)).map(lambda d: (d[0], f"logged-models/{d[1]}", {"model_id": d[1], "status": d[2]})),
    some.tuples(MODEL, some.lists(PAIR, max_size=2, unique_by=lambda p: p["key"])).map(lambda d: ("POST", f"logged-models/{d[0]}/params", {"model_id": d[0], "params": d[1]})),
    request("GET", "registered-models/get", body(OF_MODEL)),
    request("POST", "registered-models/rename", body({"name": MODEL_NAME, "new_name": NAME})),
    request("PATCH", "registered-models/update", body(OF_MODEL, {"description": TEXTS})),
    request("DELETE", "registered-models/delete", body(OF_MODEL)),
    request("POST", "registered-models/set-tag", body({"name": MODEL_NAME, "key": KEY, "value": TEXTS})),
    request("DELETE", "registered-models/delete-tag", body({"name": MODEL_NAME, "key": KEY})),
    request("POST", "registered-models/alias", body({"name": MODEL_NAME, "alias": ALIAS, "version": VERSION})),
    request("DELETE", "registered-models/alias", body({"name": MODEL_NAME, "alias": ALIAS})),
    request("GET", "registered-models/alias", body({"name": MODEL_NAME, "alias": ALIAS})),
    request("POST", "registered-models/get-latest-versions", body(OF_MODEL, {"stages": some.lists(some.sampled_from(["None", "staging", "Production", "x"]), max_size=2)})),
    request("GET", "model-versions/get", body(OF_VERSION)),
    request("GET", "model-versions/get-download-uri", body(OF_VERSION)),
    request("PATCH", "model-versions/update", body(OF_VERSION, {"description": TEXTS})),
    request("DELETE", "model-versions/delete", body(OF_VERSION)),
    request("POST", "model-versions/set-tag", body({**OF_VERSION, "key": KEY, "value": TEXTS})),
    request("DELETE", "model-versions/delete-tag", body({**OF_VERSION, "key": KEY})),
    request("POST", "model-versions/transition-stage", body({**OF_VERSION, "stage": mostly(some.sampled_from(["Staging", "production", "None", "Archived"]), WRONG)}, {"archive_existing_versions": some.booleans()})),
]  # fmt: skip

STEP_OF_ANY = (
    some.sampled_from([MADE, LOGGED, LOGGED, READ, EXPERIMENTS, MODELS])
    .flatmap(some.sampled_from)
    .flatmap(lambda step: step)
)
BEGINNING = [
    ("POST", "experiments/create", {"name": "a"}),
    ("POST", "runs/create", {"experiment_id": "1", "start_time": 1, "run_name": "v"}),
    ("POST", "runs/create", {"experiment_id": "0", "start_time": 1}),
    ("POST", "logged-models", {"experiment_id": "1", "name": "v", "source_run_id": "<r0>"}),
    ("POST", "registered-models/create", {"name": "a"}),
    ("POST", "model-versions/create", {"name": "a", "source": "models:/<m0>", "model_id": "<m0>"}),
]
SEQUENCES = some.lists(STEP_OF_ANY, min_size=12, max_size=40).map(lambda steps: [*BEGINNING, *steps])
