"""The same requests to MLflow's own server and to Kedge: the same status, the same JSON, the same rows.

Differences that are wanted:
- where MLflow's server fails with an unhandled exception (500), Kedge says what is wrong (400);
- what a database refuses with a message of its own is told in ours;
- messages of a database's own (a taken name) are shorter: no SQL, no parameters;
- `get-history-bulk` says "NaN" as every other route does, where MLflow writes a bare NaN, which is no JSON;
- a batch is stored in whole or not at all.
"""

import json
import re
from typing import Any

import pytest
from tests.tracking.both import Both

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # MLflow's own


def compare(
    both: Both, method: str, path: str, body: Any = None, query: str = "", **more: Any
) -> tuple[int, Any]:
    theirs, ours = both.ask(method, path, body, query, **more)
    if ours[0] == 400 and (theirs[0] == 500 or _in_a_driver_s_words(theirs)):
        return ours
    theirs, ours = _without_sql(theirs), _without_sql(ours)
    assert ours == theirs, (method, path, body, query)
    return ours


def _in_a_driver_s_words(answer: tuple[int, Any]) -> bool:
    """Whether the database refused a value, and not for breaking a constraint."""
    message = str(answer[1].get("message", "")) if isinstance(answer[1], dict) else ""
    return answer[0] == 400 and bool(
        re.match(r"\((sqlite3|psycopg|builtins)\.(?!.*IntegrityError|errors\.Unique)", message)
    )


def _without_sql(answer: tuple[int, Any]) -> tuple[int, Any]:
    """The messages of the databases' drivers cut to what both say."""
    if not isinstance(answer[1], dict):
        return answer
    message = str(answer[1].get("message", "")).partition(" already exists. Error:")[0]
    if re.search("UNIQUE constraint failed|violates unique constraint", message):
        message = "the name is taken, in the words of one database or the other"
    return answer[0], {**answer[1], "message": message} if "message" in answer[1] else answer[1]


@pytest.fixture
def runs(both: Both) -> Both:
    """An experiment with three runs, `<r0>` to `<r2>`, of which the last has metrics."""
    compare(both, "POST", "experiments/create", {"name": "a", "tags": [{"key": "k", "value": "v"}]})
    for place in range(3):
        body = {
            "experiment_id": "1",
            "start_time": 1000 + place,
            "user_id": "u",
            "run_name": f"run{place}",
            "tags": [{"key": "t", "value": f"v{place}"}],
        }
        text = json.dumps(body)
        theirs = both._ask_theirs("POST", "runs/create", text, "", "application/json")[1]
        ours = both._ask_ours("POST", "runs/create", text, "", "application/json")[1]
        both.name(f"r{place}", theirs["run"]["info"]["run_id"], ours["run"]["info"]["run_id"])
        theirs["run"]["info"] = ours["run"]["info"]
        assert ours == {"run": {**theirs["run"], "data": ours["run"]["data"]}}
    batch = {
        "run_id": "<r2>",
        "metrics": [
            {"key": "a", "value": 1, "timestamp": 1},
            {"key": "a", "value": 2, "timestamp": 1},
            {"key": "a", "value": "NaN", "timestamp": 9, "step": 4},
        ],
        "params": [{"key": "p", "value": "1"}],
        "tags": [{"key": "t", "value": "new"}, {"key": "mlflow.runName", "value": "renamed"}],
    }
    compare(both, "POST", "runs/log-batch", batch)
    compare(
        both,
        "POST",
        "runs/log-metric",
        {"run_id": "<r1>", "key": "a", "value": 3.5, "timestamp": 7, "step": 1},
    )
    return both


def held_the_same(both: Both) -> None:
    theirs, ours = both.held()
    for table, rows in theirs.items():
        assert ours[table] == rows, table


