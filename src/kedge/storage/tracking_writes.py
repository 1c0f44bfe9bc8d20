"""Changes of MLflow's tables, one function each, on a connection that is inside a transaction."""

import json
import math
import sqlite3
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from kedge.core.logged import Metric, Pair
from kedge.core.mlflow_error import MlflowError, NeedsMlflow, does_not_exist, invalid_parameter
from kedge.core.models import ModelChange
from kedge.core.runs import (
    Change,
    CreateExperiment,
    CreateRun,
    DeleteTag,
    LogBatch,
    LoggedRun,
    LogInputs,
    MoveExperiment,
    MoveRun,
    RecordModel,
    RenameExperiment,
    RunInfo,
    TagExperiment,
    UpdateRun,
)
from kedge.storage.model_writes import MODEL_CHANGES
from kedge.storage.statements import chunks, insert_many, placed, statements

ARTIFACT_ROOT = "mlflow-artifacts:/"
RUN_NAME = "mlflow.runName"
MODELS_TAG = "mlflow.log-model.history"
_LARGEST = 1.7976931348623157e308
_RUNS = statements("runs")
_EXPERIMENTS = statements("experiments")


def apply(connection: Any, change: Change | ModelChange, now_ms: int) -> Any:
    """Make the change and give its outcome; raises MlflowError for what is refused."""
    try:
        return _CHANGES[type(change)](connection, change, now_ms)
    except sqlite3.IntegrityError as error:  # a name twice, a model that is not there
        raise MlflowError("BAD_REQUEST", str(error)) from error


def rows_of(change: Change | ModelChange) -> int:
    """About how many rows a change writes."""
    if isinstance(change, LogBatch):
        return 2 * len(change.metrics) + len(change.params) + len(change.tags) + 1
    return 2


def stored(value: float) -> tuple[bool, float]:
    """Whether it is NaN, and the number that the tables hold for it: they know neither NaN nor infinity."""
    if math.isnan(value):
        return True, 0.0
    return False, math.copysign(_LARGEST, value) if math.isinf(value) else value


def _create_experiment(connection: Any, change: CreateExperiment, now_ms: int) -> int:
    row = connection.execute(
        _EXPERIMENTS["insert"], (change.name, change.artifact_location, now_ms, now_ms)
    ).fetchone()
    if row is None:
        raise MlflowError(
            "RESOURCE_ALREADY_EXISTS",
            f"Experiment(name={change.name}) already exists. "
            "Error: UNIQUE constraint failed: experiments.workspace, experiments.name",
        )
    experiment_id = int(row[0])
    if not change.artifact_location:
        connection.execute(_EXPERIMENTS["locate"], (f"{ARTIFACT_ROOT}{experiment_id}", experiment_id))
    if len({tag.key for tag in change.tags}) < len(change.tags):
        raise MlflowError(
            "RESOURCE_ALREADY_EXISTS",
            f"Experiment(name={change.name}) already exists. "
            "Error: UNIQUE constraint failed: experiment_tags.key, experiment_tags.experiment_id",
        )
    for tag in change.tags:
        connection.execute(_EXPERIMENTS["upsert_tag"], (tag.key, tag.value, experiment_id))
    return experiment_id


def _experiment_stage(connection: Any, experiment_id: int) -> str:
    row = connection.execute(_EXPERIMENTS["one"], (experiment_id,)).fetchone()
    if row is None:
        raise does_not_exist(f"No Experiment with id={experiment_id} exists")
    return str(row[3])


def _rename_experiment(connection: Any, change: RenameExperiment, now_ms: int) -> None:
    if _experiment_stage(connection, change.experiment_id) != "active":
        raise MlflowError("INVALID_STATE", "Cannot rename a non-active experiment.")
    if connection.execute(_EXPERIMENTS["name_taken"], (change.name, change.experiment_id)).fetchone():
        raise MlflowError("BAD_REQUEST", "UNIQUE constraint failed: experiments.workspace, experiments.name")
    connection.execute(_EXPERIMENTS["rename"], (change.name, now_ms, change.experiment_id))


