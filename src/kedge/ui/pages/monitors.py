"""Monitors: the drift timeline, performance over time, and the distributions behind a cell."""

import itertools

from kedge.core.monitors import COLUMN_VERDICT, Alert, ColumnResult, Monitor, MonitorRun
from kedge.core.services import Services
from kedge.ui import charts, shown, tables
from kedge.ui.blocks import Cell, Chart, Distribution, Facts, Heat, HeatCell, Page, Table

_LEVELS = (0.02, 0.1, 0.2, 0.5, 1.0)
_LISTED = 60
_PSI = "PopulationStabilityIndex"


def monitors(services: Services) -> Page:
    """All monitors with what they last found."""
    now_ms = services.clock.now_ms()
    rows = []
    for monitor in services.monitors.monitors():
        runs = services.monitors.runs(monitor=monitor.name, limit=1)
        last = runs[-1] if runs else None
        rows.append(
            (
                shown.link(monitor.name, shown.to("monitors", monitor.name)),
                Cell(text=monitor.kind),
                shown.link(monitor.endpoint, shown.to("endpoints", monitor.endpoint)),
                Cell(text=monitor.period),
                shown.state(last.verdict) if last else Cell(text="no window yet", tone="quiet"),
                Cell(
                    text=f"{shown.day(last.window_start_ms)} to {shown.day(last.window_end_ms)}"
                    if last
                    else ""
                ),
                shown.ago(last.created_ms if last else None, now_ms),
            )
        )
    heads = tables.headings("monitor", "kind", "endpoint", "every", "last verdict", "window", "evaluated")
    table = Table(
        headings=heads, rows=tuple(rows), empty="No monitor yet:", command="kedge.monitor.drift(...)"
    )
    return Page(title="Monitors", section="monitors", blocks=(table,))


def monitor(services: Services, name: str, *, run_id: str, column: str) -> Page:
    """A monitor's history, and one cell of it where chosen."""
    found = services.monitors.get_monitor(name)
    runs = services.monitors.runs(monitor=name)
    alerts = [
        alert
        for alert in services.monitors.alerts(endpoint=found.endpoint, limit=1000)
        if alert.monitor == name
    ]
    blocks: list[object] = []
    if found.kind == "drift":
        blocks.append(heat(services, found, runs, run_id, column))
        if run_id and column:
            blocks += cell_blocks(services, run_id, column)
        if len(runs) > 1:
            blocks.append(_share_chart(found, runs, alerts))
    elif found.kind == "performance":
        blocks += _performance(runs, alerts)
    else:
        blocks.append(_stream(runs, alerts))
    now_ms = services.clock.now_ms()
    blocks += [_definition(services, found), tables.alerts(alerts[:50], now_ms, title="Alerts")]
    references = {run.id: reference_names(services, run.reference) for run in runs[-_LISTED:]}
    blocks.append(tables.monitor_runs(runs[-_LISTED:], references, _windows_title(len(runs))))
    return Page(
        title=name,
        section="monitors",
        crumbs=(shown.link("Monitors", "/monitors"),),
        tags=(Cell(text=found.kind, badge=True), Cell(text=f"every {found.period}", badge=True)),
        lead=_lead(found),
        blocks=tuple(blocks),
    )


def _windows_title(count: int) -> str:
    return "Windows" if count <= _LISTED else f"The newest {_LISTED} of {count} windows"


def _lead(found: Monitor) -> str:
    match found.kind:
        case "drift":
            return "Inputs of every window against the reference data. A column drifts when all its detectors say so."
        case "performance":
            return "Quality of the answers, measured once the labels have come."
        case _:
            return (
                "One value a window, the error rate, goes to a streaming detector: rows of one day share their "
                "circumstances, and value by value they would break its assumption of independence."
            )


def level(psi: float) -> int:
    """0 to 5, by how far a column has shifted."""
    return sum(psi >= edge for edge in _LEVELS)


def heat(services: Services, found: Monitor, runs: list[MonitorRun], run_id: str, column: str) -> Heat:
    """Columns by windows, those that shifted most on top."""
    psi: dict[tuple[str, str], float] = {}
    drifted: dict[tuple[str, str], bool] = {}
    for evaluated, _, name, detector, statistic, drift in services.monitors.heat(found.name):
        if detector == COLUMN_VERDICT:
            drifted[evaluated, name] = drift
        if detector == _PSI or (evaluated, name) not in psi:
            psi[evaluated, name] = statistic
    totals: dict[str, float] = {}
    for (_, name), value in psi.items():
        totals[name] = totals.get(name, 0.0) + value
    names = sorted(totals, key=lambda name: (-totals[name], name))
    rows = []
    for name in names:
        cells: list[HeatCell | None] = []
        for run in runs:
            shift = psi.get((run.id, name))
            cells.append(
                None
                if shift is None
                else _cell(
                    found,
                    run,
                    (name, shift),
                    drift=drifted.get((run.id, name), False),
                    chosen=(run_id, column),
                )
            )
        rows.append((name, tuple(cells)))
    windows = tuple(_window(found, run) for run in runs)
    return Heat(
        title="Drift of the inputs",
        windows=windows,
        rows=tuple(rows),
        note="Shade: population stability index against the reference. Dot: the column drifts. Choose a cell for its distributions.",
    )


def _cell(
    found: Monitor, run: MonitorRun, shift: tuple[str, float], *, drift: bool, chosen: tuple[str, str]
) -> HeatCell:
    name, value = shift
    word = "drift" if drift else "no drift"
    return HeatCell(
        href=shown.to("monitors", found.name, run=run.id, column=name) + "#distribution",
        level=level(value),
        drift=drift,
        text=f"{value:.2f}",
        title=f"{name}, {_window(found, run)}: PSI {value:.3f}, {word}",
        chosen=chosen == (run.id, name),
    )