EXPERIMENTS = [
    ("POST", "experiments/create", {"name": "a"}, ""),
    ("POST", "experiments/create", {"name": ""}, ""),
    ("POST", "experiments/create", {}, ""),
    ("POST", "experiments/create", {"name": 5}, ""),
    ("POST", "experiments/create", {"name": "x" * 501}, ""),
    ("POST", "experiments/create", {"name": "ü 'quoted\" \\ %"}, ""),
    ("POST", "experiments/create", {"name": "t", "tags": [{"key": "../k", "value": "v"}]}, ""),
    *(
        ("GET", "experiments/get", None, q)
        for q in ("experiment_id=1", "experiment_id=99", "experiment_id=abc", "")
    ),
    *(
        ("GET", "experiments/get-by-name", None, q)
        for q in ("experiment_name=a", "experiment_name=zz", "experiment_name=Default", "experiment_name=")
    ),
    ("POST", "experiments/set-experiment-tag", {"experiment_id": "1", "key": "k2", "value": "v"}, ""),
    ("POST", "experiments/set-experiment-tag", {"experiment_id": "1", "key": "k2", "value": "y" * 20001}, ""),
    ("POST", "experiments/set-experiment-tag", {"experiment_id": "9", "key": "k2", "value": "v"}, ""),
    ("POST", "experiments/delete-experiment-tag", {"experiment_id": "1", "key": "k2"}, ""),
    ("POST", "experiments/delete-experiment-tag", {"experiment_id": "1", "key": "k2"}, ""),
    ("POST", "experiments/update", {"experiment_id": "1", "new_name": "Default"}, ""),
    ("POST", "experiments/update", {"experiment_id": "1", "new_name": "b"}, ""),
    ("POST", "experiments/update", {"experiment_id": "1"}, ""),
    ("POST", "experiments/update", {"experiment_id": "1", "new_name": ""}, ""),
    ("POST", "experiments/delete", {"experiment_id": "1"}, ""),
    ("POST", "experiments/delete", {"experiment_id": "1"}, ""),
    ("POST", "runs/create", {"experiment_id": "1"}, ""),
    ("POST", "experiments/update", {"experiment_id": "1", "new_name": "c"}, ""),
    ("POST", "experiments/set-experiment-tag", {"experiment_id": "1", "key": "k2", "value": "v"}, ""),
    ("GET", "experiments/get", None, "experiment_id=1"),
    ("POST", "runs/search", {"experiment_ids": ["1"], "run_view_type": "ALL"}, ""),
    ("POST", "experiments/restore", {"experiment_id": "1"}, ""),
    ("POST", "experiments/restore", {"experiment_id": "1"}, ""),
]


def test_experiments_from_birth_to_restoration(runs: Both) -> None:
    for method, path, body, query in EXPERIMENTS:
        compare(runs, method, path, body, query)
    held_the_same(runs)


NUMBERS = (
    1,
    1.5,
    "2.5",
    "NaN",
    "Infinity",
    "-Infinity",
    True,
    False,
    None,
    "x",
    "nan",
    [1],
    {},
    10**400,
    -0.0,
    "1e400",
)
INTEGERS = (
    0,
    -1,
    2**63 - 1,
    2**63,
    2**70,
    -(2**63),
    "12",
    "1 2",
    1.0,
    1.5,
    "1.0",
    "1e3",
    "x",
    None,
    True,
    [],
    "0x10",
)
KEYS = (
    "",
    "a/b",
    "a//b",
    "../a",
    "/a",
    ".",
    "a b",
    "a:b",
    "a\n",
    "é",
    "x" * 250,
    "x" * 251,
    "a'b",
    None,
    5,
    "a\x00b",
)


def test_metrics_of_every_sort(runs: Both) -> None:
    for place, value in enumerate(NUMBERS):
        key = f"value{place}"
        compare(
            runs,
            "POST",
            "runs/log-metric",
            {"run_id": "<r0>", "key": key, "value": value, "timestamp": 5, "step": 1},
        )
    for value in INTEGERS:
        compare(
            runs, "POST", "runs/log-metric", {"run_id": "<r0>", "key": "t", "value": 1, "timestamp": value}
        )
        compare(
            runs,
            "POST",
            "runs/log-metric",
            {"run_id": "<r0>", "key": "s", "value": 1, "timestamp": 3, "step": value},
        )
    for key in KEYS:
        compare(runs, "POST", "runs/log-metric", {"run_id": "<r0>", "key": key, "value": 1, "timestamp": 3})
    compare(runs, "GET", "metrics/get-history", query="run_id=<r0>&metric_key=t")
    held_the_same(runs)


