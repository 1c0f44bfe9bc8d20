"""`kedge drift`: detectors on files, without a server."""

from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from kedge.core.errors import Invalid
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
def list_detectors(as_json: AsJson = False) -> None:
    """List the detectors: what they read, how they hold false alarms, where they come from, their parameters.

    Example: kedge drift list
    """
    records = _streams().overview()
    if as_json:
        _print_json(records)
        return
    table = Table("detector", "reads", "false alarms", "paper", "parameters", show_lines=True)
    for record in records:
        parameters = "\n".join(f"{each.name}: {each.constraint}" for each in record.parameters)
        reads = f"{record.input}, {'one by one' if record.mode == 'streaming' else 'windows'}"
        table.add_row(record.name, reads, record.false_alarms, record.paper, parameters)
    Console().print(table)


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
    Console().print(table)
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