def _move_experiment(connection: Any, change: MoveExperiment, now_ms: int) -> None:
    if _experiment_stage(connection, change.experiment_id) == change.to:
        raise does_not_exist(f"No Experiment with id={change.experiment_id} exists")
    if change.to == "deleted":
        _no_assessments(connection)
    connection.execute(_EXPERIMENTS["move"], (change.to, now_ms, change.experiment_id))
    at_ms = now_ms if change.to == "deleted" else None
    connection.execute(_RUNS["move_runs"], (change.to, at_ms, change.experiment_id))


def _tag_experiment(connection: Any, change: TagExperiment, _: int) -> None:
    stage = _experiment_stage(connection, change.experiment_id)
    if stage != "active":
        raise invalid_parameter(
            f"The experiment {change.experiment_id} must be in the 'active' state. Current state is {stage}."
        )
    if change.value is None:
        deleted = connection.execute(_EXPERIMENTS["delete_tag"], (change.experiment_id, change.key))
        if not deleted.rowcount:
            raise does_not_exist(
                f"No tag with name: {change.key} in experiment with id {change.experiment_id}"
            )
        return
    connection.execute(_EXPERIMENTS["upsert_tag"], (change.key, change.value, change.experiment_id))


def _create_run(connection: Any, change: CreateRun, _: int) -> LoggedRun:
    row = connection.execute(_EXPERIMENTS["one"], (change.experiment_id,)).fetchone()
    if row is None:
        raise does_not_exist(f"No Experiment with id={change.experiment_id} exists")
    if row[3] != "active":
        raise invalid_parameter(
            f"The experiment {change.experiment_id} must be in the 'active' state. Current state is {row[3]}."
        )
    if change.refusal:
        raise invalid_parameter(change.refusal)
    if len({tag.key for tag in change.tags}) < len(change.tags):
        raise MlflowError("BAD_REQUEST", "UNIQUE constraint failed: tags.key, tags.run_uuid")
    uri = f"{str(row[2]).rstrip('/')}/{change.run_id}/artifacts"
    connection.execute(
        _RUNS["insert_run"],
        (change.run_id, change.name, change.user_id, change.start_time, uri, change.experiment_id),
    )
    connection.executemany(_RUNS["upsert_tag"], [(tag.key, tag.value, change.run_id) for tag in change.tags])
    info = RunInfo(
        run_id=change.run_id,
        name=change.name,
        experiment_id=change.experiment_id,
        user_id=change.user_id,
        status="RUNNING",
        start_time=change.start_time,
        end_time=None,
        lifecycle_stage="active",
        artifact_uri=uri,
    )
    return LoggedRun(info=info, tags=change.tags)


def _active_run(connection: Any, run_id: str) -> Any:
    row = connection.execute(_RUNS["active_run"], (run_id,)).fetchone()
    refusal = _refusal(run_id, None if row is None else row[0])
    if refusal is not None:
        raise refusal
    return row


def _refusal(run_id: str, stage: str | None) -> MlflowError | None:
    """Why a run of that lifecycle stage, None where there is no such run, takes no change."""
    if stage is None:
        return does_not_exist(f"Run with id={run_id} not found")
    if stage != "active":
        return invalid_parameter(f"The run {run_id} must be in the 'active' state. Current state is {stage}.")
    return None


def _update_run(connection: Any, change: UpdateRun, _: int) -> RunInfo:
    _active_run(connection, change.run_id)
    connection.execute(
        _RUNS["update_run"], (change.status, change.end_time, change.name or None, change.run_id)
    )
    if change.name:
        connection.execute(_RUNS["upsert_tag"], (RUN_NAME, change.name, change.run_id))
    return info_of(connection.execute(_RUNS["run_info"], (change.run_id,)).fetchone())


def info_of(row: Any) -> RunInfo:
    """A row of `run_info`."""
    return RunInfo(
        run_id=row[0],
        name=row[1],
        experiment_id=row[2],
        user_id=row[3],
        status=row[4],
        start_time=row[5],
        end_time=row[6],
        lifecycle_stage=row[7],
        artifact_uri=row[8],
    )


def _move_run(connection: Any, change: MoveRun, now_ms: int) -> None:
    if connection.execute(_RUNS["active_run"], (change.run_id,)).fetchone() is None:
        raise does_not_exist(f"Run with id={change.run_id} not found")
    if change.to == "deleted":
        _no_assessments(connection)
    at_ms = now_ms if change.to == "deleted" else None
    connection.execute(_RUNS["move_run"], (change.to, at_ms, change.run_id))


