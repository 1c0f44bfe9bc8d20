"""MLflow runs: the table and one run."""

from kedge.core.services import Services
from kedge.ui import charts, shown, tables
from kedge.ui.blocks import Cell, Chain, Chart, Columns, Facts, Field, Filter, Page, Table

_PER_PAGE = 50
_METRIC_COLUMNS = 5
_STATUSES = (
    ("", "any"),
    ("FINISHED", "finished"),
    ("RUNNING", "running"),
    ("FAILED", "failed"),
    ("KILLED", "killed"),
)


def runs(services: Services, *, search: str, status: str, sort: str, page: int) -> Page:
    """Runs by search, status and order; metrics that the shown runs share become columns."""
    now_ms = services.clock.now_ms()
    page = max(1, page)
    found = services.tracking.runs(
        search=search, status=status, sort=sort, limit=_PER_PAGE, offset=(page - 1) * _PER_PAGE
    )
    total = services.tracking.count_runs(search=search, status=status)
    metrics = _common_metrics([run.metrics for run in found])
    query = {key: value for key, value in (("q", search), ("status", status)) if value}
    columns = [
        ("name", "run"),
        ("experiment", "experiment"),
        ("status", "state"),
        ("start", "when"),
        ("duration", "#took"),
    ]
    columns += [(f"metrics.{name}", f"#{name}") for name in metrics]
    heads = tables.sortable("/runs", query, columns, sort)
    table = tables.tracked_runs(found, now_ms, metrics, heads, services.addresses.web)
    pages = max(1, -(-total // _PER_PAGE))
    links = tuple(
        shown.link(text, shown.to("runs", **query, sort=sort, page=number))
        for text, number in (("previous page", page - 1), ("next page", page + 1))
        if 1 <= number <= pages
    )
    fields = (
        Field(name="q", label="Name, experiment, id or tag", value=search),
        Field(name="status", label="State", value=status, options=_STATUSES),
        Field(name="sort", label="", value=sort, hidden=True),
    )
    title = f"{total:,} runs, page {page} of {pages}"
    shown_table = Table(
        title=title,
        headings=table.headings,
        rows=table.rows,
        empty="No run is like that." if search or status else table.empty,
        command="" if search or status else table.command,
        links=links,
    )
    return Page(title="Runs", section="runs", blocks=(Filter(action="/runs", fields=fields), shown_table))


def _common_metrics(found: list[dict[str, float]]) -> list[str]:
    counts: dict[str, int] = {}
    for metrics in found:
        for name in metrics:
            counts[name] = counts.get(name, 0) + 1
    # The commonest, and of those equally common the shortest names, which are the plain ones.
    return sorted(counts, key=lambda name: (-counts[name], len(name), name))[:_METRIC_COLUMNS]


def run(services: Services, run_id: str) -> Page:
    """Parameters, metrics with their history, tags, and what the run came from and led to."""
    now_ms = services.clock.now_ms()
    found = services.tracking.get_run(run_id)
    reports = services.reports.reports(mlflow_run_id=run_id)
    versions = services.tracking.versions_of_run(run_id)
    pipeline = found.tags.get("kedge.pipeline_run", "")
    links = []
    if pipeline:
        for used in dict.fromkeys(use.dataset_version_id for use in services.datasets.uses_of_run(pipeline)):
            data = services.datasets.get_by_id(used)
            text = f"{data.dataset}@{data.tag or data.number}"
            links.append(("data", shown.link(text, shown.to("datasets", data.dataset, data.number))))
        links.append(("pipeline run", shown.short(pipeline, shown.to("pipelines", pipeline))))
    links.append(("MLflow run", Cell(text=found.name or run_id)))
    links += [
        ("model version", shown.link(f"{v.name} v{v.version}", shown.to("models", v.name))) for v in versions
    ]
    metrics = tuple((Cell(text=name), shown.figure(value)) for name, value in sorted(found.metrics.items()))
    params = tuple((name, Cell(text=value)) for name, value in sorted(found.params.items()))
    tags = tuple((name, Cell(text=value)) for name, value in sorted(found.tags.items()))
    facts = Facts(
        rows=(
            ("experiment", Cell(text=found.experiment)),
            ("started", Cell(text=shown.moment(found.start_ms))),
            ("took", shown.span(found.start_ms, found.end_ms)),
            ("user", Cell(text=found.user)),
            ("artifacts", Cell(text=found.artifact_uri, mono=True)),
            ("in MLflow", shown.link("open", f"/mlflow/#/experiments/{found.experiment_id}/runs/{run_id}")),
        )
    )
    blocks = [
        Chain(title="Lineage", links=tuple(links)),
        facts,
        Columns(
            blocks=(
                Table(
                    title="Metrics",
                    headings=tables.headings("metric", "#latest"),
                    rows=metrics,
                    empty="None logged.",
                ),
                Facts(title="Parameters", rows=params),
            )
        ),
        *_histories(services, run_id, sorted(found.metrics)),
        tables.reports(reports, now_ms),
        Facts(title="Tags", rows=tags),
    ]
    return Page(
        title=found.name or run_id,
        section="runs",
        crumbs=(shown.link("Runs", "/runs"),),
        tags=(shown.state(found.status), shown.short(run_id)),
        blocks=tuple(blocks),
    )


def _histories(services: Services, run_id: str, names: list[str]) -> list[Chart]:
    """A chart for each metric with more than one point, of the first twelve."""
    made = []
    for name in names[:12]:
        points = services.tracking.metric_history(run_id, name)
        if len(points) > 1:
            x = [float(point.step) for point in points]
            made.append(charts.chart(name, x, [(name, [point.value for point in points], "y")], kind="step"))
    return made
