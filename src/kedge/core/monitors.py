"""Monitors, what they found, alerts and triggers: records and seam."""

from typing import Any, Literal, Protocol

import msgspec

MonitorKind = Literal["drift", "performance", "stream"]
Verdict = Literal["ok", "drift", "degraded", "too_few"]
AlertState = Literal["open", "acknowledged"]
Period = Literal["day", "week", "month"]


COLUMN_VERDICT = "verdict"
"""`ColumnResult.detector` of the row that holds a column's own verdict: `statistic` is the share of its detectors that
saw drift, `threshold` 1.0, `drift` whether all did (see `kedge.monitoring.verdict`); its bins are the histograms to show."""


class Monitor(msgspec.Struct, frozen=True, kw_only=True):
    """What is watched. `drift` compares columns of a window with the reference; `performance` computes AUC and Brier
    from late labels; `stream` runs a streaming detector over one value a day (the error rate).

    `detectors` maps a column name, or `*numeric` / `*categorical`, to detector specs such as `{"name": "KS", "alpha": 0.05}`.
    `alert_when` holds thresholds by name: `drift_share`, `auc_below`, `brier_above`, `auc_drop`; a stream alerts on a drift.
    """

    name: str
    endpoint: str
    kind: MonitorKind
    period: Period
    created_ms: int
    reference: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    detectors: dict[str, list[dict[str, Any]]] = {}
    alert_when: dict[str, float] = {}
    label_delay_ms: int = 0
    minimum_rows: int = 100
    positive_threshold: float = 0.5
    enabled: bool = True


class ColumnResult(msgspec.Struct, frozen=True, kw_only=True):
    """One detector on one column in one window; `bins` are edges or category names for `reference` and `current`."""

    column: str
    detector: str
    params: dict[str, Any]
    statistic: float
    threshold: float | None
    drift: bool
    p_value: float | None = None
    bins: tuple[Any, ...] = ()
    reference: tuple[float, ...] = ()
    current: tuple[float, ...] = ()


class MonitorRun(msgspec.Struct, frozen=True, kw_only=True):
    """A monitor's evaluation of one window of event time, and what it concerned."""

    id: str
    monitor: str
    endpoint: str
    kind: MonitorKind
    window_start_ms: int
    window_end_ms: int
    rows: int
    verdict: Verdict
    created_ms: int
    duration_ms: int
    deployment_id: str | None = None
    model_name: str | None = None
    model_version: str | None = None
    reference: tuple[str, ...] = ()
    drift_share: float | None = None
    metrics: dict[str, float] = {}
    detectors: tuple[str, ...] = ()
    note: str = ""


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """Something a person should look at; `event_ms` is the end of the window that showed it."""

    id: str
    monitor: str
    monitor_run_id: str
    endpoint: str
    message: str
    state: AlertState
    created_ms: int
    event_ms: int
    model_name: str | None = None
    model_version: str | None = None
    acknowledged_ms: int | None = None
    pipeline_run_id: str | None = None


class Trigger(msgspec.Struct, frozen=True, kw_only=True):
    """Starts a pipeline when a monitor alerts, at most once in `cooldown_ms` of event time."""

    name: str
    monitor: str
    entry: str
    project: str
    pipeline: str
    params: dict[str, Any]
    created_ms: int
    cooldown_ms: int = 0
    enabled: bool = True
    last_fired_ms: int | None = None


class MonitorStore(Protocol):
    """Monitors and their history."""

    def save_monitor(self, monitor: Monitor) -> None:
        """Insert or replace by name."""
        ...

    def get_monitor(self, name: str) -> Monitor:
        """Raises NotFound."""
        ...

    def monitors(self, *, endpoint: str | None = None) -> list[Monitor]: ...

    def save_run(
        self, run: MonitorRun, results: list[ColumnResult], alerts: list[Alert], state: bytes | None
    ) -> bool:
        """Record a window's evaluation, results, alerts and detector state in one transaction.

        False, and nothing written, when the monitor has a run for that window already.
        """
        ...

    def get_run(self, run_id: str) -> MonitorRun:
        """Raises NotFound."""
        ...

    def runs(
        self, *, monitor: str | None = None, endpoint: str | None = None, limit: int = 1000
    ) -> list[MonitorRun]:
        """By window, oldest first; of the newest `limit`."""
        ...

    def windows(self, monitor: str) -> list[tuple[int, int]]:
        """(start, end) of every window that the monitor has a run for, oldest first."""
        ...

    def results(self, run_id: str, *, column: str | None = None) -> list[ColumnResult]: ...

    def heat(self, monitor: str) -> list[tuple[str, int, str, str, float, bool]]:
        """(run id, window start, column, detector, statistic, drift) of all windows, without the histograms."""
        ...

    def detector_state(self, monitor: str) -> bytes | None:
        """What `save_run` was last given as state."""
        ...

    def alerts(
        self, *, state: AlertState | None = None, endpoint: str | None = None, limit: int = 100
    ) -> list[Alert]:
        """Newest first."""
        ...

    def get_alert(self, alert_id: str) -> Alert:
        """Raises NotFound."""
        ...

    def update_alert(self, alert: Alert) -> None:
        """Acknowledge, or link the pipeline run; what is recorded already stays as it is. Raises NotFound."""
        ...

    def save_trigger(self, trigger: Trigger) -> None:
        """Insert or replace by name; `last_fired_ms` never goes back."""
        ...

    def triggers(self, *, monitor: str | None = None) -> list[Trigger]: ...
    def record_firing(self, trigger: str, alert_id: str, pipeline_run_id: str) -> None:
        """Link an alert to the run it started and move the trigger's `last_fired_ms` to the alert's event, at once."""
        ...
