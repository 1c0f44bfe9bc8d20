"""`kedge drift`: detectors on files, without a server."""

from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from kedge.app.commands.tables import print_table
from kedge.core.errors import Invalid, NotFound
from kedge.core.monitors import COLUMN_VERDICT

group = typer.Typer(no_args_is_help=True, help="Drift detectors on files: list, test, run.")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Columns = Annotated[
    list[str], typer.Option("--column", help="The column to read; repeat it for detectors of vectors.")
]


def register(cli: typer.Typer) -> None:
    """Add the group to the command line."""
    cli.add_typer(group, name="drift")


def _files() -> Any:
    # Brings numpy, numba and Arrow (a second), which `kedge up`, sharing this command line, does not wait for.
    return import_module("kedge.monitoring.files")


def _streams() -> Any:
    return import_module("kedge.app.drift_streams")


@group.command("list")
def list_detectors(
    name: Annotated[str | None, typer.Argument(help="A detector, to see its parameters.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the detectors, or what there is to know of one: parameters, what holds false alarms, where it comes from.

    Example: kedge drift list ADWIN
    """
    records = _streams().overview()
    if name is not None:
        records = [record for record in records if record.name.lower() == name.lower()]
        if not records:
            raise NotFound(f"there is no detector {name!r}", hint="`kedge drift list` names them")
    if as_json:
        _print_json(records)
        return
    if name is not None:
        _print_one(records[0])
        return
    table = Table("detector", "reads", "paper", "false alarms")
    for record in records:
        table.add_row(record.name, _reads(record), record.paper, record.false_alarms)
    print_table(table)


def _reads(record: Any) -> str:
    return f"{record.input}, {'one by one' if record.mode == 'streaming' else 'windows'}"


def _print_one(record: Any) -> None:
    table = Table("", record.name)
    table.add_row("question", record.question)
    table.add_row("reads", _reads(record))
    table.add_row("paper", record.paper)
    table.add_row("equations", record.equations)
    table.add_row("false alarms", record.false_alarms)
    table.add_row("cost", record.cost)
    table.add_row("also in", ", ".join(record.libraries) or "-")
    for parameter in record.parameters:
        table.add_row(parameter.name, f"{parameter.constraint}, default {parameter.default!r}")
    print_table(table)


@group.command("test")
def compare(
    current: Annotated[Path, typer.Argument(help="The file to judge (.parquet or .csv).")],
    reference: Annotated[Path, typer.Option(help="The file to compare with.")],
    columns: Annotated[str, typer.Option(help="Columns, with commas between; default all.")] = "",
    detectors: Annotated[str, typer.Option(help="Such as ks,psi,chi2; default those of monitors.")] = "",
    as_json: AsJson = False,
) -> None:
    """Compare two files column by column. A column drifts when all its detectors say so.

    Example: kedge drift test --reference january.parquet july.parquet --detectors ks,psi,chi2
    """
    found = _files().compare_files(reference, current, _listed(columns) or None, _listed(detectors))
    if as_json:
        share = len(found.drifted) / found.columns
        _print_json({"drift_share": share, "drifted": found.drifted, "results": found.results})
        return
    table = Table("column", "detector", "statistic", "p", "threshold", "drift")
    for result in found.results:
        if result.detector == COLUMN_VERDICT:
            continue
        table.add_row(
            result.column,
            result.detector,
            f"{result.statistic:.4g}",
            "" if result.p_value is None else f"{result.p_value:.3g}",
            "" if result.threshold is None else f"{result.threshold:.3g}",
            "drift" if result.drift else "",
        )
    print_table(table)
    Console().print(
        f"{len(found.drifted)} of {found.columns} columns drift: {', '.join(found.drifted) or 'none'}"
    )


@group.command()
def run(
    file: Annotated[Path, typer.Argument(help="A .parquet or .csv file.")],
    *,
    column: Columns,
    detector: Annotated[str, typer.Option(help="Such as ADWIN or PageHinkley.")],
    param: Annotated[list[str] | None, typer.Option(help="A parameter as name=value; repeatable.")] = None,
    reference: Annotated[
        Path | None, typer.Option(help="A file whose rows are the reference; default the first rows.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Draw the stream and its changes into this .png or .svg file.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Feed a column, row by row, to a streaming detector and name the rows where it sees a change.

    Example: kedge drift run --detector ADWIN --param delta=0.01 --column error daily.csv
    """
    given = dict(_parameter(text) for text in param or ())
    found = _streams().run_stream(file, column, detector, given, reference)
    if plot is not None:
        _streams().plot(found, column, plot)
    alarms = [(row, found.values[row].tolist()) for row in found.drifts]
    if as_json:
        told = [{"row": row, "value": value} for row, value in alarms]
        _print_json({"rows": len(found.values), "alarms": told, "warnings": found.warnings})
        return
    for row, value in alarms:
        Console().print(f"row {row}: change (value {_shown(value)})")
    Console().print(f"{len(alarms)} changes in {len(found.values)} rows")


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _parameter(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise Invalid(f"--param {text!r} is not name=value", hint="such as --param delta=0.01")
    try:
        return name, msgspec.json.decode(value)
    except msgspec.DecodeError:
        return name, value


def _shown(value: float | list[float]) -> str:
    return ", ".join(f"{each:g}" for each in value) if isinstance(value, list) else f"{value:g}"


def _print_json(value: Any) -> None:
    # Defaults that are objects (members of ensembles) are shown as the calls that make them.
    typer.echo(msgspec.json.encode(value, enc_hook=repr).decode())
