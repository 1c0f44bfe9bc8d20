"""Answers as MLflow's JSON: protobuf's mapping, snake_case, int64 as numbers, NaN as a word, nothing for what is unset."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from kedge.core.logged import Metric
from kedge.core.runs import DatasetSummary, Experiment, LoggedRun, ModelLink, RunInfo, RunMetric


class _RunPoint(msgspec.Struct, gc=False):
    key: str
    value: float | str
    timestamp: int
    step: int
    run_id: str


_encode = msgspec.json.Encoder().encode
EMPTY = b"{}"


def number(value: float) -> float | str:
    """A double: JSON has neither NaN nor infinity."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _points(metrics: Sequence[Metric]) -> Sequence[Any]:
    """As they are encoded; the few that JSON has no number for, in words."""
    if all(math.isfinite(metric.value) for metric in metrics):
        return metrics
    return [
        {"key": m.key, "value": number(m.value), "timestamp": m.timestamp, "step": m.step} for m in metrics
    ]


def _filled(**fields: Any) -> dict[str, Any]:
    """What holds anything: protobuf prints no empty list."""
    return {name: value for name, value in fields.items() if value}


def _info(info: RunInfo) -> dict[str, Any]:
    told: dict[str, Any] = {
        "run_uuid": info.run_id,
        "run_id": info.run_id,
        "experiment_id": str(info.experiment_id),
        "user_id": info.user_id or "",
        "status": info.status,
        "start_time": info.start_time or 0,
        "lifecycle_stage": info.lifecycle_stage,
    }
    if info.name is not None:
        told["run_name"] = info.name
    if info.end_time:
        told["end_time"] = info.end_time
    if info.artifact_uri:
        told["artifact_uri"] = info.artifact_uri
    return told


def _logged(run: LoggedRun, *, outputs: bool) -> dict[str, Any]:
    data = _filled(metrics=_points(run.metrics), params=run.params, tags=run.tags)
    told: dict[str, Any] = {"info": _info(run.info), "data": data}
    told["inputs"] = _filled(
        dataset_inputs=[
            {
                **_filled(tags=dataset.tags),
                "dataset": {
                    "name": dataset.name,
                    "digest": dataset.digest,
                    "source_type": dataset.source_type,
                    "source": dataset.source,
                    **_filled(schema=dataset.schema, profile=dataset.profile),
                },
            }
            for dataset in run.datasets
        ],
        model_inputs=[_link(link) for link in run.model_inputs],
    )
    if outputs:
        told["outputs"] = _filled(model_outputs=[_link(link) for link in run.model_outputs])
    return told


def _link(link: ModelLink) -> dict[str, Any]:
    return {"model_id": link.model_id} | ({} if link.step is None else {"step": link.step})


def _experiment(found: Experiment) -> dict[str, Any]:
    return {
        "experiment_id": str(found.experiment_id),
        "name": found.name,
        "artifact_location": found.artifact_location,
        "lifecycle_stage": found.lifecycle_stage,
        **_filled(creation_time=found.creation_time, last_update_time=found.last_update_time),
        "workspace": "default",
        **_filled(tags=found.tags),
    }


def run(found: LoggedRun) -> bytes:
    """Of runs/get."""
    return _encode({"run": _logged(found, outputs=True)})


def created_run(found: LoggedRun) -> bytes:
    """Of runs/create."""
    return _encode({"run": _logged(found, outputs=False)})


def run_info(found: RunInfo) -> bytes:
    """Of runs/update."""
    return _encode({"run_info": _info(found)})


def runs(found: Iterable[LoggedRun], token: str | None) -> bytes:
    """Of runs/search, which does not tell of models read."""
    listed = []
    for each in found:
        told = _logged(each, outputs=True)
        told["inputs"].pop("model_inputs", None)
        listed.append(told)
    return _encode(_filled(runs=listed, next_page_token=token))


def experiment(found: Experiment) -> bytes:
    """Of experiments/get and get-by-name."""
    return _encode({"experiment": _experiment(found)})


def experiments(found: Iterable[Experiment], token: str | None) -> bytes:
    """Of experiments/search."""
    return _encode(_filled(experiments=[_experiment(each) for each in found], next_page_token=token))


def dataset_summaries(found: Iterable[DatasetSummary]) -> bytes:
    """Of experiments/search-datasets."""
    listed = [
        {"experiment_id": str(each.experiment_id), "name": each.name, "digest": each.digest}
        | _filled(context=each.context)
        for each in found
    ]
    return _encode(_filled(dataset_summaries=listed))


def experiment_id(found: int) -> bytes:
    """Of experiments/create."""
    return _encode({"experiment_id": str(found)})


def history(points: Sequence[Metric], token: str | None) -> bytes:
    """Of metrics/get-history."""
    return _encode(_filled(metrics=_points(points), next_page_token=token))


def histories(points: Iterable[RunMetric]) -> bytes:
    """Of metrics/get-history-bulk, which always names the list."""
    return _encode({"metrics": _with_runs(points)})


def sampled(points: Iterable[RunMetric]) -> bytes:
    """Of metrics/get-history-bulk-interval."""
    return _encode(_filled(metrics=_with_runs(points)))


def _with_runs(points: Iterable[RunMetric]) -> list[_RunPoint]:
    return [
        _RunPoint(p.metric.key, number(p.metric.value), p.metric.timestamp, p.metric.step, p.run_id)
        for p in points
    ]
