"""`kedge config`: every value and where it comes from."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.table import Table

from kedge.app.commands.tables import print_table
from kedge.app.config import OPTIONS, read_config


def register(cli: typer.Typer) -> None:
    """Add the command."""
    cli.command()(config)


def config(
    file: Annotated[
        Path | None, typer.Option("--config", help="Read this file instead of ./kedge.toml.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print the configuration with the origin of each value.

    Example: KEDGE_PORT=5001 kedge config
    """
    found = read_config({}, file)
    values = found.values()
    if as_json:
        rows = {key: {"value": value, "origin": found.origins[key]} for key, value in values.items()}
        print(msgspec.json.encode(rows).decode())
        return
    table = Table()
    for heading in ("key", "value", "origin", "variable", "rule"):
        table.add_column(heading, overflow="fold")
    for option in OPTIONS:
        table.add_row(
            option.key, str(values[option.key]), found.origins[option.key], option.variable, option.rule
        )
    print_table(table)
