"""`kedge up`: start Kedge."""

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Annotated

import typer

from kedge.app.config import Config, read_config
from kedge.app.processes import die_with_parent
from kedge.app.supervisor import Supervisor
from kedge.core.clock import SystemClock

Home = Annotated[Path | None, typer.Option(help="The data directory.", show_default="./kedge-data")]
Port = Annotated[int | None, typer.Option(help="Of web: API and pages.", show_default="5000")]
ServingPort = Annotated[int | None, typer.Option(help="Of serving: inference.", show_default="8080")]
Host = Annotated[str | None, typer.Option(help="The address to listen on.", show_default="127.0.0.1")]
File = Annotated[Path | None, typer.Option("--config", help="Read this file instead of ./kedge.toml.")]


def register(cli: typer.Typer) -> None:
    """Add the command."""
    cli.command()(up)


def up(  # noqa: PLR0917 - options of a command, given by name
    home: Home = None,
    port: Port = None,
    serving_port: ServingPort = None,
    host: Host = None,
    config: File = None,
    with_parent: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Start web, serving and worker, and keep them up until Ctrl-C.

    Example: kedge up --home ./kedge-data --port 5000
    """
    if with_parent is not None:
        die_with_parent(with_parent)
    flags = {"home": home, "port": port, "serving_port": serving_port, "host": host}
    supervise(read_config(flags, config))


def supervise(config: Config) -> None:
    """Run the supervisor in this process until a signal ends it."""
    supervisor = Supervisor(
        config, SystemClock(), lambda line: print(f"kedge: {line}", file=sys.stderr, flush=True)
    )

    def ready() -> None:
        lines = [
            f"Kedge is up (pid {os.getpid()}); stop it with Ctrl-C",
            f"  pages and API     {config.web_url}",
            f"  MLflow's pages    {config.web_url}/mlflow/",
            f"  inference         {config.serving_url}",
            f"  data directory    {config.home}",
        ]
        print("\n".join(lines), flush=True)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: supervisor.stopping.set())
    thread = threading.current_thread()
    thread.name = "supervisor"
    supervisor.run(ready)
