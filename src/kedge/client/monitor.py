"""`kedge.monitor` and `kedge.trigger`: what is watched, what it found, and what that starts.

>>> import kedge
>>> kedge.monitor.drift("flights-drift", endpoint="flights", reference=["flights@2013-01"])  # doctest: +SKIP
>>> kedge.trigger("retrain", monitor="flights-drift", pipeline="flows.py:train", params={"until": "$window_end"})
... # doctest: +SKIP
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import msgspec

from kedge.client.connection import connection
from kedge.client.pipelines import located
from kedge.core.errors import KedgeError, Unavailable
from kedge.core.jobs import Job
from kedge.core.monitors import Alert, ColumnResult, Monitor, MonitorRun, Period, Trigger
from kedge.pipelines.pipeline import Pipeline

Specs = Sequence[str | Mapping[str, Any]]
"""Detectors by name, such as `"KS"`, or with parameters, such as `{"name": "KS", "alpha": 0.01}`."""

_POLL_S = 0.1
_ENDED = ("succeeded", "failed", "cancelled")


class _RunAnswer(msgspec.Struct, frozen=True):
    run: MonitorRun
    results: list[ColumnResult]


def drift(
    name: str,
    *,
    endpoint: str,
    reference: Iterable[Any],
    columns: Iterable[str] | None = None,
    detectors: Mapping[str, Specs] | None = None,
    period: Period = "month",
    alert_when: Mapping[str, float] | None = None,
    minimum_rows: int = 100,
) -> Monitor:
    """Compare the inputs of an endpoint with reference data, window by window.

    Parameters
    ----------
    name
        Replaces the monitor of that name, if there is one; its past runs stay.
    reference
        Dataset versions: handles, ids, or `dataset@ref`.
    columns
        Inputs to compare; by default all that the reference has as numbers or text.
    detectors
        By column name, or `*numeric` / `*categorical` for all others. Default: Kolmogorov-Smirnov (chi-square) and the
        population stability index; a column drifts when all its detectors say so.
    alert_when
        `{"drift_share": 0.5}` alerts when at least half of the columns drift.
    minimum_rows
        Windows with fewer rows get the verdict `too_few`.
    """
    return _put(
        name,
        endpoint=endpoint,
        kind="drift",
        period=period,
        reference=[_version_id(version) for version in reference],
        columns=list(columns or ()),
        detectors={column: _specs(specs) for column, specs in (detectors or {}).items()},
        alert_when={"drift_share": 0.5} if alert_when is None else dict(alert_when),
        minimum_rows=minimum_rows,
    )


def performance(
    name: str,
    *,
    endpoint: str,
    period: Period = "week",
    label_delay_s: float = 86_400,
    alert_when: Mapping[str, float] | None = None,
    minimum_rows: int = 100,
    positive_threshold: float = 0.5,
) -> Monitor:
    """Measure AUC, Brier score and calibration of every window once its labels are there.

    Parameters
    ----------
    label_delay_s
        How long after the event labels may come; a window is evaluated when the labels have passed its end by this.
    alert_when
        Any of `auc_below`, `brier_above`, `auc_drop` (from the mean of the first two windows).
    minimum_rows
        Windows with fewer labelled rows get the verdict `too_few`.
    positive_threshold
        Predictions from here on count as positive in the error rate.
    """
    return _put(
        name,
        endpoint=endpoint,
        kind="performance",
        period=period,
        label_delay_ms=round(label_delay_s * 1000),
        alert_when={"auc_below": 0.6} if alert_when is None else dict(alert_when),
        minimum_rows=minimum_rows,
        positive_threshold=positive_threshold,
    )


def stream(
    name: str,
    *,
    endpoint: str,
    detectors: Specs | None = None,
    period: Period = "day",
    label_delay_s: float = 86_400,
    minimum_rows: int = 100,
    positive_threshold: float = 0.5,
) -> Monitor:
    """Feed the error rate of every day to streaming detectors, such as Page-Hinkley or ADWIN; alert when one sees a change.

    One value a day, because the rows of a day are not independent of each other, which such detectors assume.
    """
    return _put(
        name,
        endpoint=endpoint,
        kind="stream",
        period=period,
        detectors={"error": _specs(detectors)} if detectors else {},
        label_delay_ms=round(label_delay_s * 1000),
        minimum_rows=minimum_rows,
        positive_threshold=positive_threshold,
    )


def trigger(
    name: str,
    *,
    monitor: str,
    pipeline: Pipeline[Any, Any] | str,
    params: Mapping[str, Any] | None = None,
    cooldown_s: float = 0,
) -> Trigger:
    """Run a pipeline when a monitor alerts, once an alert.

    Parameters
    ----------
    monitor
        The monitor whose alerts count, from now on.
    pipeline
        The decorated function, or `path/to/file.py:function` or `package.module:function`.
    params
        What the pipeline is called with. In text, `$window_start` and `$window_end` (dates; the end is exclusive) and
        `$alert_id` are replaced.
    cooldown_s
        After a firing, alerts of this much event time start nothing.
    """
    entry, project, pipeline_name = located(pipeline)
    body = {
        "monitor": monitor,
        "entry": entry,
        "project": project,
        "pipeline": pipeline_name,
        "params": dict(params or {}),
        "cooldown_ms": round(cooldown_s * 1000),
    }
    return connection().call("PUT", f"/triggers/{quote(name, safe='')}", Trigger, body=body)


def evaluate(
    name: str, *, until_ms: int | None = None, wait: bool = True, timeout_s: float = 600
) -> list[MonitorRun]:
    """Evaluate all closed windows that were not yet; those that end by `until_ms` count as closed. Returns the new runs.

    With `wait=False` the evaluation is queued and the list is empty.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        body = {"until_ms": until_ms}
        job = connection().call("POST", f"/monitors/{quote(name, safe='')}/evaluate", Job, body=body)
        if not wait:
            return []
        ended = _wait(job, deadline, name)
        # A monitor has one evaluation at a time: the one that we waited for may have been asked with another time.
        if ended.payload.get("until_ms") == until_ms:
            made = set((ended.result or {}).get("runs", ()))
            return [run for run in runs(name) if run.id in made]


