"""`kedge run`: submit a pipeline and follow it."""

import sys
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table

from kedge.client.connection import connect
from kedge.client.pipelines import RunView, submit
from kedge.core.errors import Invalid

_COLOURS = {"succeeded": "green", "cached": "cyan", "running": "yellow", "failed": "red", "skipped": "dim"}


def register(cli: typer.Typer) -> None:
    """Add the command."""
    cli.command()(run)


def run(
    pipeline: Annotated[str, typer.Argument(help="path/to/file.py:function or package.module:function")],
    param: Annotated[
        list[str] | None, typer.Option("--param", "-p", help="key=value; JSON where it parses.")
    ] = None,
    detach: Annotated[bool, typer.Option(help="Return when it is queued.")] = False,
    url: Annotated[str | None, typer.Option(help="The platform's address; default KEDGE_URL.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the ended run as JSON.")] = False,
) -> None:
    """Run a pipeline on the platform's worker; exit status 1 when it does not succeed.

    Example: kedge run examples/flights/pipelines.py:train -p 'months=["2013-01"]'
    """
    handle_url = connect(url).url
    handle = submit(pipeline, **_params(param or []))
    page = f"{handle_url}/pipelines/{handle.id}"
    if detach:
        print(msgspec.json.encode({"id": handle.id, "url": page}).decode() if as_json else page)
        return
    console = Console(stderr=True)
    console.print(f"run {handle.id}  {page}")
    if console.is_terminal:
        with Live(console=console, refresh_per_second=8) as live:
            ended = handle.wait(on_change=lambda view: live.update(_table(view)))
    else:
        ended = handle.wait(on_change=_Lines(console))
    if as_json:
        view = handle.view()
        print(msgspec.json.encode(view).decode())
    elif ended.state == "succeeded":
        console.print(f"[green]succeeded[/]: {msgspec.json.encode(ended.result).decode()}")
    if ended.state != "succeeded":
        for step in handle.view().steps:
            if step.state == "failed" and step.error:
                console.print(f"\n[red]{step.name}[/]\n{step.error}", markup=False, highlight=False)
        console.print(f"{ended.state}: {ended.error}", markup=False)
        sys.exit(1)


class _Lines:
    """Prints each change of a step's state once."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._seen: dict[str, str] = {}

    def __call__(self, view: RunView) -> None:
        for step in view.steps:
            if self._seen.get(step.name) != step.state:
                self._seen[step.name] = step.state
                self._console.print(
                    f"{step.name}: {step.state} {step.cache_note}", markup=False, highlight=False
                )


def _table(view: RunView) -> Table:
    table = Table(title=f"{view.run.pipeline}: {view.run.state}", title_justify="left")
    for heading in ("step", "state", "seconds", "note"):
        table.add_column(heading)
    for step in view.steps:
        took = (step.ended_ms - step.started_ms) / 1000 if step.ended_ms and step.started_ms else None
        colour = _COLOURS.get(step.state, "white")
        table.add_row(
            step.name,
            f"[{colour}]{step.state}[/]",
            f"{took:.1f}" if took is not None else "",
            step.cache_note,
        )
    return table


def _params(texts: list[str]) -> dict[str, Any]:
    params = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key.isidentifier():
            raise Invalid(f"--param {text!r}: write key=value", hint="for example -p alpha=0.1")
        try:
            params[key] = msgspec.json.decode(value)
        except msgspec.DecodeError:
            params[key] = value
    return params
