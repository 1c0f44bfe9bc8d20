"""Tables that several pages show."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from kedge.core.deployments import Deployment
from kedge.core.monitors import Alert, MonitorRun
from kedge.core.pipelines import PipelineRun
from kedge.core.reports import Report
from kedge.core.tracking import TrackedRun
from kedge.ui import shown
from kedge.ui.blocks import Cell, Heading, Table


def headings(*texts: str) -> tuple[Heading, ...]:
    """Plain heads; a leading `#` marks a column of numbers."""
    return tuple(Heading(text=text.lstrip("#"), number=text.startswith("#")) for text in texts)


def sortable(
    path: str, query: dict[str, str], columns: Sequence[tuple[str, str]], current: str
) -> tuple[Heading, ...]:
    """Heads that sort by (key, text); `current` is the key in use, with `-` for descending. An empty key does not sort."""
    made = []
    for key, text in columns:
        plain = text.lstrip("#")
        if not key:
            made.append(Heading(text=plain, number=text.startswith("#")))
            continue
        descending = current == f"-{key}"
        ascending = current == key
        target = key if descending else f"-{key}"
        href = f"{path}?{urlencode({**query, 'sort': target})}"
        sorted_word = "descending" if descending else "ascending" if ascending else ""
        made.append(Heading(text=plain, number=text.startswith("#"), href=href, sorted=sorted_word))
    return tuple(made)


def pipeline_runs(runs: Sequence[PipelineRun], now_ms: int, **table: str) -> Table:
    """Runs of pipelines."""
    rows = tuple(
        (
            shown.link(run.pipeline, shown.to("pipelines", run.id)),
            shown.short(run.id, shown.to("pipelines", run.id)),
            shown.state(run.state),
            trigger(run.trigger),
            shown.ago(run.created_ms, now_ms),
            shown.span(run.started_ms, run.ended_ms),
        )
        for run in runs
    )
    heads = headings("pipeline", "run", "state", "started by", "when", "#took")
    return Table(
        headings=heads,
        rows=rows,
        empty="No pipeline has run yet. Start one with",
        command="kedge run path/to/file.py:pipeline",
        **table,  # type: ignore[arg-type]
    )


def trigger(text: str) -> Cell:
    """Who started a run: a person or an alert."""
    kind, _, rest = text.partition(":")
    if kind == "alert":
        return shown.link("alert", shown.to("alerts", rest.partition(":")[0]), title=text)
    return Cell(text=text, tone="quiet")


def alerts(found: Sequence[Alert], now_ms: int, *, back: str = "", **table: str) -> Table:
    """Alerts, each a link to its investigation; open ones can be acknowledged, which leads `back`."""
    rows = tuple(
        (
            shown.state(alert.state),
            shown.link(
                alert.message,
                shown.to("alerts", alert.id),
                testid="open-alert" if alert.state == "open" else "",
            ),
            shown.link(alert.monitor, shown.to("monitors", alert.monitor)),
            Cell(
                text=f"{alert.model_name or ''} v{alert.model_version or '?'}",
                href=shown.to("models", alert.model_name),
            ),
            Cell(text=shown.day(alert.event_ms), title=shown.moment(alert.event_ms)),
            shown.ago(alert.created_ms, now_ms),
            *((_acknowledge(alert, back),) if back else ()),
        )
        for alert in found
    )
    heads = headings("state", "what", "monitor", "model", "data until", "raised", *(("",) if back else ()))
    return Table(headings=heads, rows=rows, empty="No alerts.", **table)  # type: ignore[arg-type]


def _acknowledge(alert: Alert, back: str) -> Cell:
    if alert.state != "open":
        return Cell()
    return Cell(text="Acknowledge", action=shown.to("alerts", alert.id, "acknowledge", back=back))


def reports(found: Sequence[Report], now_ms: int) -> Table:
    """Validation reports, one row a check."""
    rows = tuple(
        (
            Cell(text=report.gate),
            shown.state("passed" if check.passed else "not passed"),
            Cell(text=check.name),
            shown.figure(check.value),
            Cell(text=check.rule, mono=True),
            Cell(text=report.subject),
            shown.ago(report.created_ms, now_ms),
        )
        for report in found
        for check in report.checks
    )
    heads = headings("gate", "verdict", "check", "#value", "rule", "subject", "when")
    return Table(title="Gates", headings=heads, rows=rows, empty="No gate has reported.")


def deployments(found: Sequence[Deployment], now_ms: int, title: str) -> Table:
    """A history of deployments."""
    rows = tuple(
        (
            shown.link(each.endpoint, shown.to("endpoints", each.endpoint)),
            Cell(text=f"{each.model_name} v{each.model_version}", href=shown.to("models", each.model_name)),
            shown.state(each.state),
            Cell(text=each.error or each.reason, tone="bad" if each.error else ""),
            shown.ago(each.created_ms, now_ms),
            shown.span(each.live_ms, each.ended_ms or now_ms) if each.live_ms else Cell(),
        )
        for each in found
    )
    heads = headings("endpoint", "model", "state", "reason", "asked", "#answered for")
    return Table(
        title=title, headings=heads, rows=rows, empty="Never deployed.", command="kedge deploy NAME --model M"
    )


def tracked_runs(
    runs: Sequence[TrackedRun], now_ms: int, metrics: Sequence[str], heads: tuple[Heading, ...], url: str
) -> Table:
    """MLflow runs with the columns of `metrics`; `url` is where clients are to log."""
    rows = tuple(
        (
            shown.link(run.name or run.run_id[:8], shown.to("runs", run.run_id)),
            Cell(text=run.experiment),
            shown.state(run.status),
            shown.ago(run.start_ms, now_ms),
            shown.span(run.start_ms, run.end_ms),
            *(shown.figure(run.metrics.get(metric)) for metric in metrics),
        )
        for run in runs
    )
    return Table(
        headings=heads,
        rows=rows,
        empty="No MLflow run is tracked yet. Point a client here:",
        command=f"MLFLOW_TRACKING_URI={url}",
    )


def monitor_runs(runs: Sequence[MonitorRun], references: Mapping[str, str], title: str) -> Table:
    """What a monitor found, window by window; `references` names by run the data that it was compared with."""
    rows = tuple(
        (
            Cell(text=f"{shown.day(run.window_start_ms)} to {shown.day(run.window_end_ms)}"),
            shown.state(run.verdict),
            shown.count(run.rows),
            shown.figure(run.drift_share, 2) if run.drift_share is not None else Cell(),
            Cell(
                text=", ".join(
                    f"{name.replace('_', ' ')} {shown.figure(value, 3).text}"
                    for name, value in _told(run.metrics)
                )
            ),
            Cell(
                text=f"{run.model_name or ''} v{run.model_version or '?'}",
                href=shown.to("models", run.model_name),
            ),
            Cell(text=references.get(run.id, ""), tone="quiet"),
            Cell(text=", ".join(run.detectors)),
            Cell(text=shown.seconds(run.duration_ms / 1000), number=True),
            Cell(text=run.note, tone="quiet"),
        )
        for run in reversed(runs)
    )
    heads = headings(
        "window",
        "verdict",
        "#rows",
        "#drift share",
        "metrics",
        "model",
        "reference",
        "detectors",
        "#took",
        "note",
    )
    used = [place for place in range(len(heads)) if not rows or any(row[place].text for row in rows)]
    return Table(
        title=title,
        headings=tuple(heads[place] for place in used),
        rows=tuple(tuple(row[place] for place in used) for row in rows),
        empty="No window is closed yet.",
    )


def _told(metrics: dict[str, float]) -> list[tuple[str, float]]:
    """What fits a cell: the first few, without the shares of missing values."""
    plain = [(name, value) for name, value in metrics.items() if not name.startswith("missing.")]
    return sorted(plain, key=lambda pair: pair[0] not in ("auc", "brier", "error_rate"))[:4]
