"""`kedge drift`: detectors on files, without a server."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from kedge.app.commands.tables import print_table
from kedge.core.errors import Invalid, NotFound
from kedge.core.monitors import COLUMN_VERDICT
from kedge.monitoring.specs import DETECTORS as OF_MONITORS

group = typer.Typer(no_args_is_help=True, help="Drift detectors on files: list, test, run.")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Columns = Annotated[
    list[str], typer.Option("--column", help="The column to read; repeat it for detectors of vectors.")
]


def register(cli: typer.Typer) -> None:
    """Add the group to the command line."""
    cli.add_typer(group, name="drift")


class CorrectionOption(StrEnum):
    """How false alarms are held over many columns."""

    bh = "bh"
    holm = "holm"
    bonferroni = "bonferroni"
    none = "none"


class MissingOption(StrEnum):
    """What rows without a value do."""

    stop = "raise"
    skip = "skip"


def _tests() -> Any:
    # Brings numpy, numba and Arrow (a second), which `kedge up`, sharing this command line, does not wait for.
    return import_module("kedge.monitoring.file_tests")


def _streams() -> Any:
    return import_module("kedge.app.drift_streams")


def _plots() -> Any:
    return import_module("kedge.app.drift_plots")


@group.command("list")
def list_detectors(
    name: Annotated[
        str | None, typer.Argument(help="A detector, to see its parameters; short names such as ks will do.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the detectors, or what there is to know of one: parameters, what holds false alarms, where it comes from.

    Example: kedge drift list ADWIN
    """
    try:
        records = _streams().overview(name)
    except Invalid as error:
        raise NotFound(f"there is no detector {name!r}", hint=error.hint) from error
    if as_json:
        _print_json(records)
        return
    if name is not None:
        _print_one(records[0])
        return
    table = Table("detector", "reads", "for", "paper", "false alarms")
    for record in records:
        table.add_row(record.name, _reads(record), _serves(record), record.paper, record.false_alarms)
    print_table(table)


def _reads(record: Any) -> str:
    return f"{record.input}, {'one by one' if record.mode == 'streaming' else 'windows'}"


def _serves(record: Any) -> str:
    """Where its name is taken: by a command, and by monitors of drift or of streams."""
    command, kind = ("drift run", "stream") if record.mode == "streaming" else ("drift test", "drift")
    return f"{command}, {kind} monitors" if record.name in OF_MONITORS else command


def _print_one(record: Any) -> None:
    table = Table("", record.name)
    table.add_row("question", record.question)
    table.add_row("reads", _reads(record))
    table.add_row("for", _serves(record))
    table.add_row("paper", record.paper)
    table.add_row("equations", record.equations)
    table.add_row("false alarms", record.false_alarms)
    if record.threshold:
        table.add_row("threshold", f"{record.threshold}; {record.stricter} values alarm more rarely")
    table.add_row("cost", record.cost)
    table.add_row("also in", ", ".join(record.libraries) or "-")
    for parameter in record.parameters:
        table.add_row(parameter.name, f"{parameter.constraint}, default {parameter.default!r}")
    print_table(table)


