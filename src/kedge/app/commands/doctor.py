"""`kedge doctor`: is everything well here, and how to mend what is not."""

import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.table import Table

from kedge.app.commands.tables import print_table
from kedge.app.config import read_config
from kedge.app.doctor import examine
from kedge.core.clock import SystemClock


def register(cli: typer.Typer) -> None:
    """Add the command."""
    cli.command()(doctor)


def doctor(
    home: Annotated[
        Path | None, typer.Option(help="The data directory.", show_default="./kedge-data")
    ] = None,
    port: Annotated[int | None, typer.Option(help="Of web.", show_default="5000")] = None,
    serving_port: Annotated[int | None, typer.Option(help="Of serving.", show_default="8080")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check ports, disk, database, clock and extras; exit status 1 when something is not well.

    Example: kedge doctor --home ./kedge-data
    """
    findings = examine(read_config({"home": home, "port": port, "serving_port": serving_port}), SystemClock())
    if as_json:
        print(msgspec.json.encode(findings).decode())
    else:
        table = Table()
        for heading in ("", "check", "seen", "to mend"):
            table.add_column(heading, overflow="fold")
        marks = {True: "[green]ok[/]", False: "[red]mend[/]", None: "note"}
        for finding in findings:
            table.add_row(
                marks[finding.well], finding.check, finding.seen, "" if finding.well else finding.mend
            )
        print_table(table)
    if any(finding.well is False for finding in findings):
        sys.exit(1)
