"""Evaluating a monitor: every closed window that has no run yet becomes one, with its results, alerts and triggers."""

import logging
from typing import Any, Protocol

from kedge.core.errors import KedgeError, NotFound
from kedge.core.ids import new_id
from kedge.core.inference import InferenceSegment
from kedge.core.jobs import Job
from kedge.core.monitors import Alert, Monitor, MonitorRun
from kedge.core.services import Services
from kedge.monitoring.columns import ColumnJudge
from kedge.monitoring.due import due_windows
from kedge.monitoring.log import Answered, answered, segments_in
from kedge.monitoring.outcome import Outcome
from kedge.monitoring.performance import PerformanceJudge
from kedge.monitoring.stream import StreamJudge
from kedge.monitoring.triggers import fire, owed_firings
from kedge.monitoring.windows import Window, window_name

_ALL = 1_000_000
_log = logging.getLogger(__name__)


class Judge(Protocol):
    """A kind of monitor: from the rows of a window to an outcome, writing nothing."""

    def judge(self, window: Window, segments: list[InferenceSegment], rows: int) -> Outcome:
        """Judge the window's `rows` rows."""
        ...


def evaluate(services: Services, job: Job) -> dict[str, Any]:
    """Run the job `{"monitor": name, "until_ms": int or None}`. Doing it again, or resuming it, writes nothing twice.

    Returns the ids of the runs and alerts that were made, of the pipeline runs that were started, and why firings failed.
    """
    monitor = services.monitors.get_monitor(job.payload["monitor"])
    runs: list[str] = []
    alerts: list[str] = []
    fired, not_fired = fire_owed(services, monitor)
    windows = due_windows(services, monitor, job.payload.get("until_ms"))
    judge = _judge_of(services, monitor) if windows else None
    for window in windows:
        if judge is None:
            break
        run, raised = _evaluate_window(services, monitor, judge, window)
        if run is None:
            continue
        runs.append(run.id)
        alerts += [alert.id for alert in raised]
        if raised:
            started, failed = fire_owed(services, monitor)
            fired += started
            not_fired += failed
    return {"monitor": monitor.name, "runs": runs, "alerts": alerts, "fired": fired, "not_fired": not_fired}


def fire_owed(services: Services, monitor: Monitor) -> tuple[list[str], list[str]]:
    """Fire what the monitor's triggers owe: (pipeline run ids, what failed). A trigger that fails waits for the next time."""
    fired: list[str] = []
    failed: dict[str, str] = {}
    for trigger, alert in owed_firings(services, monitor.name, monitor.endpoint):
        if trigger.name in failed:
            continue
        try:
            fired.append(fire(services, trigger, alert))
        except KedgeError as error:
            _log.exception("trigger not fired", extra={"action": "fire", "trigger": trigger.name})
            failed[trigger.name] = f"{trigger.name}: {error}"
    return fired, list(failed.values())


def _judge_of(services: Services, monitor: Monitor) -> Judge:
    if monitor.kind == "drift":
        return ColumnJudge(services, monitor)
    if monitor.kind == "performance":
        return PerformanceJudge(services, monitor, services.monitors.runs(monitor=monitor.name, limit=_ALL))
    return StreamJudge(services, monitor)


def _evaluate_window(
    services: Services, monitor: Monitor, judge: Judge, window: Window
) -> tuple[MonitorRun | None, list[Alert]]:
    """Judge and record one window; (None, []) when another worker recorded it first."""
    began_s = services.clock.monotonic_s()
    segments = segments_in(services, monitor.endpoint, window)
    counted = answered(services, segments, window)
    if counted.rows < monitor.minimum_rows:
        outcome = Outcome(rows=counted.rows, verdict="too_few")
    else:
        outcome = judge.judge(window, segments, counted.rows)
    model_name, model_version, mix = _models(services, counted)
    run = MonitorRun(
        id=new_id(),
        monitor=monitor.name,
        endpoint=monitor.endpoint,
        kind=monitor.kind,
        window_start_ms=window.start_ms,
        window_end_ms=window.end_ms,
        rows=outcome.rows,
        verdict=outcome.verdict,
        created_ms=services.clock.now_ms(),
        duration_ms=round((services.clock.monotonic_s() - began_s) * 1000),
        deployment_id=counted.main,
        model_name=model_name,
        model_version=model_version,
        reference=monitor.reference,
        drift_share=outcome.drift_share,
        metrics=outcome.metrics,
        detectors=outcome.detectors,
        note="; ".join([*mix, *outcome.notes]),
    )
    alerts = [_alert(monitor, run, outcome)] if outcome.reasons else []
    saved = services.monitors.save_run(run, list(outcome.results), alerts, outcome.state)
    return (run, alerts) if saved else (None, [])


def _alert(monitor: Monitor, run: MonitorRun, outcome: Outcome) -> Alert:
    name = window_name(Window(run.window_start_ms, run.window_end_ms), monitor.period)
    return Alert(
        id=new_id(),
        monitor=monitor.name,
        monitor_run_id=run.id,
        endpoint=monitor.endpoint,
        message=f"{monitor.endpoint}, {name}: {'; '.join(outcome.reasons)}",
        state="open",
        created_ms=run.created_ms,
        event_ms=run.window_end_ms,
        model_name=run.model_name,
        model_version=run.model_version,
    )


def _models(services: Services, counted: Answered) -> tuple[str | None, str | None, list[str]]:
    """Name and version of the model that answered most rows, and a note where it was not alone."""
    names: dict[str, tuple[str, str]] = {}
    for deployment_id in counted.by_deployment:
        try:
            deployment = services.deployments.get(deployment_id)
            names[deployment_id] = (deployment.model_name, deployment.model_version)
        except NotFound:  # a log that outlived its deployment's record
            continue
    name, version = names.get(counted.main or "", (None, None))
    if len(counted.by_deployment) < 2:
        return name, version, []
    ranked = sorted(counted.by_deployment.items(), key=lambda item: (-item[1], item[0]))
    shares = [
        f"{' '.join(names.get(deployment_id, (deployment_id,)))} {rows / counted.rows:.0%}"
        for deployment_id, rows in ranked
    ]
    return name, version, [f"answered by {', '.join(shares)}"]
