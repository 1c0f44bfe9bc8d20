"""The loop of the demo, told step by step; every number is asked of the platform."""

import contextlib
import threading
from collections.abc import Callable
from typing import Any, Protocol

import httpx
import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from kedge.client import monitor
from kedge.client.connection import connection
from kedge.client.datasets import dataset
from kedge.client.deployments import EndpointHandle, endpoint
from kedge.client.pipelines import RunHandle, submit
from kedge.demo import pipelines
from kedge.demo.flights import load_year, month_of
from kedge.demo.pipelines import DRIFT_MONITOR, NAME
from kedge.demo.replay import replay_month
from kedge.monitoring.windows import DAY_MS, window_of

TRAINING_MONTHS = (1, 2, 3)
FAST_SHARE = 4
"""The fast demo keeps one flight in this many."""

WEEKLY, MONTHLY, ERRORS = "flights-performance", "flights-months", "flights-errors"
_LABEL_DELAY_S = 86_400
_COOLDOWN_S = 20 * 86_400


class MonthRow(msgspec.Struct, frozen=True, kw_only=True):
    """A month of the year's table. AUC and Brier score are the serving model's; of the training months, held-out."""

    month: str
    rows: int
    drift_share: float | None
    auc: float | None
    brier: float | None
    alerts: int
    retrained: bool
    promoted: bool
    model_version: str | None = None


class Told(Protocol):
    """Where progress is shown."""

    def say(self, line: str) -> None:
        """A line for the reader."""
        ...

    def bar(self, label: str, total: int) -> Callable[[int], None]:
        """Begin a progress bar; what is returned advances it."""
        ...


def play(told: Told, *, fast: bool) -> tuple[list[MonthRow], dict[str, str]]:
    """Play the loop on the platform in use; returns the table and the addresses of the pages."""
    told.say("reading the 336,776 flights that left New York in 2013, with aircraft and weather")
    # MLflow's server takes seconds to start, the first time to make its tables too: meanwhile the flights are read.
    waking = threading.Thread(target=_wake_mlflow, daemon=True)
    waking.start()
    year = load_year()
    if fast:
        year = year.filter(pc.equal(pc.bit_wise_and(year["flight_id"], FAST_SHARE - 1), 0))
    last_month = 6 if fast else 12
    rows = _train(told, year)
    _watch()
    live = endpoint(NAME)
    with live:
        for month in range(len(TRAINING_MONTHS) + 1, last_month + 1):
            rows.append(_month(told, live, month_of(year, month), f"2013-{month:02d}"))
    return rows, addresses()


def addresses() -> dict[str, str]:
    """The pages to look at."""
    web = connection().url
    return {
        "home": f"{web}/",
        "alerts": f"{web}/alerts",
        "drift": f"{web}/monitors/{DRIFT_MONITOR}",
        "performance": f"{web}/monitors/{WEEKLY}",
        "endpoint": f"{web}/endpoints/{NAME}",
        "model": f"{web}/models/{NAME}",
        "dataset": f"{web}/datasets/{NAME}",
        "runs": f"{web}/runs",
        "mlflow": f"{web}/mlflow/",
    }


def _wake_mlflow() -> None:
    with contextlib.suppress(httpx.HTTPError):
        httpx.get(f"{connection().url}/mlflow/version", timeout=60, trust_env=False)


def _train(told: Told, year: pa.Table) -> list[MonthRow]:
    tables = {month: month_of(year, month) for month in TRAINING_MONTHS}
    versions = []
    for month, table in tables.items():
        version = dataset(NAME).add(table, tag=f"2013-{month:02d}", message="flights, aircraft, weather")
        versions.append(version.id)
        told.say(f"data version {NAME}@{version.tag}: {version.rows:,} flights")
    handle = submit(pipelines.train_first, versions=versions)
    told.say(f"training on odd days of January to March: {connection().url}/pipelines/{handle.id}")
    result = handle.result()
    metrics = result["metrics"]
    told.say(
        f"held-out AUC {metrics['auc']:.3f}, calibration error {metrics['calibration_error']:.3f}: gate passed"
    )
    told.say(f"model {NAME} version {result['released']['version']} is champion and answers")
    return [
        MonthRow(
            month=f"2013-{month:02d}",
            rows=table.num_rows,
            drift_share=None,
            auc=metrics[f"auc_{month}"],
            brier=metrics[f"brier_{month}"],
            alerts=0,
            retrained=False,
            promoted=False,
            model_version=result["released"]["version"],
        )
        for month, table in tables.items()
    ]