def monitors(endpoint: str | None = None) -> list[Monitor]:
    """All monitors, or those of an endpoint."""
    return connection().call("GET", "/monitors", list[Monitor], query=_given(endpoint=endpoint))


def get(name: str) -> Monitor:
    """One monitor."""
    return connection().call("GET", f"/monitors/{quote(name, safe='')}", Monitor)


def runs(name: str) -> list[MonitorRun]:
    """What a monitor found, oldest window first."""
    return connection().call(
        "GET", f"/monitors/{quote(name, safe='')}/runs", list[MonitorRun], query={"limit": 10_000}
    )


def results(run_id: str) -> list[ColumnResult]:
    """What every detector found in a run."""
    return connection().call("GET", f"/monitor-runs/{quote(run_id, safe='')}", _RunAnswer).results


def alerts(*, state: str | None = None, endpoint: str | None = None, limit: int = 100) -> list[Alert]:
    """Alerts, newest first; `state` is `open` or `acknowledged`."""
    query = _given(state=state, endpoint=endpoint, limit=limit)
    return connection().call("GET", "/alerts", list[Alert], query=query)


def acknowledge(alert_id: str) -> Alert:
    """Mark an alert as seen."""
    return connection().call("POST", f"/alerts/{quote(alert_id, safe='')}/acknowledge", Alert)


def triggers(monitor: str | None = None) -> list[Trigger]:
    """All triggers, or those of a monitor."""
    return connection().call("GET", "/triggers", list[Trigger], query=_given(monitor=monitor))


def _put(name: str, **fields: Any) -> Monitor:
    return connection().call("PUT", f"/monitors/{quote(name, safe='')}", Monitor, body=fields)


def _specs(specs: Specs | None) -> list[dict[str, Any]]:
    return [{"name": spec} if isinstance(spec, str) else dict(spec) for spec in specs or ()]


def _version_id(version: Any) -> str:
    return version if isinstance(version, str) else str(version.id)


def _given(**query: Any) -> dict[str, Any]:
    return {key: value for key, value in query.items() if value is not None}


def _wait(job: Job, deadline: float, monitor: str) -> Job:
    while job.state not in _ENDED:
        if time.monotonic() > deadline:
            raise Unavailable(
                f"the evaluation of monitor {monitor!r} has not ended in time (job {job.id} is {job.state})",
                hint="look at `kedge status`: is a worker running?",
            )
        time.sleep(_POLL_S)
        job = connection().call("GET", f"/jobs/{job.id}", Job)
    if job.state != "succeeded":
        raise KedgeError(
            f"the evaluation of monitor {monitor!r} {job.state}: {job.error or 'no reason given'}"
        )
    return job
