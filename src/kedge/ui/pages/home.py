"""The home page: what needs a look, what runs, what answers."""

from kedge.core.monitors import MonitorRun
from kedge.core.services import Services
from kedge.ui import charts, shown, tables
from kedge.ui.blocks import Cell, Columns, Page, Table, Tile, Tiles

_FEW = 6
_MINUTE_MS = 60_000
_SPARK_MINUTES = 30
_METRICS = ("auc", "brier")


def home(services: Services) -> Page:
    """Open alerts, endpoints, recent runs."""
    now_ms = services.clock.now_ms()
    alerts = services.monitors.alerts(state="open", limit=1000)
    runs = services.pipelines.runs(limit=_FEW)
    tracked = services.tracking.runs(limit=_FEW)
    tiles = Tiles(
        tiles=(
            Tile(
                label="Open alerts",
                value=str(len(alerts)),
                href="/alerts?state=open",
                tone="bad" if alerts else "ok",
                note="newest first below" if alerts else "all quiet",
            ),
            Tile(label="Endpoints", value=str(len(services.deployments.endpoints())), href="/endpoints"),
            Tile(label="Monitors", value=str(len(services.monitors.monitors())), href="/monitors"),
            Tile(label="Models", value=str(len(services.tracking.models())), href="/models"),
            Tile(label="MLflow runs", value=f"{services.tracking.count_runs():,}", href="/runs"),
            Tile(label="Datasets", value=str(len(services.datasets.datasets())), href="/datasets"),
        )
    )
    heads = tables.headings(
        "run", "experiment", "state", "when", "#took", *(f"#{metric}" for metric in _METRICS)
    )
    recent = tables.tracked_runs(tracked, now_ms, _METRICS, heads, services.addresses.web)
    return Page(
        title="Home",
        section="home",
        blocks=(
            tiles,
            tables.alerts(alerts[:_FEW], now_ms, title="Open alerts"),
            endpoints_table(services, now_ms),
            Columns(
                blocks=(
                    tables.pipeline_runs(runs, now_ms, title="Recent pipeline runs"),
                    Table(
                        title="Recent MLflow runs",
                        headings=recent.headings,
                        rows=recent.rows,
                        empty=recent.empty,
                        command=recent.command,
                    ),
                )
            ),
        ),
    )


def endpoints_table(services: Services, now_ms: int) -> Table:
    """Endpoints with their live model, recent traffic and state of drift."""
    rows = []
    for endpoint in services.deployments.endpoints():
        live = services.deployments.get(endpoint.live) if endpoint.live else None
        minutes = services.deployments.traffic(endpoint.name, since_ms=now_ms - _SPARK_MINUTES * _MINUTE_MS)
        counts = [0.0] * _SPARK_MINUTES
        for minute in minutes:
            place = _SPARK_MINUTES - 1 - (now_ms - minute.minute_ms) // _MINUTE_MS
            if 0 <= place < _SPARK_MINUTES:
                counts[int(place)] += minute.requests
        requests, took = sum(m.requests for m in minutes), sum(m.latency_ms_sum for m in minutes)
        drift = last_drift(services, endpoint.name)
        rows.append(
            (
                shown.link(endpoint.name, shown.to("endpoints", endpoint.name)),
                shown.state("live" if live else "pending"),
                Cell(
                    text=f"{live.model_name} v{live.model_version}", href=shown.to("models", live.model_name)
                )
                if live
                else Cell(),
                Cell(spark=charts.spark(counts), title=f"requests a minute, last {_SPARK_MINUTES} minutes"),
                Cell(text=f"{requests:,}", number=True, title=f"last {_SPARK_MINUTES} minutes"),
                Cell(text=f"{took / requests:.1f} ms" if requests else "-", number=True),
                Cell(text=f"{services.inference.rows(endpoint.name):,}", number=True),
                _drift_cell(drift),
            )
        )
    heads = tables.headings(
        "endpoint", "state", "model", "traffic", "#requests", "#mean latency", "#rows logged", "drift"
    )
    return Table(
        title="Endpoints",
        headings=heads,
        rows=tuple(rows),
        empty="Nothing is deployed yet:",
        command="kedge deploy NAME --model MODEL --alias champion",
    )


def last_drift(services: Services, endpoint: str) -> MonitorRun | None:
    """The newest drift evaluation of an endpoint."""
    runs = [run for run in services.monitors.runs(endpoint=endpoint, limit=400) if run.kind == "drift"]
    return runs[-1] if runs else None


def _drift_cell(run: MonitorRun | None) -> Cell:
    if run is None or run.drift_share is None:
        return Cell(text="not monitored" if run is None else "too few rows", tone="quiet")
    tone = "bad" if run.verdict == "drift" else "warn" if run.drift_share else "ok"
    words = f"{100 * run.drift_share:.0f} % of columns, {shown.day(run.window_start_ms)}"
    return Cell(text=words, tone=tone, href=shown.to("monitors", run.monitor))
