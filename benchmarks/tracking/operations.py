"""What is measured: the requests, what a right answer holds, what must then be stored, and what is wanted of Kedge."""

import json
from collections.abc import Callable
from typing import Any

import msgspec

from benchmarks.tracking.data import HISTORY, SEARCHED, WRITTEN, Size, writing_run

Check = Callable[[dict[str, Any]], str]

_API = "/api/2.0/mlflow"
_BATCH = 1000
_INTERVAL = 320
_FOUND = 100


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table. In templates `{n}` is another number each time, `{run}` one of the runs that are read."""

    key: str
    title: str
    connections: int = 1
    method: str = "POST"
    path: str
    body: str = ""
    check: Check
    client: bool = False
    """Asked by MLflow's client instead of wrk."""
    stored: str = ""
    """SQL that counts what all its answered requests must have left."""
    stored_each: int = 1
    at_least: float
    """Wanted: throughput as a multiple of MLflow's, on SQLite."""
    p50_ms_at_most: float | None = None

    @property
    def run(self) -> str:
        """The run that it writes to; operations do not share one, so that what they left can be counted."""
        return writing_run(self.key)


def operations(size: Size) -> tuple[Operation, ...]:
    """All, in the order of the table."""
    return (*_metrics(), _batch(), *_runs(), *_searches(size), *_histories(size), *_rest())


def _log_metric(key: str, **more: Any) -> Operation:
    body = {
        "run_id": writing_run(key),
        "key": key,
        "value": 0.5,
        "timestamp": 1_700_000_000_000,
        "step": "{n}",
    }
    return Operation(
        key=key,
        path=f"{_API}/runs/log-metric",
        body=json.dumps(body).replace('"{n}"', "{n}"),
        check=_is_empty,
        stored=f"SELECT count(*) FROM metrics WHERE run_uuid = '{writing_run(key)}' AND key = '{key}'",
        **more,
    )


def _metrics() -> tuple[Operation, ...]:
    return (
        _log_metric("log-metric-1", title="log-metric, 1 connection", at_least=0, p50_ms_at_most=0.5),
        _log_metric("log-metric-8", title="log-metric, 8 connections", connections=8, at_least=40),
        _log_metric("log-metric-32", title="log-metric, 32 connections", connections=32, at_least=0),
        _log_metric("client", title="MLflow's client, one thread, `log_metric`", client=True, at_least=3),
    )


def _batch() -> Operation:
    run = writing_run("log-batch")
    # Ten metrics of a hundred steps each; the steps of one request follow those of the request before.
    metrics = ",".join(
        f'{{"key":"m{number % 10}","value":{number / _BATCH},"timestamp":1700000000000,"step":{{n}}{number // 10:02d}}}'
        for number in range(_BATCH)
    )
    return Operation(
        key="log-batch",
        title=f"log-batch of {_BATCH} metrics",
        path=f"{_API}/runs/log-batch",
        body=f'{{"run_id":"{run}","metrics":[{metrics}]}}',
        check=_is_empty,
        stored=f"SELECT count(*) FROM metrics WHERE run_uuid = '{run}'",
        stored_each=_BATCH,
        at_least=8,
    )


def _runs() -> tuple[Operation, ...]:
    body = {
        "experiment_id": str(WRITTEN),
        "user_id": "bench",
        "run_name": "created-{n}",
        "start_time": 1_700_000_000_000,
        "tags": [
            {"key": "mlflow.user", "value": "bench"},
            {"key": "mlflow.source.name", "value": "train.py"},
        ],
    }
    create = Operation(
        key="create-run",
        title="runs/create",
        path=f"{_API}/runs/create",
        body=json.dumps(body),
        check=lambda reply: "" if len(reply["run"]["info"]["run_id"]) == 32 else "no run",
        stored=f"SELECT count(*) FROM runs WHERE experiment_id = {WRITTEN} AND name LIKE 'created-%'",
        at_least=20,
    )

    def get(connections: int, at_least: float) -> Operation:
        return Operation(
            key=f"get-run-{connections}",
            title=f"runs/get (20 metrics, 20 params), {_connections(connections)}",
            connections=connections,
            method="GET",
            path=f"{_API}/runs/get?run_id={{run}}",
            check=_is_run,
            at_least=at_least,
        )

    return create, get(1, 0), get(8, 50)


def _searches(size: Size) -> tuple[Operation, ...]:
    # The limit differs from request to request, so that no remembered answer is measured.
    body = {
        "experiment_ids": [str(SEARCHED)],
        "filter": "metrics.m00 > 0.5{n}",
        "order_by": ["metrics.m00 DESC"],
        "max_results": _FOUND,
    }

    def search(connections: int, at_least: float, p50_ms: float | None) -> Operation:
        return Operation(
            key=f"search-{connections}",
            title=f"runs/search, filter + order by metric, {_FOUND} of {size.runs:,} runs, {_connections(connections)}",
            connections=connections,
            path=f"{_API}/runs/search",
            body=json.dumps(body),
            check=_is_search,
            at_least=at_least,
            p50_ms_at_most=p50_ms,
        )

    return search(1, 20, 20 if size.runs <= 10_000 else 60), search(4, 0, None)


def _histories(size: Size) -> tuple[Operation, ...]:
    def whole(reply: dict[str, Any]) -> str:
        return _expect(len(reply["metrics"]), size.points, "points")

    def sampled(reply: dict[str, Any]) -> str:
        steps = [point["step"] for point in reply["metrics"]]
        if not _INTERVAL / 2 <= len(steps) <= _INTERVAL + 2:
            return f"{len(steps)} points instead of about {_INTERVAL}"
        return "" if steps == sorted(steps) else "points are out of order"

    return (
        Operation(
            key="get-history",
            title=f"get-history of {size.points:,} points",
            method="GET",
            path=f"{_API}/metrics/get-history?run_id={HISTORY}&metric_key=loss",
            check=whole,
            at_least=20,
        ),
        Operation(
            key="bulk-interval",
            title=f"bulk-interval, {_INTERVAL} of {size.points:,} points",
            method="GET",
            path=(
                f"/ajax-api/2.0/mlflow/metrics/get-history-bulk-interval?run_ids={HISTORY}"
                f"&metric_key=loss&max_results={_INTERVAL}"
            ),
            check=sampled,
            at_least=3,
        ),
    )


def _rest() -> tuple[Operation, ...]:
    run = writing_run("set-tag")
    return (
        Operation(
            key="set-tag",
            title="set-tag, 8 connections",
            connections=8,
            path=f"{_API}/runs/set-tag",
            body=json.dumps({"run_id": run, "key": "phase", "value": "v{n}"}),
            check=_is_empty,
            at_least=0,
        ),
    )


def _connections(count: int) -> str:
    return f"{count} connection{'s' if count > 1 else ''}"


def _expect(found: Any, wanted: Any, what: str) -> str:
    return "" if found == wanted else f"{found} {what} instead of {wanted}"


def _is_empty(reply: dict[str, Any]) -> str:
    return _expect(reply, {}, "as the answer")


def _is_run(reply: dict[str, Any]) -> str:
    data = reply["run"]["data"]
    return _expect((len(data["metrics"]), len(data["params"])), (20, 20), "metrics and params")


def _is_search(reply: dict[str, Any]) -> str:
    values = [
        metric["value"]
        for run in reply["runs"]
        for metric in run["data"]["metrics"]
        if metric["key"] == "m00"
    ]
    if values != sorted(values, reverse=True) or min(values, default=1) <= 0.5:
        return "runs are out of order or not those asked for"
    return _expect(len(values), _FOUND, "runs")
