"""`kedge status`: what runs."""

import sys
from pathlib import Path
from typing import Annotated, Any

import httpx
import msgspec
import typer
from rich.console import Console
from rich.table import Table

from kedge.app.config import read_config
from kedge.app.state import probe, running
from kedge.core.home import Home as HomePaths

Home = Annotated[Path | None, typer.Option(help="The data directory.", show_default="./kedge-data")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(cli: typer.Typer) -> None:
    """Add the command."""
    cli.command()(status)


def status(home: Home = None, as_json: AsJson = False) -> None:
    """Show the processes of a data directory; exit status 1 when it is not up or not well.

    Example: kedge status --home ./kedge-data
    """
    paths = HomePaths(read_config({"home": home}).home)
    state = running(paths)
    if state is None:
        answer: dict[str, Any] = {"up": False, "home": str(paths.root)}
    else:
        answers = {name: probe(state[name] + "/health") for name in ("web", "serving")}
        well = all(good for good, _ in answers.values()) and all(c["pid"] for c in state["children"].values())
        answer = {"up": True, "well": well, "home": str(paths.root), **state}
        answer["mlflow"] = _mlflow(state["web"])
        answer["answers_ms"] = {name: round(ms, 1) if good else None for name, (good, ms) in answers.items()}
    if as_json:
        print(msgspec.json.encode(answer).decode())
    else:
        _show(answer)
    if not answer.get("well"):
        sys.exit(1)


def _mlflow(web: str) -> str:
    """MLflow's server, which web starts when somebody needs it and stops when nobody does."""
    try:
        reply = httpx.get(f"{web}/api/kedge/v1/status", timeout=2, trust_env=False).json()
    except (httpx.HTTPError, ValueError):
        return "unknown"
    return (
        f"running (pid {reply['mlflow']['pid']})"
        if reply["mlflow"]["running"]
        else "not needed at the moment"
    )


def _show(answer: dict[str, Any]) -> None:
    if not answer["up"]:
        print(f"Kedge is not up on {answer['home']}; start it with: kedge up --home {answer['home']}")
        return
    table = Table(title=f"Kedge on {answer['home']} (supervisor {answer['pid']})", title_justify="left")
    for heading in ("process", "pid", "restarts", "last end", "answers"):
        table.add_column(heading)
    for name, child in answer["children"].items():
        took = answer["answers_ms"].get(name)
        told = f"{took} ms" if took is not None else ("-" if name not in answer["answers_ms"] else "no")
        table.add_row(
            name, str(child["pid"] or "waiting"), str(child["restarts"]), child["last_exit"] or "-", told
        )
    console = Console()
    console.print(table)
    console.print(f"MLflow's server: {answer['mlflow']}")
    console.print(f"pages {answer['web']}   inference {answer['serving']}")