def _no_assessments(connection: Any) -> None:
    """Deleting a run deletes the assessments that it made, with their rollups: MLflow's own business."""
    if connection.execute(_RUNS["has_assessments"]).fetchone() is not None:
        raise NeedsMlflow


def _log_batch(connection: Any, change: LogBatch, _: int) -> None:
    run = _active_run(connection, change.run_id)
    if change.params:
        _log_params(connection, change)
    if change.metrics:
        _log_metrics(connection, change.run_id, int(run[1]), change.metrics)
    for tag in change.tags:
        if tag.key == RUN_NAME:
            if not tag.value:
                continue  # a run keeps its name
            connection.execute(_RUNS["update_run"], (None, None, tag.value, change.run_id))
        connection.execute(_RUNS["upsert_tag"], (tag.key, tag.value, change.run_id))


def _log_params(connection: Any, change: LogBatch) -> None:
    keys = [param.key for param in change.params]
    query = placed(_RUNS["params_among"], len(keys))
    known = {row[0]: row[1] for row in connection.execute(query, (change.run_id, *keys)).fetchall()}
    new = [param for param in change.params if param.key not in known]
    changed = [param for param in change.params if known.get(param.key, param.value) != param.value]
    if changed and change.single_param:
        param = changed[0]
        raise invalid_parameter(
            f"Changing param values is not allowed. Param with key='{param.key}' was already logged with "
            f"value='{known[param.key]}' for run ID='{change.run_id}'. "
            f"Attempted logging new value '{param.value}'."
        )
    if changed:
        told = [{"key": p.key, "old_value": known[p.key], "new_value": p.value} for p in changed]
        raise invalid_parameter(
            f"Changing param values is not allowed. Params were already logged='{told}' "
            f"for run ID='{change.run_id}'."
        )
    if new:
        connection.executemany(_RUNS["insert_param"], [(p.key, p.value, change.run_id) for p in new])


def _log_metrics(connection: Any, run_id: str, experiment_id: int, metrics: Sequence[Metric]) -> None:
    _insert_points(connection, [(run_id, metric) for metric in metrics])
    for metric in metrics:
        if metric.model_id is not None:
            _log_model_metric(connection, run_id, experiment_id, metric)


def _insert_points(connection: Any, points: Sequence[tuple[str, Metric]]) -> None:
    """Points of runs, into the histories and, where newer, in place of the latest."""
    rows, latest = [], dict[tuple[str, str], tuple[Any, ...]]()
    for run_id, metric in points:
        is_nan, value = stored(metric.value)
        rows.append((metric.key, value, metric.timestamp, run_id, metric.step, is_nan))
        newest = latest.get((metric.key, run_id))
        if newest is None or (metric.step, metric.timestamp, value) > (newest[3], newest[2], newest[1]):
            latest[metric.key, run_id] = (metric.key, value, metric.timestamp, metric.step, is_nan, run_id)
    if len(rows) > 1:
        rows.sort()  # in the order of the index, so that neighbours meet the same page
    insert_many(connection, _RUNS["insert_metric"], rows)
    insert_many(connection, _RUNS["upsert_latest"], list(latest.values()))


def is_plain(change: Change | ModelChange) -> bool:
    """Whether the change only adds points to a run: then no order matters, and nothing but the run can refuse it."""
    return (
        isinstance(change, LogBatch)
        and not (change.params or change.tags)
        and all(metric.model_id is None for metric in change.metrics)
    )


def log_points(connection: Any, changes: Sequence[Any]) -> list[MlflowError | None]:
    """Make changes that are all plain; the outcome of each."""
    stages: dict[str, Any] = {}
    for some in chunks({change.run_id for change in changes}):
        rows = connection.execute(placed(_RUNS["stages_among"], len(some)), some).fetchall()
        stages.update({row[0]: row[1] for row in rows})
    outcomes = [_refusal(change.run_id, stages.get(change.run_id)) for change in changes]
    taken = [change for change, refusal in zip(changes, outcomes, strict=True) if refusal is None]
    _insert_points(connection, [(change.run_id, metric) for change in taken for metric in change.metrics])
    return outcomes


