"""`kedge run`: submit a pipeline and follow it; `kedge runs` and `kedge cancel`: those that there are."""

import sys
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from kedge.app.commands.tables import moment, print_table
from kedge.client.connection import connect
from kedge.client.pipelines import RunHandle, RunView, pipeline_runs, submit
from kedge.core.errors import Invalid

Url = Annotated[str | None, typer.Option(help="The platform's address; default KEDGE_URL.")]

_COLOURS = {"succeeded": "green", "cached": "cyan", "running": "yellow", "failed": "red", "skipped": "dim"}


def register(cli: typer.Typer) -> None:
    """Add the commands."""
    for function in (run, runs, cancel):
        cli.command()(function)


def run(
    pipeline: Annotated[str, typer.Argument(help="path/to/file.py:function or package.module:function")],
    param: Annotated[
        list[str] | None, typer.Option("--param", "-p", help="key=value; JSON where it parses.")
    ] = None,
    detach: Annotated[bool, typer.Option(help="Return when it is queued.")] = False,
    url: Url = None,
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


def runs(
    run_id: Annotated[str | None, typer.Argument(help="Show the steps of this one.")] = None,
    pipeline: Annotated[str | None, typer.Option(help="Of this pipeline alone.")] = None,
    url: Url = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List pipeline runs, newest first, or show the steps of one.

    Example: kedge runs --pipeline learn
    """
    connect(url)
    if run_id is not None:
        view = RunHandle(run_id).view()
        if as_json:
            print(msgspec.json.encode(view).decode())
            return
        print_table(_table(view))
        if view.run.error:
            print(view.run.error)
        return
    found = pipeline_runs(pipeline)
    if as_json:
        print(msgspec.json.encode(found).decode())
        return
    table = Table("run", "pipeline", "state", "submitted (UTC)", "seconds", "started by")
    for each in found:
        took = (each.ended_ms - each.started_ms) / 1000 if each.ended_ms and each.started_ms else None
        table.add_row(
            each.id,
            Text(each.pipeline),
            Text(each.state, style=_COLOURS.get(each.state, "")),
            moment(each.created_ms),
            "" if took is None else f"{took:.1f}",
            Text(each.trigger),
        )
    print_table(table)


def cancel(
    run_id: Annotated[str, typer.Argument(help="The run, as `kedge runs` lists it.")],
    url: Url = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the run as JSON.")] = False,
) -> None:
    """Stop a pipeline run that waits or runs; its processes are ended.

    Example: kedge cancel 4f1c2a9be03d
    """
    connect(url)
    stopped = RunHandle(run_id).cancel()
    print(msgspec.json.encode(stopped).decode() if as_json else f"{stopped.id} is {stopped.state}")


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
