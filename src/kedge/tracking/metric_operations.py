"""Routes of metric histories: each request to a plan."""

from typing import Any

from kedge.core.mlflow_error import invalid_parameter
from kedge.core.runs import RunMetric, TrackingStore
from kedge.tracking import answers
from kedge.tracking.fields import INT32, STRING, STRINGS
from kedge.tracking.pages import offset_of, token_after
from kedge.tracking.plans import Fresh, Operation, Plan, Read
from kedge.tracking.requests import INTEGER, LIST, REQUIRED, TEXT, TEXTS, Request, Rule

MOST_POINTS = 2500
MOST_RUNS = 100
MOST_AT_ONCE = 25_000

Fields = dict[str, Any]


def _history(fields: Fields, _: Fresh) -> Plan:
    run_id = fields.get("run_id") or fields.get("run_uuid") or ""
    key, size = fields.get("metric_key", ""), fields.get("max_results")
    if size is not None and size <= 0:
        raise invalid_parameter(
            f"Invalid value {size} for parameter 'max_results' supplied. It must be a positive integer."
        )
    offset = offset_of(fields.get("page_token", ""))

    def answer(store: TrackingStore) -> bytes:
        points, more = store.history(run_id, key, limit=size, offset=offset)
        return answers.history(points, token_after(offset + (size or 0)) if more else None)

    return Read(answer)


def _histories(fields: Fields, _: Fresh) -> Plan:
    run_ids = fields.get("run_id", [])
    if not run_ids:
        raise invalid_parameter("GetMetricHistoryBulk request must specify at least one run_id.")
    if len(run_ids) > MOST_RUNS:
        raise invalid_parameter(
            f"GetMetricHistoryBulk request cannot specify more than {MOST_RUNS} run_ids. "
            f"Received {len(run_ids)} run_ids."
        )
    if "metric_key" not in fields:
        raise invalid_parameter("GetMetricHistoryBulk request must specify a metric_key.")
    limit = min(fields.get("max_results", MOST_AT_ONCE), MOST_AT_ONCE)
    key = fields["metric_key"]
    return Read(lambda store: answers.histories(store.histories(tuple(run_ids), key, limit)))


def _sampled(fields: Fields, _: Fresh) -> Plan:
    start, end = fields.get("start_step"), fields.get("end_step")
    if (start is None) != (end is None):
        raise invalid_parameter("If either start step or end step are specified, both must be specified.")
    if start is not None and end is not None and start > end:
        raise invalid_parameter(
            f"end_step must be greater than start_step. Found start_step={start} and end_step={end}."
        )
    steps = None if start is None or end is None else (start, end)
    key, points = fields.get("metric_key", ""), fields.get("max_results", MOST_POINTS)
    run_ids = fields.get("run_ids", [])

    def answer(store: TrackingStore) -> bytes:
        found = [
            RunMetric(run_id, metric)
            for run_id in run_ids
            for metric in store.sampled(run_id, key, points, steps)
        ]
        return answers.sampled(found)

    return Read(answer)


OPERATIONS: dict[tuple[str, str], Operation] = {
    ("GET", "metrics/get-history"): Operation(
        Request(
            {
                "run_id": STRING,
                "run_uuid": STRING,
                "metric_key": STRING,
                "page_token": STRING,
                "max_results": INT32,
            },
            {"run_id": (TEXT, REQUIRED), "metric_key": (TEXT, REQUIRED), "page_token": (TEXT,)},
        ),
        _history,
        "read",
    ),
    ("GET", "metrics/get-history-bulk"): Operation(
        Request({"run_id": STRINGS, "metric_key": STRING, "max_results": INT32}, {}), _histories, "read"
    ),
    ("GET", "metrics/get-history-bulk-interval"): Operation(
        Request(
            {
                "run_ids": STRINGS,
                "metric_key": STRING,
                "start_step": INT32,
                "end_step": INT32,
                "max_results": INT32,
            },
            {
                "run_ids": (
                    REQUIRED,
                    LIST,
                    TEXTS,
                    Rule(
                        lambda value: len(value) <= MOST_RUNS,
                        of_type=False,
                        message=lambda value: (
                            "GetMetricHistoryBulkInterval request must specify at most "
                            f"{MOST_RUNS} run_ids. Received {len(value)} run_ids."
                        ),
                    ),
                ),
                "metric_key": (REQUIRED, TEXT),
                "start_step": (INTEGER,),
                "end_step": (INTEGER,),
                "max_results": (
                    INTEGER,
                    Rule(
                        lambda value: 1 <= int(value) <= MOST_POINTS,
                        of_type=False,
                        message=lambda _: f"max_results must be between 1 and {MOST_POINTS}.",
                    ),
                ),
            },
        ),
        _sampled,
        "read",
    ),
}
