"""`kedge deploy`, `kedge endpoints`, `kedge rollback`, `kedge predict`."""

import sys
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.table import Table

from kedge.app.commands.tables import print_table
from kedge.client import deployments as client
from kedge.client.connection import connect
from kedge.core.errors import Invalid

Url = Annotated[str | None, typer.Option(help="The platform's address; default KEDGE_URL.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Name = Annotated[str, typer.Argument(help="The endpoint's name.")]
Reason = Annotated[str, typer.Option(help="Shown in the endpoint's history.")]
Wait = Annotated[bool, typer.Option(help="Return when the model answers.")]


def register(cli: typer.Typer) -> None:
    """Add the commands to the command line."""
    for function in (deploy, endpoints, rollback, predict):
        cli.command()(function)


def deploy(  # noqa: PLR0917 - options of a command, given by name
    name: Name,
    model: Annotated[str, typer.Option(help="The registered model.")],
    alias: Annotated[str | None, typer.Option(help="Its version by alias.")] = None,
    version: Annotated[str | None, typer.Option(help="Its version by number, or `latest`.")] = None,
    reason: Reason = "",
    wait: Wait = True,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Let a registered model version answer on an endpoint.

    Example: kedge deploy delays --model flights --alias champion
    """
    if (alias is None) == (version is None):
        raise Invalid("a deployment names either --alias or --version", hint="for example --alias champion")
    connect(url)
    deployment = client.deploy(name, model=model, version=version, alias=alias, reason=reason, wait=wait)
    _told(deployment, as_json)


def rollback(
    name: Name, reason: Reason = "", wait: Wait = True, url: Url = None, as_json: AsJson = False
) -> None:
    """Go back to the model version that was live before.

    Example: kedge rollback delays --reason "too many false alarms"
    """
    connect(url)
    _told(client.rollback(name, reason=reason, wait=wait), as_json)


def endpoints(
    name: Annotated[str | None, typer.Argument(help="Show the history of this one.")] = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """List the endpoints, or show the history of one.

    Example: kedge endpoints delays
    """
    connect(url)
    if name is not None:
        state = client.endpoint(name).state()
        if as_json:
            _print_json(state)
            return
        table = Table("deployment", "model", "version", "state", "reason", "error")
        for deployment in state.history:
            table.add_row(
                deployment.id,
                deployment.model_name,
                deployment.model_version,
                deployment.state,
                deployment.reason,
                deployment.error or "",
            )
        print_table(table)
        return
    states = client.endpoints()
    if as_json:
        _print_json(states)
        return
    table = Table("endpoint", "model", "version", "state", "address")
    for state in states:
        shown = state.live or state.wanted
        table.add_row(
            state.endpoint.name, shown.model_name, shown.model_version, state.wanted.state, state.url
        )
    print_table(table)


def predict(
    name: Name,
    file: Annotated[Path, typer.Argument(help="Rows: .json (columns or records), .csv or .parquet.")],
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Ask an endpoint about the rows of a file; prints one value a line.

    Example: kedge predict delays flights.parquet
    """
    connect(url)
    with client.endpoint(name) as endpoint:
        prediction = endpoint.ask(read_rows(file))
    values = prediction.values()
    if as_json:
        _print_json({"id": prediction.id, "model_version": prediction.model_version, "predictions": values})
        return
    for value in values:
        print(value)


def read_rows(file: Path) -> Any:
    """The rows of a file as a table or a mapping of columns. Raises Invalid."""
    if not file.is_file():
        raise Invalid(f"{file} is not a file")
    kind = file.suffix.lower()
    try:
        if kind == ".json":
            return _from_json(msgspec.json.decode(file.read_bytes()), file)
        if kind == ".parquet":
            from pyarrow.parquet import read_table  # only this command needs it

            return read_table(file)
        if kind == ".csv":
            from pyarrow.csv import read_csv

            return read_csv(file)
    except (ValueError, OSError) as error:
        raise Invalid(f"{file} cannot be read: {error}") from error
    raise Invalid(f"{file} is neither .json nor .csv nor .parquet")


def _from_json(value: Any, file: Path) -> dict[str, list[Any]]:
    if isinstance(value, dict) and all(isinstance(column, list) for column in value.values()):
        return value
    if isinstance(value, list) and value and all(isinstance(record, dict) for record in value):
        return {name: [record.get(name) for record in value] for name in value[0]}
    raise Invalid(f"{file} holds neither an object of columns nor a list of records")


def _told(deployment: Any, as_json: bool) -> None:
    if as_json:
        _print_json(deployment)
        return
    print(
        f"{deployment.endpoint}: {deployment.model_name} version {deployment.model_version} is {deployment.state}"
    )


def _print_json(value: Any) -> None:
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")
