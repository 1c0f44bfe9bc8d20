"""Every route that is answered here, by method and by path below `mlflow/`."""

from collections.abc import Mapping

import msgspec

from kedge.tracking import (
    experiment_operations,
    logged_model_search,
    metric_operations,
    model_operations,
    registry_operations,
    run_operations,
    shortcuts,
)
from kedge.tracking.plans import Fresh, Operation, Plan
from kedge.tracking.requests import of_body, of_query

_SHORTCUTS = {
    ("POST", "runs/create"): shortcuts.of_create_run,
    ("POST", "runs/log-metric"): shortcuts.of_log_metric,
    ("POST", "runs/log-batch"): shortcuts.of_log_batch,
}

OPERATIONS: Mapping[tuple[str, str], Operation] = {
    route: msgspec.structs.replace(operation, shortcut=_SHORTCUTS.get(route))
    for route, operation in {
        **experiment_operations.OPERATIONS,
        **run_operations.OPERATIONS,
        **metric_operations.OPERATIONS,
        **model_operations.OPERATIONS,
        **logged_model_search.OPERATIONS,
        **registry_operations.OPERATIONS,
    }.items()
}


def plan_of_body(
    operation: Operation, content: bytes, content_type: str | None, fresh: Fresh, **named: str
) -> Plan:
    """What a body comes to, with what the path names. Raises MlflowError, NeedsMlflow."""
    if operation.shortcut is not None and content_type == "application/json":
        plan = operation.shortcut(content, fresh)
        if plan is not None:
            return plan
    return operation.plan(of_body(operation.takes, content, content_type) | named, fresh)


def plan_of_query(operation: Operation, query: Mapping[str, list[str]], fresh: Fresh, **named: str) -> Plan:
    """What a GET comes to, with what the path names. Raises MlflowError, NeedsMlflow."""
    return operation.plan(of_query(operation.takes, query) | named, fresh)