def test_parameters_and_tags_of_every_sort(runs: Both) -> None:
    for key in KEYS:
        compare(runs, "POST", "runs/log-parameter", {"run_id": "<r0>", "key": key, "value": "1"})
        compare(runs, "POST", "runs/set-tag", {"run_id": "<r0>", "key": key, "value": "1"})
    for value in ("1", "1", "2", "", None, 5, "y" * 7000, "\U0001f600", "'"):
        compare(runs, "POST", "runs/log-parameter", {"run_id": "<r1>", "key": "p", "value": value})
        compare(runs, "POST", "runs/set-tag", {"run_id": "<r1>", "key": "p", "value": value})
    compare(runs, "POST", "runs/set-tag", {"run_id": "<r1>", "key": "mlflow.runName", "value": "other"})
    compare(runs, "POST", "runs/set-tag", {"run_id": "<r1>", "key": "mlflow.runName", "value": ""})
    compare(runs, "POST", "runs/set-tag", {"run_id": "<r1>", "key": "long", "value": "y" * 9000})
    compare(runs, "POST", "runs/delete-tag", {"run_id": "<r2>", "key": "t"})
    compare(runs, "POST", "runs/delete-tag", {"run_id": "<r2>", "key": "t"})
    compare(runs, "GET", "runs/get", query="run_id=<r1>")
    held_the_same(runs)


BATCHES = [
    {"run_id": "<r2>", "params": [{"key": "p", "value": "2"}, {"key": "q", "value": "2"}]},
    {"run_id": "<r2>", "params": [{"key": "q", "value": "2"}, {"key": "q", "value": "2"}]},
    {"run_id": "<r2>", "params": [{"key": f"q{i}", "value": "2"} for i in range(101)]},
    {"run_id": "<r2>", "tags": [{"key": f"q{i}", "value": "2"} for i in range(101)]},
    {"run_id": "<r2>", "metrics": [{"key": f"q{i}", "value": 2, "timestamp": 1} for i in range(1001)]},
    {
        "run_id": "<r2>",
        "metrics": [{"key": f"q{i}", "value": 2, "timestamp": 1} for i in range(950)],
        "params": [{"key": f"q{i}", "value": "2"} for i in range(51)],
    },
    {"run_id": "<r2>", "metrics": [{"key": "q", "value": 2}]},
    {"run_id": "<r2>", "metrics": [{"value": 2, "timestamp": 1}]},
    {"run_id": "<r2>", "metrics": {"value": 2, "timestamp": 1}},
    {"run_id": "<r2>", "metrics": [3]},
    {"run_id": "<r2>", "metrics": [None]},
    {
        "run_id": "<r2>",
        "metrics": [{"key": "ok", "value": 2, "timestamp": 1}, {"key": "../no", "value": 2, "timestamp": 1}],
    },
    {
        "run_id": "<r2>",
        "metrics": [{"key": "ok", "value": 2, "timestamp": 1}, {"key": "t", "value": 2, "timestamp": -1}],
    },
    {"run_id": "<r2>", "tags": [{"key": "t", "value": "1"}, {"key": "t", "value": "2"}]},
    {"run_id": "!!"},
    {"run_id": "abc"},
    {"run_id": "<r2>"},
    {},
]


@pytest.mark.parametrize("body", BATCHES, ids=lambda body: json.dumps(body)[:40])
def test_batches(runs: Both, body: dict) -> None:
    compare(runs, "POST", "runs/log-batch", body)
    held_the_same(runs)