def _window(found: Monitor, run: MonitorRun) -> str:
    return shown.day(run.window_start_ms)[: 7 if found.period == "month" else 10]


def cell_blocks(services: Services, run_id: str, column: str) -> list[object]:
    """Distributions of a column in a window, and what each detector said."""
    run = services.monitors.get_run(run_id)
    results = services.monitors.results(run_id, column=column)
    if not results:
        return []
    window = f"{shown.day(run.window_start_ms)} to {shown.day(run.window_end_ms)}"
    blocks: list[object] = []
    reference = reference_names(services, run.reference) or "reference"
    drawn = column_distribution(results, f"{column}: {reference} and {window}")
    if drawn is not None:
        blocks.append(drawn)
    blocks.append(_detectors(results))
    return blocks


def column_distribution(results: list[ColumnResult], title: str) -> Distribution | None:
    """The overlay of a column's results, where they have one."""
    result = next((each for each in results if each.bins and each.reference), None)
    return None if result is None else charts.distribution(result, title, "Shares of rows in each bin.")


def _detectors(results: list[ColumnResult]) -> Table:
    rows = tuple(
        (
            Cell(text=result.detector if result.detector != COLUMN_VERDICT else "all together"),
            shown.figure(result.statistic),
            shown.figure(result.p_value)
            if result.p_value is not None
            else Cell(text="-", number=True, tone="quiet"),
            shown.figure(result.threshold) if result.threshold is not None else Cell(),
            Cell(text="drift" if result.drift else "no drift", tone="bad" if result.drift else "ok"),
            Cell(text=", ".join(f"{k} {v}" for k, v in result.params.items()), tone="quiet"),
        )
        for result in results
    )
    heads = tables.headings("detector", "#statistic", "#p-value", "#threshold", "verdict", "parameters")
    return Table(title="Detectors", headings=heads, rows=rows)


def _marks(runs: list[MonitorRun], alerts: list[Alert]) -> list[tuple[float, str, str]]:
    """Where the model changed, and where alerts were raised."""
    marks = []
    for before, after in itertools.pairwise(runs):
        if before.model_version != after.model_version:
            marks.append((after.window_start_ms / 1000, f"v{after.model_version}", "model"))
    # An alert belongs to the point of the window that showed it.
    starts = {run.id: run.window_start_ms for run in runs}
    marks += [
        (starts[alert.monitor_run_id] / 1000, "alert", "alert")
        for alert in alerts
        if alert.monitor_run_id in starts
    ]
    return marks


def _performance(runs: list[MonitorRun], alerts: list[Alert]) -> list[Chart]:
    known = [run for run in runs if "auc" in run.metrics]
    if not known:
        return []
    x = [run.window_start_ms / 1000 for run in known]
    marks = _marks(known, alerts)
    quality = charts.chart(
        "AUC and Brier score",
        x,
        [
            ("AUC", [run.metrics["auc"] for run in known], "y"),
            ("Brier", [run.metrics.get("brier") for run in known], "y2"),
        ],
        marks=marks,
        note="AUC on the left, Brier score on the right. Upright lines: a new model version (blue), an alert (red).",
    )
    rates = charts.chart(
        "Positive rate, predicted and observed",
        x,
        [
            ("observed", [run.metrics.get("base_rate") for run in known], "y"),
            ("predicted", [run.metrics.get("mean_prediction") for run in known], "y"),
        ],
        marks=marks,
    )
    return [quality, rates]


def _stream(runs: list[MonitorRun], alerts: list[Alert]) -> Chart:
    known = [run for run in runs if "error_rate" in run.metrics]
    x = [run.window_start_ms / 1000 for run in known]
    rates = [run.metrics["error_rate"] for run in known]
    return charts.chart("Error rate", x, [("error rate", rates, "y")], marks=_marks(known, alerts))


def _share_chart(found: Monitor, runs: list[MonitorRun], alerts: list[Alert]) -> Chart:
    limit = found.alert_when.get("drift_share")
    series: list[tuple[str, list[float | None], str]] = [
        ("share of columns that drift", [run.drift_share for run in runs], "y")
    ]
    if limit is not None:
        series.append(("alert from", [limit] * len(runs), "y"))
    x = [run.window_start_ms / 1000 for run in runs]
    return charts.chart("Drift share", x, series, marks=_marks(runs, alerts))


def reference_names(services: Services, versions: tuple[str, ...]) -> str:
    """The data that a window was, or will be, compared with."""
    found = [services.datasets.get_by_id(version) for version in versions]
    return ", ".join(f"{version.dataset}@{version.tag or version.number}" for version in found)


def _definition(services: Services, found: Monitor) -> Facts:
    reference = reference_names(services, found.reference)
    detectors = "; ".join(
        f"{column}: {', '.join(str(spec.get('name')) for spec in specs)}"
        for column, specs in found.detectors.items()
    )
    rules = ", ".join(f"{key} {value:g}" for key, value in found.alert_when.items())
    triggers = ", ".join(f"{t.name} → {t.pipeline}" for t in services.monitors.triggers(monitor=found.name))
    return Facts(
        title="Definition",
        rows=(
            ("endpoint", shown.link(found.endpoint, shown.to("endpoints", found.endpoint))),
            ("reference of the next window", Cell(text=reference or "none needed")),
            ("detectors", Cell(text=detectors or "none: it measures")),
            ("alerts on", Cell(text=rules or ("a detected change" if found.kind == "stream" else "nothing"))),
            ("an alert starts", Cell(text=triggers or "nothing")),
        ),
    )
