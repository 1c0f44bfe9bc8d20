"""`kedge data`: dataset versions."""

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from kedge.client.connection import connect
from kedge.client.datasets import dataset, datasets
from kedge.core.errors import Invalid
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
    version = dataset(name).add(source, tag=tag, message=message)
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
    Console().print(table)


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
            shown = (column.minimum, column.mean, column.maximum)
            cells = ["" if v is None else f"{v:.4g}" if isinstance(v, float) else str(v) for v in shown]
            table.add_row(column.name, column.type, str(column.nulls), str(column.distinct or ""), *cells)
        Console().print(table)
        return
    records = [version.record for version in dataset(which).versions()]
    if as_json:
        _json(records)
        return
    table = Table("version", "tag", "content", "rows", "MB", "message")
    for r in records:
        size = f"{r.size_bytes / 1e6:.2f}"
        table.add_row(str(r.number), r.tag or "", r.content_id[:12], f"{r.rows:,}", size, r.message)
    Console().print(table)


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
    version.checkout(folder, force=force)
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
    for name, value in msgspec.structs.asdict(found).items():
        if value not in ((), 0):
            print(f"{name:16} {', '.join(value) if isinstance(value, tuple) else value}")


def _json(value: Any) -> None:
    print(msgspec.json.encode(value).decode())
