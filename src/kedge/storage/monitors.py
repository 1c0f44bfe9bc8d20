"""Monitors, their runs, alerts and triggers in SQL; a window's evaluation is one transaction."""

import math
from typing import TYPE_CHECKING, Any

import msgspec

from kedge.core.errors import NotFound
from kedge.core.monitors import Alert, AlertState, ColumnResult, Monitor, MonitorRun, Trigger
from kedge.storage.database import Database, Row
from kedge.storage.statements import statements

_json = msgspec.json.encode


class SqlMonitors:
    """`MonitorStore` on SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = statements("monitors")

    def save_monitor(self, monitor: Monitor) -> None:
        with self._database.write() as connection:
            connection.execute(
                self._sql["save_monitor"],
                (monitor.name, monitor.endpoint, monitor.created_ms, _json(monitor).decode()),
            )

    def get_monitor(self, name: str) -> Monitor:
        row = self._database.row(self._sql["get_monitor"], (name,))
        if row is None:
            raise NotFound(f"no monitor is named {name!r}", hint="`kedge monitor list` names them")
        return msgspec.json.decode(row["definition"], type=Monitor)

    def monitors(self, *, endpoint: str | None = None) -> list[Monitor]:
        rows = self._database.rows(self._sql["monitors"], {"endpoint": endpoint})
        return [msgspec.json.decode(row["definition"], type=Monitor) for row in rows]

    def save_run(
        self, run: MonitorRun, results: list[ColumnResult], alerts: list[Alert], state: bytes | None
    ) -> bool:
        with self._database.write() as connection:
            if connection.execute(self._sql["insert_run"], _run_row(run)).rowcount == 0:
                return False
            connection.executemany(
                self._sql["insert_result"], [_result_row(run.id, result) for result in results]
            )
            connection.executemany(self._sql["insert_alert"], [_alert_row(alert) for alert in alerts])
            if state is not None:
                connection.execute(self._sql["set_detector_state"], (state, run.monitor))
        return True

    def get_run(self, run_id: str) -> MonitorRun:
        row = self._database.row(self._sql["get_run"], (run_id,))
        if row is None:
            raise NotFound(f"no monitor run has the id {run_id!r}")
        return _run(row)

    def runs(
        self, *, monitor: str | None = None, endpoint: str | None = None, limit: int = 1000
    ) -> list[MonitorRun]:
        arguments = {"monitor": monitor, "endpoint": endpoint, "limit": limit}
        return [_run(row) for row in reversed(self._database.rows(self._sql["runs"], arguments))]

    def windows(self, monitor: str) -> list[tuple[int, int]]:
        return [(row[0], row[1]) for row in self._database.rows(self._sql["windows"], (monitor,))]

    def results(self, run_id: str, *, column: str | None = None) -> list[ColumnResult]:
        rows = self._database.rows(self._sql["results"], {"run_id": run_id, "column": column})
        return [_result(row) for row in rows]

    def heat(self, monitor: str) -> list[tuple[str, int, str, str, float, bool]]:
        rows = self._database.rows(self._sql["heat"], (monitor,))
        return [(row[0], row[1], row[2], row[3], _number(row[4]), bool(row[5])) for row in rows]

    def detector_state(self, monitor: str) -> bytes | None:
        row = self._database.row(self._sql["detector_state"], (monitor,))
        return row["detector_state"] if row is not None else None

    def alerts(
        self, *, state: AlertState | None = None, endpoint: str | None = None, limit: int = 100
    ) -> list[Alert]:
        arguments = {"state": state, "endpoint": endpoint, "limit": limit}
        return [_alert(row) for row in self._database.rows(self._sql["alerts"], arguments)]

    def get_alert(self, alert_id: str) -> Alert:
        row = self._database.row(self._sql["get_alert"], (alert_id,))
        if row is None:
            raise _no_alert(alert_id)
        return _alert(row)

    def update_alert(self, alert: Alert) -> None:
        with self._database.write() as connection:
            changed = connection.execute(
                self._sql["update_alert"],
                {
                    "id": alert.id,
                    "state": alert.state,
                    "acknowledged_ms": alert.acknowledged_ms,
                    "pipeline_run_id": alert.pipeline_run_id,
                },
            ).rowcount
        if changed == 0:
            raise _no_alert(alert.id)

    def save_trigger(self, trigger: Trigger) -> None:
        definition = _json(msgspec.structs.replace(trigger, last_fired_ms=None)).decode()
        with self._database.write() as connection:
            connection.execute(
                self._sql["save_trigger"], (trigger.name, trigger.monitor, definition, trigger.last_fired_ms)
            )

    def triggers(self, *, monitor: str | None = None) -> list[Trigger]:
        rows = self._database.rows(self._sql["triggers"], {"monitor": monitor})
        return [
            msgspec.structs.replace(
                msgspec.json.decode(row["definition"], type=Trigger), last_fired_ms=row["last_fired_ms"]
            )
            for row in rows
        ]

    def record_firing(self, trigger: str, alert_id: str, pipeline_run_id: str) -> None:
        with self._database.write() as connection:
            row = connection.execute(self._sql["get_alert"], (alert_id,)).fetchone()
            if row is None:
                raise _no_alert(alert_id)
            connection.execute(
                self._sql["update_alert"],
                {
                    "id": alert_id,
                    "state": row["state"],
                    "acknowledged_ms": None,
                    "pipeline_run_id": pipeline_run_id,
                },
            )
            connection.execute(self._sql["mark_fired"], {"name": trigger, "event_ms": row["event_ms"]})


def _no_alert(alert_id: str) -> NotFound:
    return NotFound(f"no alert has the id {alert_id!r}", hint="`kedge monitor alerts` lists them")


def _number(value: float | None) -> float:
    """SQLite keeps NaN as NULL."""
    return math.nan if value is None else float(value)


def _run_row(run: MonitorRun) -> tuple[Any, ...]:
    return (
        run.id,
        run.monitor,
        run.endpoint,
        run.kind,
        run.window_start_ms,
        run.window_end_ms,
        run.rows,
        run.verdict,
        run.created_ms,
        run.duration_ms,
        run.deployment_id,
        run.model_name,
        run.model_version,
        _json(run.reference).decode(),
        run.drift_share,
        _json(run.metrics).decode(),
        _json(run.detectors).decode(),
        run.note,
    )


def _run(row: Row) -> MonitorRun:
    fields = {
        **dict(row),
        "reference": msgspec.json.decode(row["reference"]),
        "metrics": msgspec.json.decode(row["metrics"]),
        "detectors": msgspec.json.decode(row["detectors"]),
    }
    return msgspec.convert(fields, MonitorRun)


def _result_row(run_id: str, result: ColumnResult) -> tuple[Any, ...]:
    return (
        run_id,
        result.column,
        result.detector,
        _json(result.params).decode(),
        result.statistic,
        result.threshold,
        int(result.drift),
        result.p_value,
        _json(result.bins).decode(),
        _json(result.reference).decode(),
        _json(result.current).decode(),
    )


def _result(row: Row) -> ColumnResult:
    return ColumnResult(
        column=row["column_name"],
        detector=row["detector"],
        params=msgspec.json.decode(row["params"]),
        statistic=_number(row["statistic"]),
        threshold=row["threshold"],
        drift=bool(row["drift"]),
        p_value=row["p_value"],
        bins=tuple(msgspec.json.decode(row["bins"])),
        reference=msgspec.json.decode(row["reference"], type=tuple[float, ...]),
        current=msgspec.json.decode(row["current"], type=tuple[float, ...]),
    )


def _alert_row(alert: Alert) -> tuple[Any, ...]:
    return msgspec.structs.astuple(alert)


def _alert(row: Row) -> Alert:
    return msgspec.convert(dict(row), Alert)


if TYPE_CHECKING:
    from kedge.core.monitors import MonitorStore

    def _fits(store: SqlMonitors) -> MonitorStore:
        return store