def _watch() -> None:
    """The monitors beside drift's, and the retraining that an alert of drift's starts.

    The error rate goes to Page-Hinkley as one value a day: flights of a day share their weather, so that value by value
    they would break the test's assumption and alarm every day.
    """
    monitor.performance(
        WEEKLY, endpoint=NAME, period="week", label_delay_s=_LABEL_DELAY_S, alert_when={"auc_below": 0.55}
    )
    monitor.performance(MONTHLY, endpoint=NAME, period="month", label_delay_s=_LABEL_DELAY_S, alert_when={})
    detector = {
        "name": "PageHinkley",
        "delta": 0.02,
        "threshold": 1.0,
        "min_instances": 14,
        "direction": "up",
    }
    monitor.stream(ERRORS, endpoint=NAME, detectors=[detector], label_delay_s=_LABEL_DELAY_S)
    monitor.trigger(
        "retrain-on-drift",
        monitor=DRIFT_MONITOR,
        pipeline=pipelines.retrain,
        params={"alert": "$alert_id"},
        cooldown_s=_COOLDOWN_S,
    )


def _month(told: Told, live: EndpointHandle, flights: pa.Table, name: str) -> MonthRow:
    logged = live.log().rows
    advance = told.bar(f"{name} replay", flights.num_rows)
    version = str(live.state().history[0].model_version)
    sent = replay_month(live, flights, advance)
    live.wait_logged(logged + sent)
    dataset(NAME).add(flights, tag=name, message="flights, aircraft, weather")
    start_ms, end_ms = window_of(_first_ms(flights), "month")
    until_ms = end_ms + 2 * DAY_MS
    for each in (MONTHLY, WEEKLY, DRIFT_MONITOR, ERRORS):
        monitor.evaluate(each, until_ms=end_ms if each != WEEKLY else until_ms)
    drift = next(run for run in monitor.runs(DRIFT_MONITOR) if run.window_start_ms == start_ms)
    measured = next(run for run in monitor.runs(MONTHLY) if run.window_start_ms == start_ms)
    alerts = [alert for alert in monitor.alerts(endpoint=NAME) if start_ms < alert.event_ms <= end_ms]
    for alert in alerts:
        told.say(f"{name} alert: {alert.message}")
    outcomes = [_retrained(told, run) for run in _started_by(alerts)]
    return MonthRow(
        month=name,
        rows=drift.rows,
        drift_share=drift.drift_share,
        auc=measured.metrics.get("auc"),
        brier=measured.metrics.get("brier"),
        alerts=len(alerts),
        retrained=bool(outcomes),
        promoted=any(outcomes),
        model_version=version,
    )


def _started_by(alerts: Any) -> list[str]:
    return list(dict.fromkeys(alert.pipeline_run_id for alert in alerts if alert.pipeline_run_id))


def _retrained(told: Told, run_id: str) -> bool:
    """Wait for a retraining; whether its candidate was promoted."""
    told.say(f"retraining: {connection().url}/pipelines/{run_id}")
    result = RunHandle(run_id).result()
    word = "promoted" if result["promoted"] else "not better than the champion, kept on record"
    told.say(f"candidate, version {result['version']}: {word}")
    return bool(result["promoted"])


def _first_ms(flights: pa.Table) -> int:
    return int(pc.cast(pc.min(flights["time"]), pa.int64()).as_py())
