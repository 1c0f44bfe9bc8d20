"""`kedge run`: submit a pipeline and follow it."""

import sys
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from kedge.client.connection import connect
from kedge.client.pipelines import RunHandle, RunView, submit
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

    Example: kedge run examples/flights/flows.py:learn -p 'versions=["4f1c2a9be03d"]'
    """
    handle_url = connect(url).url
    handle = submit(pipeline, **_params(param or []))
    page = f"{handle_url}/pipelines/{handle.id}"
    if detach:
        print(msgspec.json.encode({"id": handle.id, "url": page}).decode() if as_json else page)
        return
    console = Console(stderr=True)
    console.print(f"run {handle.id}  {page}", highlight=False)
    try:
        ended = _followed(handle, console)
    except KeyboardInterrupt:
        console.print(f"\nthe run goes on; see or cancel it at {page}", markup=False)
        sys.exit(130)
    _tell(ended, console, as_json=as_json)
    if ended.run.state != "succeeded":
        sys.exit(1)


def _followed(handle: RunHandle, console: Console) -> RunView:
    if not console.is_terminal:
        handle.wait(on_change=_Lines(console))
        return handle.view()
    with Live(console=console, refresh_per_second=8) as live:
        handle.wait(on_change=lambda view: live.update(_table(view)))
    return handle.view()


def _tell(ended: RunView, console: Console, *, as_json: bool) -> None:
    run = ended.run
    if as_json:
        print(msgspec.json.encode(ended).decode())
    for step in ended.steps:
        if step.state == "failed":
            console.print(Text(f"\n{step.name}", style="red"))
            console.print(step.error, markup=False, highlight=False, soft_wrap=True)
    if run.state == "succeeded":
        console.print(
            Text("succeeded", style="green"), msgspec.json.encode(run.result).decode(), markup=False
        )
    else:
        console.print(f"\n{run.state}: {run.error}", markup=False, highlight=False, soft_wrap=True)


class _Lines:
    """Prints each change of a step's state once."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._seen: dict[str, str] = {}

    def __call__(self, view: RunView) -> None:
        for step in view.steps:
            if self._seen.get(step.name) != step.state:
                self._seen[step.name] = step.state
                line = f"{step.name}: {step.state}" + (f" ({step.cache_note})" if step.cache_note else "")
                self._console.print(line, markup=False, highlight=False, soft_wrap=True)


def _table(view: RunView) -> Table:
    table = Table(title=f"{view.run.pipeline}: {view.run.state}", title_justify="left")
    for heading in ("step", "state", "seconds", "note"):
        table.add_column(heading)
    for step in view.steps:
        took = (step.ended_ms - step.started_ms) / 1000 if step.ended_ms and step.started_ms else None
        state = Text(step.state, style=_COLOURS.get(step.state, ""))
        table.add_row(
            Text(step.name), state, f"{took:.1f}" if took is not None else "", Text(step.cache_note)
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
