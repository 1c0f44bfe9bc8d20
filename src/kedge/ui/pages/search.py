"""Search over the names of everything."""

from kedge.core.services import Services
from kedge.ui import shown, tables
from kedge.ui.blocks import Cell, Page, Table

_MOST = 20


def search(services: Services, text: str) -> Page:
    """Datasets, models, endpoints, monitors, pipelines and runs whose name or id holds `text`."""
    wanted = text.strip().lower()
    rows: list[tuple[Cell, ...]] = []
    if wanted:
        named = [
            ("dataset", [(d.name, shown.to("datasets", d.name)) for d in services.datasets.datasets()]),
            ("model", [(m.name, shown.to("models", m.name)) for m in services.tracking.models()]),
            ("endpoint", [(e.name, shown.to("endpoints", e.name)) for e in services.deployments.endpoints()]),
            ("monitor", [(m.name, shown.to("monitors", m.name)) for m in services.monitors.monitors()]),
            (
                "pipeline run",
                [
                    (f"{r.pipeline} {r.id}", shown.to("pipelines", r.id))
                    for r in services.pipelines.runs(limit=1000)
                ],
            ),
            ("alert", [(a.message, shown.to("alerts", a.id)) for a in services.monitors.alerts(limit=1000)]),
        ]
        runs = services.tracking.runs(search=text.strip(), limit=_MOST)
        for what, pairs in named:
            matches = [pair for pair in pairs if wanted in pair[0].lower()][:_MOST]
            rows += [(Cell(text=what, tone="quiet"), shown.link(name, href)) for name, href in matches]
        rows += [
            (
                Cell(text="MLflow run", tone="quiet"),
                shown.link(run.name or run.run_id, shown.to("runs", run.run_id)),
            )
            for run in runs
        ]
    empty = "Nothing is called so." if wanted else "Type a name, or a part of one."
    table = Table(
        title=f"{len(rows)} found", headings=tables.headings("what", "name"), rows=tuple(rows), empty=empty
    )
    return Page(title=f"Search: {text}" if text else "Search", blocks=(table,))
