"""From alert to pipeline run: once an alert, at most once in the cooldown, also when a worker dies in between.

A trigger is owed a firing by every alert of its monitor that was raised since the trigger stands, that its last firing
does not cover. That is decided from what is stored, so a firing that was cut short is owed again. The run carries the
alert and the trigger in its `trigger` field; where such a run exists, it is linked and not started a second time.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from kedge.core.monitors import Alert, MonitorRun, Trigger
from kedge.core.pipelines import PipelineRun
from kedge.core.services import Services
from kedge.monitoring.windows import iso_date
from kedge.pipelines.submit import queue_run, submit_run

_RECENT = 1000


def owed(trigger: Trigger, alerts: Iterable[Alert]) -> list[Alert]:
    """The alerts that the trigger has yet to fire for, oldest event first; each firing starts the cooldown anew."""
    due = []
    last_ms = trigger.last_fired_ms
    for alert in sorted(alerts, key=lambda alert: (alert.event_ms, alert.id)):
        applies = (
            trigger.enabled and alert.monitor == trigger.monitor and alert.created_ms >= trigger.created_ms
        )
        rested = last_ms is None or (
            alert.event_ms > last_ms and alert.event_ms >= last_ms + trigger.cooldown_ms
        )
        if applies and rested:
            due.append(alert)
            last_ms = alert.event_ms
    return due


def owed_firings(services: Services, monitor: str, endpoint: str) -> list[tuple[Trigger, Alert]]:
    """What the triggers of a monitor have yet to fire."""
    triggers = services.monitors.triggers(monitor=monitor)
    alerts = services.monitors.alerts(endpoint=endpoint, limit=_RECENT) if triggers else []
    return [(trigger, alert) for trigger in triggers for alert in owed(trigger, alerts)]


def fire(services: Services, trigger: Trigger, alert: Alert) -> str:
    """Start the trigger's pipeline for the alert, unless that was done before; returns the pipeline run's id."""
    cause = f"alert:{alert.id}:{trigger.name}"
    run = _started(services, trigger.pipeline, cause)
    if run is not None:
        queue_run(services, run)  # whoever recorded it may have died before that
    else:
        run = submit_run(
            services,
            entry=trigger.entry,
            project=trigger.project,
            pipeline=trigger.pipeline,
            params=filled(trigger.params, alert, services.monitors.get_run(alert.monitor_run_id)),
            trigger=cause,
        )
    services.monitors.record_firing(trigger.name, alert.id, run.id)
    return run.id


def filled(params: dict[str, Any], alert: Alert, run: MonitorRun) -> dict[str, Any]:
    """`params` with `$window_start`, `$window_end` (exclusive, as all window ends) and `$alert_id` put in, at any depth."""
    words = {
        "$window_start": iso_date(run.window_start_ms),
        "$window_end": iso_date(run.window_end_ms),
        "$alert_id": alert.id,
    }
    filled_in: dict[str, Any] = _replaced(msgspec.to_builtins(params), words)
    return filled_in


def _replaced(value: Any, words: dict[str, str]) -> Any:
    if isinstance(value, str):
        for word, text in words.items():
            value = value.replace(word, text)
        return value
    if isinstance(value, dict):
        return {key: _replaced(item, words) for key, item in value.items()}
    if isinstance(value, list):
        return [_replaced(item, words) for item in value]
    return value


def _started(services: Services, pipeline: str, cause: str) -> PipelineRun | None:
    runs = services.pipelines.runs(pipeline=pipeline, limit=_RECENT)
    return next((run for run in runs if run.trigger == cause), None)
