"""`kedge data`: dataset versions."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table

from kedge.app.commands.tables import print_table
from kedge.client.connection import connect
from kedge.client.datasets import dataset, datasets, source_bytes
from kedge.client.transfers import OnBytes
from kedge.core.errors import Invalid
from kedge.data.diff import ColumnChange
from kedge.data.diff import diff as compare

Name = Annotated[str, typer.Argument(help="The dataset; `name@ref` names a version by tag, number or id.")]
Url = Annotated[str | None, typer.Option(help="The platform's address; default KEDGE_URL.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(cli: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help="Dataset versions: add, list, show, checkout, diff.", no_args_is_help=True)
    for name, function in (
        ("add", add),
        ("list", listed),
        ("show", show),
        ("checkout", checkout),
        ("diff", diff),
    ):
        group.command(name)(function)
    cli.add_typer(group, name="data")


def add(  # noqa: PLR0917 - options of a command, given by name
    name: Name,
    source: Annotated[Path, typer.Argument(help="A .parquet or .csv file, or a folder.")],
    tag: Annotated[str | None, typer.Option(help="A name for the version.")] = None,
    message: Annotated[str, typer.Option("--message", "-m", help="What it is.")] = "",
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Record a version of a dataset.

    Example: kedge data add flights january.parquet --tag 2013-01
    """
    connect(url)
    if not source.exists():
        raise Invalid(f"there is no file or folder {source}")
    with _progress(f"adding {source}", source_bytes(source)) as on_bytes:
        version = dataset(name).add(source, tag=tag, message=message, on_bytes=on_bytes)
    if as_json:
        _json(version.record)
    else:
        print(f"{name}@{version.number} {version.record.content_id[:12]} {version.rows:,} rows")


def listed(url: Url = None, as_json: AsJson = False) -> None:
    """List the datasets.

    Example: kedge data list
    """
    connect(url)
    found = datasets()
    if as_json:
        _json(found)
        return
    table = Table("dataset", "versions", "latest", "rows", "MB")
    for each in found:
        table.add_row(
            each.name,
            str(each.versions),
            each.latest_tag or "",
            f"{each.rows:,}",
            f"{each.size_bytes / 1e6:.2f}",
        )
    print_table(table)


def show(name: Name, url: Url = None, as_json: AsJson = False) -> None:
    """Show the versions of a dataset, or the columns of one version.

    Example: kedge data show flights@2013-01
    """
    connect(url)
    which, at, ref = name.partition("@")
    if at:
        record = dataset(which).version(ref).record
        if as_json:
            _json(record)
            return
        table = Table(
            "column", "type", "nulls", "distinct", "min", "mean", "max", title=f"{which}@{record.number}"
        )
        for column in record.columns:
            counts = (str(column.nulls), _cell(column.distinct))
            cells = [_cell(value) for value in (column.minimum, column.mean, column.maximum)]
            table.add_row(escape(column.name), escape(column.type), *counts, *cells)
        print_table(table)
        return
    records = [version.record for version in dataset(which).versions()]
    if as_json:
        _json(records)
        return
    table = Table("version", "tag", "content", "rows", "MB", "message")
    for r in records:
        size = f"{r.size_bytes / 1e6:.2f}"
        table.add_row(str(r.number), r.tag or "", r.content_id[:12], f"{r.rows:,}", size, escape(r.message))
    print_table(table)


def checkout(
    name: Name,
    folder: Annotated[Path, typer.Argument(help="Made; must not be there, or be empty.")],
    force: Annotated[bool, typer.Option(help="Replace a folder that is not empty.")] = False,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Write the files of a version.

    Example: kedge data checkout flights@2013-01 ./january
    """
    connect(url)
    which, _, ref = name.partition("@")
    version = dataset(which).version(ref or "latest")
    with _progress(f"writing {folder}", version.record.size_bytes) as on_bytes:
        version.checkout(folder, force=force, on_bytes=on_bytes)
    if as_json:
        _json({"folder": str(folder), "version": version.record})
    else:
        print(f"{which}@{version.number} -> {folder}")


def diff(
    old: Annotated[str, typer.Argument(help="name@ref")],
    new: Annotated[str, typer.Argument(help="name@ref")],
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Compare two versions.

    Example: kedge data diff flights@2013-01 flights@2013-02
    """
    connect(url)
    records = []
    for text in (old, new):
        which, _, ref = text.partition("@")
        records.append(dataset(which).version(ref or "latest").record)
    found = compare(*records)
    if as_json:
        _json(found)
        return
    print(f"{old} -> {new}: {found.rows:+,} rows, {found.size_bytes:+,} bytes")
    for what in _LISTS:
        names: tuple[str, ...] = getattr(found, what)
        if names:
            print(f"{what.replace('_', ' ')}: {', '.join(names)}")
    if found.columns_changed:
        print_table(_changes(found.columns_changed))


_LISTS = (
    "files_added",
    "files_removed",
    "files_changed",
    "columns_added",
    "columns_removed",
    "columns_retyped",
)


def _changes(columns: Sequence[ColumnChange]) -> Table:
    table = Table("column", "nulls", "distinct", "min", "mean", "max", "distance")
    for each in columns:
        pairs = (each.nulls, each.distinct, each.minimum, each.mean, each.maximum)
        distance = "" if each.distance is None else f"{each.distance:.3f}"
        table.add_row(escape(each.name), *(_pair(*pair) for pair in pairs), distance)
    return table


def _pair(old: float | str | None, new: float | str | None) -> str:
    return _cell(old) if old == new else f"{_cell(old)} -> {_cell(new)}"


def _cell(value: float | str | None) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else escape(str(value))


@contextlib.contextmanager
def _progress(what: str, size_bytes: int) -> Iterator[OnBytes]:
    """A bar on a terminal, nothing elsewhere."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(escape(what), total=size_bytes)
        yield lambda length: progress.advance(task, length)


def _json(value: Any) -> None:
    print(msgspec.json.encode(value).decode())
