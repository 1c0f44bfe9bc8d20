"""Datasets, their versions, and what a version holds."""

from kedge.core.datasets import ColumnProfile, DatasetVersion
from kedge.core.services import Services
from kedge.data.diff import diff
from kedge.ui import charts, shown, tables
from kedge.ui.blocks import Cell, Columns, Facts, Field, Filter, Page, Table


def datasets(services: Services) -> Page:
    """All datasets."""
    now_ms = services.clock.now_ms()
    rows = tuple(
        (
            shown.link(each.name, shown.to("datasets", each.name)),
            shown.count(each.versions),
            Cell(text=each.latest_tag or ""),
            shown.count(each.rows),
            shown.size(each.size_bytes),
            shown.ago(each.updated_ms, now_ms),
        )
        for each in services.datasets.datasets()
    )
    heads = tables.headings("dataset", "#versions", "latest tag", "#rows", "#size", "updated")
    table = Table(
        headings=heads, rows=rows, empty="No dataset yet:", command="kedge data add NAME file.parquet"
    )
    return Page(title="Datasets", section="datasets", blocks=(table,))


def dataset(services: Services, name: str) -> Page:
    """The versions of a dataset."""
    now_ms = services.clock.now_ms()
    versions = services.datasets.versions(name)
    rows = tuple(
        (
            shown.link(f"{name}@{v.number}", shown.to("datasets", name, v.number)),
            Cell(text=v.tag or ""),
            Cell(text=v.content_id[:12], mono=True, title=v.content_id),
            shown.count(v.rows),
            shown.size(v.size_bytes),
            Cell(text=v.message),
            shown.ago(v.created_ms, now_ms),
        )
        for v in versions
    )
    heads = tables.headings("version", "tag", "content", "#rows", "#size", "message", "made")
    rows_chart = charts.chart(
        "Rows by version",
        [float(v.number) for v in reversed(versions)],
        [("rows", [float(v.rows) for v in reversed(versions)], "y")],
        kind="step",
    )
    blocks = (
        Table(title="Versions", headings=heads, rows=rows),
        *((rows_chart,) if len(versions) > 1 else ()),
    )
    return Page(title=name, section="datasets", crumbs=(shown.link("Datasets", "/datasets"),), blocks=blocks)


def version(services: Services, found: DatasetVersion, other: str) -> Page:
    """Columns, files, uses of one version; with `other`, what differs from it."""
    name = found.dataset
    now_ms = services.clock.now_ms()
    uses = dict.fromkeys(
        (use.pipeline_run_id, use.step) for use in services.datasets.uses_of_version(found.id)
    )
    use_rows = []
    for run_id, step in uses:
        run = services.pipelines.get_run(run_id)
        use_rows.append(
            (
                shown.link(run.pipeline, shown.to("pipelines", run_id)),
                Cell(text=step),
                shown.state(run.state),
                shown.ago(run.created_ms, now_ms),
            )
        )
    facts = Facts(
        rows=(
            ("version id", Cell(text=found.id, mono=True)),
            ("content", Cell(text=found.content_id, mono=True)),
            ("made", Cell(text=shown.moment(found.created_ms))),
            ("rows", shown.count(found.rows)),
            ("size", shown.size(found.size_bytes)),
            ("message", Cell(text=found.message)),
            (
                "get it",
                Cell(text=f"kedge data checkout {name}@{found.tag or found.number} ./folder", mono=True),
            ),
        )
    )
    versions = services.datasets.versions(name)
    options = (
        ("", "nothing"),
        *((str(v.number), f"{v.number} {v.tag or ''}") for v in versions if v.id != found.id),
    )
    path = shown.to("datasets", name, found.number)
    choose = Filter(
        action=path, fields=(Field(name="with", label="Compare with", value=other, options=options),)
    )
    blocks: list[object] = [facts, choose, *_difference(services, found, other), _profile(found.columns)]
    blocks.append(Columns(blocks=(_files(found), _uses(tuple(use_rows)))))
    return Page(
        title=f"{name}@{found.tag or found.number}",
        section="datasets",
        crumbs=(shown.link("Datasets", "/datasets"), shown.link(name, shown.to("datasets", name))),
        blocks=tuple(blocks),
    )


def _difference(services: Services, found: DatasetVersion, other: str) -> list[Facts | Table]:
    if not other:
        return []
    old = services.datasets.get(found.dataset, other)
    change = diff(old, found)
    rows = [("rows", Cell(text=f"{change.rows:+,}")), ("bytes", Cell(text=f"{change.size_bytes:+,}"))]
    for what in (
        "files_added",
        "files_removed",
        "files_changed",
        "columns_added",
        "columns_removed",
        "columns_retyped",
    ):
        names: tuple[str, ...] = getattr(change, what)
        rows.append(
            (what.replace("_", " "), Cell(text=", ".join(names) or "none", tone="" if names else "quiet"))
        )
    changed = sorted(change.columns_changed, key=lambda each: -(each.distance or 0.0))
    columns = tuple((Cell(text=each.name), shown.figure(each.distance, 3)) for each in changed)
    heads = tables.headings("column", "#distance of its values, 0 to 1")
    return [
        Facts(title=f"From version {old.number} to {found.number}", rows=tuple(rows)),
        Table(
            title="Columns that differ", headings=heads, rows=columns, empty="Every column holds the same."
        ),
    ]


def _profile(columns: tuple[ColumnProfile, ...]) -> Table:
    rows = tuple(
        (
            Cell(text=column.name),
            Cell(text=column.type, tone="quiet"),
            Cell(spark=charts.histogram(column.bins, column.counts), title=f"histogram of {column.name}"),
            shown.count(column.nulls),
            shown.count(column.distinct) if column.distinct is not None else Cell(),
            *(_bound(value) for value in (column.minimum, column.mean, column.maximum)),
            Cell(text=", ".join(f"{value} {count:,}" for value, count in column.top[:4]), tone="quiet"),
        )
        for column in columns
    )
    heads = tables.headings(
        "column", "type", "values", "#nulls", "#distinct", "#min", "#mean", "#max", "commonest"
    )
    return Table(title="Columns", headings=heads, rows=rows, empty="No table in this version.")


def _bound(value: float | str | None) -> Cell:
    return shown.figure(value) if isinstance(value, float | int) else Cell(text=value or "", number=True)


def _files(found: DatasetVersion) -> Table:
    rows = tuple(
        (
            Cell(text=f.path),
            shown.size(f.size_bytes),
            Cell(text=f.object_id[:12], mono=True, title=f.object_id),
        )
        for f in found.files
    )
    return Table(title="Files", headings=tables.headings("path", "#size", "content"), rows=rows)


def _uses(rows: tuple[tuple[Cell, ...], ...]) -> Table:
    return Table(
        title="Read by",
        headings=tables.headings("pipeline", "step", "state", "when"),
        rows=rows,
        empty="No run.",
    )