def _log_model_metric(connection: Any, run_id: str, experiment_id: int, metric: Metric) -> None:
    """A model has one value of a metric at a step and time of a run; the same once more is nothing new."""
    point = (metric.model_id, metric.key, metric.timestamp, metric.step)
    value = stored(metric.value)[1]
    origin = (experiment_id, run_id, metric.dataset_name, metric.dataset_digest)
    if connection.execute(_RUNS["insert_model_metric"], (*point, value, *origin)).rowcount:
        return
    known = connection.execute(_RUNS["model_metric"], (*point, run_id)).fetchone()
    if tuple(known) != (value, metric.dataset_name, metric.dataset_digest):
        columns = ("model_id", "metric_name", "metric_timestamp_ms", "metric_step", "run_id")
        named = ", ".join(f"logged_model_metrics.{column}" for column in columns)
        raise MlflowError("BAD_REQUEST", f"UNIQUE constraint failed: {named}")


def _log_inputs(connection: Any, change: LogInputs, _: int) -> None:
    experiment_id = int(_active_run(connection, change.run_id)[1])
    unique = {(dataset.name, dataset.digest): dataset for dataset in reversed(change.datasets)}
    for dataset in reversed(unique.values()):
        known = connection.execute(_RUNS["dataset"], (experiment_id, dataset.name, dataset.digest)).fetchone()
        dataset_id = known[0] if known else uuid.uuid4().hex
        if known is None:
            told = (dataset.source_type, dataset.source, dataset.schema, dataset.profile)
            connection.execute(
                _RUNS["insert_dataset"], (dataset_id, experiment_id, dataset.name, dataset.digest, *told)
            )
        _link(connection, ("DATASET", dataset_id, "RUN", change.run_id), dataset.tags)
    kind = "OUTPUT" if change.made else "INPUT"
    for model in change.models:
        ends = (f"RUN_{kind}", change.run_id, f"MODEL_{kind}", model.model_id)
        if change.made and connection.execute(_RUNS["has_input"], ends).fetchone():
            raise MlflowError(
                "BAD_REQUEST", "UNIQUE constraint failed: inputs.source_type, inputs.source_id, ..."
            )
        _link(connection, ends, (), model.step or 0)


def _link(connection: Any, ends: tuple[str, str, str, str], tags: tuple[Pair, ...], step: int = 0) -> None:
    """An edge from one thing to another, with its tags; one that is there stays as it is."""
    link_id = uuid.uuid4().hex
    if connection.execute(_RUNS["insert_input"], (link_id, *ends, step)).rowcount:
        for tag in tags:
            connection.execute(_RUNS["insert_input_tag"], (link_id, tag.key, tag.value))


def _record_model(connection: Any, change: RecordModel, now_ms: int) -> None:
    _active_run(connection, change.run_id)
    entry = dict(change.entry)
    entry["utc_time_created"] = entry.get("utc_time_created") or str(
        datetime.fromtimestamp(now_ms / 1000, UTC).replace(tzinfo=None)
    )
    row = connection.execute(_RUNS["run_tag"], (change.run_id, MODELS_TAG)).fetchone()
    try:
        known = json.loads(row[0]) if row else []
        listed = json.dumps([*known, entry]) if isinstance(known, list) else ""
    except (ValueError, TypeError):
        listed = ""
    if not listed:
        raise invalid_parameter(f"the tag {MODELS_TAG} of run {change.run_id} holds no list of models")
    connection.execute(_RUNS["upsert_tag"], (MODELS_TAG, listed, change.run_id))


def _delete_tag(connection: Any, change: DeleteTag, _: int) -> None:
    _active_run(connection, change.run_id)
    if not connection.execute(_RUNS["delete_tag"], (change.run_id, change.key)).rowcount:
        raise does_not_exist(f"No tag with name: {change.key} in run with id {change.run_id}")


_CHANGES: dict[type, Callable[[Any, Any, int], Any]] = {
    CreateExperiment: _create_experiment,
    RenameExperiment: _rename_experiment,
    MoveExperiment: _move_experiment,
    TagExperiment: _tag_experiment,
    CreateRun: _create_run,
    UpdateRun: _update_run,
    MoveRun: _move_run,
    LogBatch: _log_batch,
    DeleteTag: _delete_tag,
    LogInputs: _log_inputs,
    RecordModel: _record_model,
    **MODEL_CHANGES,
}
