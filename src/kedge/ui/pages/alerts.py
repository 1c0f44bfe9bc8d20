"""Alerts: the inbox, and the investigation of one."""

from kedge.core.errors import NotFound
from kedge.core.monitors import Alert, MonitorRun
from kedge.core.services import Services
from kedge.core.tracking import ModelVersion
from kedge.monitoring.definitions import STREAM
from kedge.ui import shown, tables
from kedge.ui.blocks import Action, Cell, Chain, Columns, Facts, Field, Filter, Notice, Page
from kedge.ui.pages.models import lineage
from kedge.ui.pages.monitors import column_distribution

_STRONGEST = 4
_STATES = (("", "all"), ("open", "open"), ("acknowledged", "acknowledged"))
_WORDS = {
    "drift": "The inputs of this window are unlike the reference",
    "performance": "The answers have become worse",
}


def alerts(services: Services, *, state: str) -> Page:
    """Alerts by state, newest first."""
    wanted = state if state in ("open", "acknowledged") else None
    found = services.monitors.alerts(state=wanted, limit=500)  # type: ignore[arg-type]
    fields = (Field(name="state", label="State", value=state, options=_STATES),)
    here = shown.to("alerts", state=state) if wanted else "/alerts"
    table = tables.alerts(found, services.clock.now_ms(), back=here, title=f"{len(found)} alerts")
    return Page(title="Alerts", section="alerts", blocks=(Filter(action="/alerts", fields=fields), table))


def alert(services: Services, alert_id: str) -> Page:
    """What happened, what it looks like, whom it concerns, and what was done."""
    found = services.monitors.get_alert(alert_id)
    run = services.monitors.get_run(found.monitor_run_id)
    version = _version(services, found)
    now_ms = services.clock.now_ms()
    blocks: list[object] = [
        Notice(tone="bad" if found.state == "open" else "quiet", text=found.message, hint=_hint(run))
    ]
    if version is not None:
        title = "What it concerns: data, code, run and model"
        blocks.append(Chain(title=title, links=lineage(services, version, [found.endpoint])))
    blocks.append(Columns(blocks=(_facts(found, run, now_ms), _outcome(services, found, now_ms))))
    blocks += _strongest(services, run)
    acknowledge = Action(label="Acknowledge", action=shown.to("alerts", alert_id, "acknowledge"))
    return Page(
        title=f"Alert of {found.monitor}",
        section="alerts",
        crumbs=(shown.link("Alerts", "/alerts"),),
        tags=(shown.state(found.state), shown.short(alert_id)),
        actions=(acknowledge,) if found.state == "open" else (),
        blocks=tuple(blocks),
    )


def _version(services: Services, found: Alert) -> ModelVersion | None:
    if not found.model_name or not found.model_version:
        return None
    try:
        return services.tracking.resolve(found.model_name, found.model_version)
    except NotFound:
        return None  # deleted since; the alert still says which it was


def _hint(run: MonitorRun) -> str:
    window = f"{shown.day(run.window_start_ms)} to {shown.day(run.window_end_ms)}, {run.rows:,} rows"
    return f"{_WORDS.get(run.kind, 'The error rate has changed')} ({window})."


def _facts(found: Alert, run: MonitorRun, now_ms: int) -> Facts:
    return Facts(
        title="The finding",
        rows=(
            (
                "monitor",
                shown.link(found.monitor, shown.to("monitors", found.monitor), testid="monitor-link"),
            ),
            ("endpoint", shown.link(found.endpoint, shown.to("endpoints", found.endpoint))),
            ("window", Cell(text=f"{shown.day(run.window_start_ms)} to {shown.day(run.window_end_ms)}")),
            ("rows", shown.count(run.rows)),
            ("model", Cell(text=f"{found.model_name} v{found.model_version}")),
            ("drift share", shown.figure(run.drift_share, 3)),
            (
                "measures",
                Cell(
                    text=", ".join(
                        f"{k} {v:.3g}" for k, v in run.metrics.items() if not k.startswith("missing.")
                    )
                    or "none"
                ),
            ),
            ("raised", shown.ago(found.created_ms, now_ms)),
        ),
    )


def _outcome(services: Services, found: Alert, now_ms: int) -> Facts:
    if not found.pipeline_run_id:
        return Facts(
            title="What it started",
            rows=(("nothing", Cell(text="no trigger stands on this monitor", tone="quiet")),),
        )
    run = services.pipelines.get_run(found.pipeline_run_id)
    promoted = run.result.get("promoted") if isinstance(run.result, dict) else None
    words = {True: "the candidate was promoted", False: "the candidate was not better; the champion stays"}
    return Facts(
        title="What it started",
        rows=(
            (
                "pipeline run",
                shown.link(run.pipeline, shown.to("pipelines", run.id), testid="retraining-link"),
            ),
            ("state", shown.state(run.state)),
            ("outcome", Cell(text=words.get(promoted, run.error or "see the run"))),  # type: ignore[arg-type]
            ("when", shown.ago(run.created_ms, now_ms)),
        ),
    )


def _strongest(services: Services, run: MonitorRun) -> list[object]:
    """Distributions of the columns that shifted most."""
    results = [result for result in services.monitors.results(run.id) if result.column != STREAM]
    by_column: dict[str, list[object]] = {}
    strength: dict[str, float] = {}
    for result in results:
        by_column.setdefault(result.column, []).append(result)
        if result.detector == "PopulationStabilityIndex":
            strength[result.column] = result.statistic
    columns = sorted(strength, key=lambda name: -strength[name])[:_STRONGEST]
    drawn = [
        block
        for name in columns
        if (block := column_distribution(by_column[name], f"{name}, PSI {strength[name]:.2f}"))  # type: ignore[arg-type]
    ]
    return [Columns(blocks=tuple(drawn[start : start + 2])) for start in range(0, len(drawn), 2)]