@group.command("test")
def compare(  # noqa: PLR0913 - options of a command, given by name
    current: Annotated[Path, typer.Argument(help="The file to judge (.parquet or .csv).")],
    *,
    reference: Annotated[Path, typer.Option(help="The file to compare with.")],
    columns: Annotated[str, typer.Option(help="Columns, with commas between; default those of both.")] = "",
    detectors: Annotated[
        str, typer.Option(help="Names, whole or short, such as ks,psi,mmd; default those of monitors.")
    ] = "",
    param: Annotated[
        list[str] | None,
        typer.Option(
            help="alpha=0.01 for every detector that has it, MMD.permutations=500 for one; repeatable."
        ),
    ] = None,
    correction: Annotated[
        CorrectionOption,
        typer.Option(
            help="Of one detector's p-values over the columns: Benjamini-Hochberg, Holm, Bonferroni, none."
        ),
    ] = CorrectionOption.bh,
    categorical: Annotated[
        str, typer.Option(help="Columns of numbers to read as categories, with commas between.")
    ] = "",
    label: Annotated[
        str | None, typer.Option(help="The column with the class, for detectors of labelled rows.")
    ] = None,
    missing: Annotated[
        MissingOption | None,
        typer.Option(
            help="What rows without a value do. Default: raise; without --detectors as in monitors, "
            "where they are left out of numbers and a category of their own in text."
        ),
    ] = None,
    sample: Annotated[
        int,
        typer.Option(
            help="Rows drawn from each file for detectors of rows; 0 is all. Most take time by its square."
        ),
    ] = 0,
    fail_on_drift: Annotated[
        bool, typer.Option("--fail-on-drift", help="Exit with status 1 when there is drift.")
    ] = False,
    plot: Annotated[
        Path | None, typer.Option(help="Draw the columns of both files into this .png or .svg file.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare two files by any batch detectors (`kedge drift list`): columns one by one, rows of columns together.

    Detectors of single values test every column of their kind: numbers, or text and booleans. A column drifts when all
    its detectors say so. Detectors of rows (MMD, LSDD, kdq-tree, ...) test all numeric columns together, in the order of
    --columns, each standardised by its mean and deviation in both files together, so that permutation p-values stay exact
    (a bandwidth counts in such deviations).

    The exit status is 0 whether or not there is drift, unless --fail-on-drift is given, and 1 where nothing could be
    compared; why is then told on standard error.

    Example: kedge drift test --reference january.parquet july.parquet --detectors ks,psi,mmd --param MMD.permutations=500
    """
    choice, names = import_module("kedge.monitoring.choice"), _listed(detectors)
    params = [_parameter(text) for text in param or ()]
    chosen = choice.chosen(names, params) if names else choice.of_monitors(params)
    if plot is not None:
        _plots().check_target(plot)
    asked = import_module("kedge.monitoring.file_columns").Asked(
        columns=tuple(_listed(columns)),
        categorical=tuple(_listed(categorical)),
        label=label,
        sample=sample,
        missing=missing.value if missing else "raise" if names else "monitors",
    )
    with _progress() as told:
        found = _tests().compare_files(
            reference, current, chosen, asked, correction=correction.value, told=told
        )
    if plot is not None:
        _plots().plot_columns(found.histograms, found.drifted, plot)
    if as_json:
        _print_json(found)
    else:
        _print_comparison(found, named=bool(names))
    if fail_on_drift and found.drift:
        raise typer.Exit(1)


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """What is being done and since when, on a terminal, until it is done."""
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=None)
        yield lambda text: progress.update(task, description=text)


def _print_comparison(found: Any, *, named: bool) -> None:
    table = Table("column", "detector", "statistic", "p", "threshold", "drift")
    for result in found.results:
        if result.detector != COLUMN_VERDICT:
            table.add_row(
                result.column,
                result.detector,
                f"{result.statistic:.4g}",
                "" if result.p_value is None else f"{result.p_value:.3g}",
                f"{result.threshold:.3g}",
                "drift" if result.drift else "",
            )
    print_table(table)
    out = Console(highlight=False, soft_wrap=True, markup=False)
    for name, why in found.left_out.items():
        out.print(f"left out: {name} ({why})")
    for name, (before, after) in found.missing.items():
        out.print(f"rows without a value: {name}, {before} in the reference and {after} in the other file")
    for name in found.idle if named else ():
        out.print(f"not used: {name}, there is no column that it reads")
    out.print(_tests().verdict(found))


@group.command()
def run(
    file: Annotated[Path, typer.Argument(help="A .parquet or .csv file.")],
    *,
    column: Columns,
    detector: Annotated[str, typer.Option(help="Such as ADWIN or PageHinkley, or short: ph.")],
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
    if plot is not None:
        _plots().check_target(plot)
    found = _streams().run_stream(file, column, detector, given, reference)
    if plot is not None:
        _plots().plot_stream(found, column, plot)
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
        return name, _as_python(value)


def _as_python(text: str) -> Any:
    """Numbers as Python writes them, such as .25, 1_000 or 5., and all else as text; not NaN and infinities."""
    for kind in (int, float):
        try:
            number = kind(text)
            if math.isfinite(number):
                return number
        except (ValueError, OverflowError):
            continue
    return text


def _shown(value: float | list[float]) -> str:
    return ", ".join(f"{each:g}" for each in value) if isinstance(value, list) else f"{value:g}"


def _print_json(value: Any) -> None:
    # Defaults that are objects (members of ensembles) are shown as the calls that make them.
    typer.echo(msgspec.json.encode(value, enc_hook=repr).decode())