def test_a_batch_of_many_points_keeps_the_newest_of_each(runs: Both) -> None:
    points = [
        {"key": f"m{i % 7}", "value": (i * 37 % 11) - 5, "timestamp": i * 13 % 5, "step": i * 17 % 9}
        for i in range(400)
    ]
    points += [
        {"key": "m1", "value": "NaN", "timestamp": 4, "step": 8},
        {"key": "m2", "value": "-Infinity", "timestamp": 4, "step": 8},
    ]
    for start in range(0, len(points), 90):
        compare(runs, "POST", "runs/log-batch", {"run_id": "<r0>", "metrics": points[start : start + 90]})
    compare(runs, "POST", "runs/log-batch", {"run_id": "<r0>", "metrics": points[:50]})
    for key in ("m1", "m2", "m3"):
        for more in ("", "&max_results=3", "&max_results=5&page_token=eyJvZmZzZXQiOiA1fQ=="):
            compare(runs, "GET", "metrics/get-history", query=f"run_id=<r0>&metric_key={key}{more}")
        for points_wanted in (1, 2, 3, 10, 57, 2500):
            compare(
                runs, "GET", "metrics/get-history-bulk-interval",
                query=f"run_ids=<r0>&run_ids=<r2>&metric_key={key}&max_results={points_wanted}",
            )  # fmt: skip
        compare(
            runs, "GET", "metrics/get-history-bulk-interval",
            query=f"run_ids=<r0>&metric_key={key}&max_results=4&start_step=2&end_step=6",
        )  # fmt: skip
    held_the_same(runs)


FILTERS = [
    "", "metrics.a > 0", "metrics.a = 1", "params.p = '1'", "params.p LIKE '%'", "tags.t ILIKE 'V%'", "tags.t like 'V%'",
    "attributes.status = 'RUNNING'", "attributes.run_name = 'renamed'", "run_id IN ('<r0>','<r1>')", "run_name != 'x'",
    "attributes.start_time > 1000", "attributes.created >= 1001", "params.nope IS NULL", "tags.t IS NOT NULL",
    "metrics.a > 'x'", "nope.a = 1", "metrics.a = 1 OR metrics.a = 2", "x", "metrics.a >", "params.p = 1",
    "tags.`t` = 'v0'", 'tags."t" = "v0"', "attributes.nope = 'x'", "status IN ('RUNNING')", "dataset.name = 'x'",
    "dataset.context='train'", "datasets.digest LIKE 'a%'", "dataset.nope = 'x'", "metrics.a IS NULL",
    "metrics.`a b` > 1", "a = 1; b = 2", "metrics.a != 1", "metrics.a != 3.5", "metrics.a <= 3.5", "run_id NOT IN ('<r0>')",
    "attributes.end_time = 99", "metrics.a == 1", "params.p > '1'", "attributes.start_time LIKE '1'", "(metrics.a > 1)",
    "tags.t = 'it''s'", "run_id IN ()", "run_id IN ('a', 1)", "run_id IN (a)", "  metrics.a   >   0  ", "METRICS.a > 0",
    "metrics.a > 0 and params.p = '1'", "metrics.a > 0 AND", "AND metrics.a > 0", "metrics.a > -1", "metrics.a > 1e-3",
    "metrics.a BETWEEN 1 AND 2", "not metrics.a > 1", "tags.mlflow.runName = 'renamed'", "tags.t='new'AND metrics.a>0",
    "attributes.user_id = 'u'", "artifact_uri LIKE 'mlflow%'", "params.p ILIKE '1'", "tags.t = \"new\"", "tags.t <> 'new'",
]  # fmt: skip
ORDERS = [
    ["metrics.a"], ["metrics.a DESC"], ["params.p asc", "metrics.a"], ["tags.t DESC"], ["attributes.start_time ASC"],
    ["start_time DESC"], ["status", "start_time"], ["nope"], ["metrics.a", "metrics.a DESC"], ["metrics.a foo"],
    ["metrics.a DESC foo"], [""], ["timestamp"], ["timestamp DESC"], ["attributes.run_name"], ["metrics.`a`"],
    ["created"], [5], "x", ["end_time"], ["dataset.name"], ["metrics.a DESC", "start_time"], ["metrics.nope", "tags.t"],
["tags.`t` ASC"], ['metrics."a" DESC'], ["metrics.a, metrics.b"], ["metrics.a;"],
]  # fmt: skip
PAGES = [
    {"max_results": 1}, {"max_results": 2}, {"max_results": 0}, {"max_results": -1}, {"max_results": 50001},
    {"max_results": "2"}, {"max_results": None}, {"max_results": 2**40}, {"page_token": "zz"},
    {"page_token": "eyJvZmZzZXQiOiAxfQ=="}, {"page_token": "e30="}, {"page_token": "eyJvZmZzZXQiOiAieCJ9"},
    {"run_view_type": "ALL"}, {"run_view_type": "DELETED_ONLY"}, {"run_view_type": "NOPE"}, {"run_view_type": 3},
    {"experiment_ids": []}, {"experiment_ids": ["x"]}, {"experiment_ids": "1"}, {"experiment_ids": [1]},
    {"experiment_ids": ["0", "1", "7"]}, {"filter": 5}, {"max_results": 1, "order_by": ["metrics.a DESC"]},
    {"max_results": 1, "order_by": ["metrics.a"], "page_token": "eyJvZmZzZXQiOiAxfQ=="},
]  # fmt: skip


