"""`kedge demo`: the whole loop on real flights."""

import contextlib
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from kedge.app.config import Config, environment, read_config
from kedge.app.processes import python
from kedge.app.state import holder
from kedge.app.supervisor import wait_for
from kedge.client.connection import connect
from kedge.core.errors import Conflict, KedgeError, StorageError, Unavailable
from kedge.core.home import Home
from kedge.demo.story import MonthRow, play

START_TIMEOUT_S = 60.0
DEFAULT_HOME = Path("kedge-demo")
DEFAULT_PORT = 5000
MARK = "kedge-demo"
"""A file in the data directory of a demo, which may be moved aside."""


def register(cli: typer.Typer) -> None:
    """Add the command."""
    cli.command()(demo)


def demo(  # noqa: PLR0917 - options of a command, given by name
    fast: Annotated[bool, typer.Option(help="A quarter of the flights, January to June.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object at the end, then stop.")
    ] = False,
    leave: Annotated[bool, typer.Option("--exit", help="Stop the platform at the end.")] = False,
    again: Annotated[bool, typer.Option(help="Move an earlier demo aside and play anew.")] = False,
    home: Annotated[
        Path | None, typer.Option(help="The data directory.", show_default="./kedge-demo")
    ] = None,
    port: Annotated[int | None, typer.Option(help="Of web.", show_default="5000")] = None,
    serving_port: Annotated[int | None, typer.Option(help="Of serving.", show_default="8080")] = None,
) -> None:
    """Play a year on real data: train, deploy, replay traffic, detect drift, retrain, promote by gate.

    Example: kedge demo --fast
    """
    flags = {"home": home or DEFAULT_HOME, "port": port, "serving_port": serving_port}
    config = read_config(flags)
    console = Console(stderr=True, highlight=False)
    _make_room(config.home, console, again=again)
    with _platform(config, console) as process:
        rows, urls = _played(console, fast=fast)
        if as_json:
            print(msgspec.json.encode({"months": rows, "urls": urls}).decode(), flush=True)
            return
        out = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
        out.print(_table(rows))
        for name, url in urls.items():
            out.print(f"  {name:12} {url}")
        if config.port != DEFAULT_PORT:
            out.print(f"For kedge's other commands and your own code: export KEDGE_URL={config.web_url}")
        if leave or not sys.stdin.isatty():
            out.print(f"Look at it again with: kedge up --home {config.home}")
            return
        out.print("Kedge goes on running; stop it with Ctrl-C")
        with contextlib.suppress(KeyboardInterrupt):
            process.wait()


def _make_room(home: Path, console: Console, *, again: bool) -> None:
    pid = holder(Home(home))
    if Home(home).database.exists() and not again:
        runs = f", and process {pid} runs Kedge on it" if pid is not None else ""
        raise Conflict(
            f"{home} holds data already{runs}",
            hint=f"look at it with `kedge up --home {home}`, or play anew with --again, which moves it aside",
        )
    if pid is not None:
        raise Conflict(
            f"the data directory {home} is in use by process {pid}",
            hint="stop that one (Ctrl-C or kill), or use another --home",
        )
    if not Home(home).database.exists():
        _marked(home)
        return
    if not (home / MARK).exists():
        raise Conflict(
            f"{home} holds data that is not a demo's, which --again would move aside",
            hint="use another --home",
        )
    aside = next(path for n in range(1, 10_000) if not (path := home.with_name(f"{home.name}.{n}")).exists())
    home.rename(aside)
    console.print(f"the earlier demo is in {aside}")
    _marked(home)


def _marked(home: Path) -> None:
    """Make the data directory of a demo, which --again may move aside."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        (home / MARK).touch()
    except OSError as error:
        raise StorageError(
            f"the data directory {home} cannot be written: {error.strerror}",
            hint="mend its permissions, or use another --home",
        ) from error


@contextlib.contextmanager
def _platform(config: Config, console: Console) -> "Iterator[subprocess.Popen[bytes]]":
    """`kedge up` as a child, until the block ends."""
    ports = ["--port", str(config.port), "--serving-port", str(config.serving_port), "--host", config.host]
    command = python("kedge.app.main", "up", "--home", str(config.home), *ports)
    # A file and not a pipe: nobody reads while the demo plays, and a full pipe would stop the supervisor.
    with tempfile.TemporaryFile("w+") as told:
        process = subprocess.Popen(  # noqa: S603 - our own module, as a list
            command, stdout=subprocess.DEVNULL, stderr=told, env=environment(), start_new_session=True
        )
        try:
            _wait_up(process, config, told)
            connect(config.web_url)
            console.print(f"Kedge is up: {config.web_url}")
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


def _wait_up(process: "subprocess.Popen[bytes]", config: Config, told: IO[str]) -> None:
    for url in (config.web_url, config.serving_url):
        try:
            wait_for(f"{url}/health", START_TIMEOUT_S, given_up=lambda: process.poll() is not None)
        except Unavailable:
            if process.poll() is None:
                raise
            told.seek(0)
            message, _, hint = told.read().strip().removeprefix("kedge: ").partition("\n")
            raise KedgeError(message or "the platform did not start", hint=hint.strip()) from None


def _played(console: Console, *, fast: bool) -> tuple[list[MonthRow], dict[str, str]]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        return play(_Shown(console, progress), fast=fast)


class _Shown:
    """Lines above, one bar a month below; plain lines where there is no terminal."""

    def __init__(self, console: Console, progress: Progress) -> None:
        self._console = console
        self._progress = progress

    def say(self, line: str) -> None:
        self._console.print(line, markup=False, soft_wrap=True)

    def bar(self, label: str, total: int) -> Callable[[int], None]:
        if self._progress.disable:
            self.say(f"{label}: {total:,} flights")
        task = self._progress.add_task(label, total=total)
        return lambda rows: self._progress.advance(task, rows)


def _table(rows: list[MonthRow]) -> Table:
    table = Table(title="The year", title_justify="left", padding=(0, 0))
    for heading in (
        "month",
        "rows",
        "drift share",
        "AUC",
        "Brier",
        "model",
        "alerts",
        "retrained",
        "promoted",
    ):
        table.add_column(
            heading, justify="right" if heading not in ("month", "retrained", "promoted") else "left"
        )
    for row in rows:
        numbers = ["-" if value is None else f"{value:.3f}" for value in (row.auc, row.brier)]
        table.add_row(
            row.month,
            f"{row.rows:,}",
            "reference" if row.drift_share is None else f"{row.drift_share:.2f}",
            *numbers,
            f"v{row.model_version}",
            str(row.alerts or ""),
            "yes" if row.retrained else "",
            "[green]yes[/]" if row.promoted else ("no" if row.retrained else ""),
        )
    return table