def test_searches_of_runs(runs: Both) -> None:
    compare(runs, "POST", "runs/update", {"run_id": "<r0>", "status": "FINISHED", "end_time": 99})
    for text in FILTERS:
        compare(runs, "POST", "runs/search", {"experiment_ids": ["1"], "filter": text})
    for order in ORDERS:
        compare(runs, "POST", "runs/search", {"experiment_ids": ["1"], "order_by": order})
    for more in PAGES:
        compare(runs, "POST", "runs/search", {"experiment_ids": ["1"], **more})


def test_searches_of_experiments(runs: Both) -> None:
    compare(runs, "POST", "experiments/create", {"name": "Zed", "tags": [{"key": "k", "value": "w"}]})
    compare(runs, "POST", "experiments/delete", {"experiment_id": "2"})
    for more in (
        {}, {"max_results": 1}, {"max_results": 50001}, {"view_type": "ALL"}, {"view_type": 3}, {"view_type": "DELETED_ONLY"},
        {"order_by": ["name DESC"]}, {"order_by": ["tags.k"]}, {"order_by": ["last_update_time"]}, {"page_token": "zz"},
        *({"filter": text} for text in (
            "name = 'a'", "name LIKE 'A%'", "name ILIKE 'A%'", "tags.k = 'v'", "tags.k IS NULL", "tags.k IS NOT NULL",
            "experiment_id IN ('1','0')", "experiment_id = 'x'", "experiment_id > '1'", "creation_time > 0",
            "creation_time > 0.5", "nope = 'x'", "metrics.a = 1", "name IN ('a')", "name > 'a'", "tags.k > 'a'", "x",
            "name IS NULL", "attribute.name = 'a'", "attributes.name = 'a'", "name = 'a' OR name = 'b'", "tags.k != 'v'",
        )),
    ):  # fmt: skip
        compare(runs, "POST", "experiments/search", {"max_results": 10, **more})
    compare(runs, "POST", "experiments/search", {})
    compare(runs, "GET", "experiments/search", query="max_results=5&order_by=name&view_type=ALL")


def test_runs_through_their_life(runs: Both) -> None:
    for body in (
        {"run_id": "<r0>", "status": "FINISHED", "end_time": 99, "run_name": "nn"}, {"run_id": "<r0>", "status": "NOPE"},
        {"run_id": "<r0>", "status": 2}, {"run_id": "<r0>", "run_name": ""}, {"run_id": "<r0>", "end_time": "x"}, {},
        {"run_uuid": "<r0>", "status": "KILLED"}, {"run_id": "nope", "status": "FAILED"}, {"run_id": "<r0>", "end_time": 0},
    ):  # fmt: skip
        compare(runs, "POST", "runs/update", body)
    compare(
        runs,
        "POST",
        "runs/create",
        {"experiment_id": "1", "run_name": "a", "tags": [{"key": "mlflow.runName", "value": "b"}]},
    )
    for number in ("77", "x"):
        compare(runs, "POST", "runs/create", {"experiment_id": number})
    compare(runs, "POST", "runs/delete", {"run_id": "<r1>"})
    for path, body in (
        ("runs/log-metric", {"key": "a", "value": 1, "timestamp": 1}), ("runs/set-tag", {"key": "a", "value": "1"}),
        ("runs/log-parameter", {"key": "a", "value": "1"}), ("runs/update", {"status": "FAILED"}),
        ("runs/log-batch", {"tags": [{"key": "a", "value": "1"}]}), ("runs/delete-tag", {"key": "t"}), ("runs/delete", {}),
        ("runs/restore", {}), ("runs/restore", {}),
    ):  # fmt: skip
        compare(runs, "POST", path, {"run_id": "<r1>", **body})
    for path in ("runs/restore", "runs/delete"):
        compare(runs, "POST", path, {"run_id": "nope"})
    for query in ("run_id=<r1>", "run_uuid=<r1>", "run_id=nope", ""):
        compare(runs, "GET", "runs/get", query=query)
    held_the_same(runs)


def test_histories(runs: Both) -> None:
    for query in (
        "run_id=<r2>&metric_key=a", "run_id=<r2>&metric_key=a&max_results=1", "run_id=<r2>&metric_key=a&max_results=0",
        "run_id=nope&metric_key=a", "run_id=<r2>", "metric_key=a", "run_uuid=<r2>&metric_key=a", "run_id=<r2>&metric_key=zz",
        "run_id=<r2>&metric_key=a&page_token=x",
    ):  # fmt: skip
        compare(runs, "GET", "metrics/get-history", query=query)
    for query in (
        "run_ids=<r2>&metric_key=a&max_results=0", "run_ids=<r2>&metric_key=a&start_step=3&end_step=1", "metric_key=a",
        "run_ids=<r2>&metric_key=a&start_step=3", "run_ids=<r2>", "run_ids=<r2>&metric_key=a&max_results=2501",
        "&".join(["run_ids=x"] * 101) + "&metric_key=a",
    ):  # fmt: skip
        compare(runs, "GET", "metrics/get-history-bulk-interval", query=query)
    for query in (
        "run_id=<r1>&run_id=<r0>&metric_key=a",
        "run_id=<r1>&metric_key=a&max_results=1",
        "metric_key=a",
        "run_id=<r2>",
    ):
        compare(runs, "GET", "metrics/get-history-bulk", query=query)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("[1]", "application/json"), ("{bad", "application/json"), ("", "application/json"), ("{}", "text/plain"), ("{}", ""),
        ('"{\\"run_id\\": \\"<r0>\\", \\"key\\": \\"dd\\", \\"value\\": 1, \\"timestamp\\": 1}"', "application/json"),
        ('{"run_id":"<r0>","key":"dc","value":1,"timestamp":1}', "application/json; charset=utf-8"),
        ('{"run_id":"<r0>","key":"nl","value":NaN,"timestamp":1}', "application/json"),
        ('{"run_id":"<r0>","key":"\\ud800","value":1,"timestamp":1}', "application/json"),
        ('{"runId":"<r0>","key":"a","value":1,"timestamp":1}', "application/json"),
        ('{"run_uuid":"<r0>","key":"a","value":1,"timestamp":1}', "application/json"),
        ('{"run_id":"<r0>","runId":"<r0>","key":"a","value":1,"timestamp":1}', "application/json"),
        ('{"run_id":"<r0>","key":"a","value":1,"timestamp":1,"unknown":{"x":[]}}', "application/json"),
        ('{"run_id":"<r0>","key":"a","key":"b","value":1,"timestamp":1}', "application/json"),
        ('{"timestamp":"x","run_id":"<r0>","key":"early","value":1}', "application/json"),
        ("null", "application/json"),
    ],
)  # fmt: skip
def test_bodies_of_every_sort(runs: Both, body: str, content_type: str) -> None:
    compare(runs, "POST", "runs/log-metric", body, content_type=content_type)
    held_the_same(runs)
