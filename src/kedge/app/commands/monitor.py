"""`kedge monitor`: what is watched, what it found, and the alerts."""

import datetime as dt
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from kedge.app.commands.tables import print_table
from kedge.client import monitor as client
from kedge.client.connection import connect
from kedge.core.monitors import Alert, Monitor, MonitorRun

group = typer.Typer(no_args_is_help=True, help="Monitors: list, show, evaluate; alerts: list, acknowledge.")

Url = Annotated[str | None, typer.Option(help="The platform's address; default KEDGE_URL.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Name = Annotated[str, typer.Argument(help="The monitor's name.")]


def register(cli: typer.Typer) -> None:
    """Add the group to the command line."""
    cli.add_typer(group, name="monitor")


@group.command("list")
def list_monitors(url: Url = None, as_json: AsJson = False) -> None:
    """List all monitors.

    Example: kedge monitor list
    """
    connect(url)
    monitors = client.monitors()
    if as_json:
        _print_json(monitors)
        return
    table = Table("monitor", "endpoint", "kind", "period", "alerts when", "enabled")
    for monitor in monitors:
        rules = ", ".join(f"{key} {value:g}" for key, value in monitor.alert_when.items())
        table.add_row(
            monitor.name,
            monitor.endpoint,
            monitor.kind,
            monitor.period,
            rules,
            "yes" if monitor.enabled else "no",
        )
    print_table(table)


@group.command()
def show(
    name: Name,
    run: Annotated[str | None, typer.Option(help="Show the detectors' results of this run.")] = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Show a monitor and what it found, window by window; with --run, what every detector found in one.

    Example: kedge monitor show flights-drift
    """
    connect(url)
    monitor = client.get(name)
    if run is not None:
        results = client.results(run)
        if as_json:
            _print_json(results)
            return
        table = Table("column", "detector", "statistic", "p", "threshold", "drift")
        for result in results:
            p_value = "" if result.p_value is None else f"{result.p_value:.3g}"
            limit = "" if result.threshold is None else f"{result.threshold:.3g}"
            table.add_row(
                result.column,
                result.detector,
                f"{result.statistic:.4g}",
                p_value,
                limit,
                "drift" if result.drift else "",
            )
        print_table(table)
        return
    runs = client.runs(name)
    if as_json:
        _print_json({"monitor": monitor, "runs": runs})
        return
    Console().print(f"{monitor.name}: {monitor.kind} of {monitor.endpoint} by {monitor.period}")
    print_table(_runs_table(monitor, runs))


@group.command()
def evaluate(
    name: Name,
    until: Annotated[
        str | None, typer.Option(help="A date or time (UTC): windows that end by then count as closed.")
    ] = None,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Queue it and return.")] = False,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Evaluate the closed windows of a monitor that were not yet evaluated.

    Example: kedge monitor evaluate flights-drift --until 2013-08-01
    """
    connect(url)
    runs = client.evaluate(name, until_ms=_time_ms(until), wait=not no_wait)
    if as_json:
        _print_json(runs)
    elif no_wait:
        Console().print("queued")
    elif not runs:
        period = client.get(name).period
        Console().print(
            f"no window to evaluate: a {period} is evaluated once a row of the next one is logged; "
            "--until says that those which end by then are closed"
        )
    else:
        print_table(_runs_table(client.get(name), runs))


@group.command()
def alerts(
    state: Annotated[str | None, typer.Option(help="open or acknowledged")] = None,
    endpoint: Annotated[str | None, typer.Option(help="Of this endpoint alone.")] = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """List alerts, newest first.

    Example: kedge monitor alerts --state open
    """
    connect(url)
    found = client.alerts(state=state, endpoint=endpoint)
    if as_json:
        _print_json(found)
        return
    table = Table("alert", "state", "monitor", "model", "message", "pipeline run")
    for alert in found:
        table.add_row(
            alert.id, alert.state, alert.monitor, _model(alert), alert.message, alert.pipeline_run_id or ""
        )
    print_table(table)


@group.command()
def ack(
    alert_id: Annotated[str, typer.Argument(help="The alert's id, from `kedge monitor alerts`.")],
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Acknowledge an alert: somebody has seen it.

    Example: kedge monitor ack 0199a3b2c4d57e6f8a9b0c1d2e3f4a5b
    """
    connect(url)
    alert = client.acknowledge(alert_id)
    if as_json:
        _print_json(alert)
    else:
        Console().print(f"acknowledged: {alert.message}")


def _runs_table(monitor: Monitor, runs: list[MonitorRun]) -> Table:
    measure = {"drift": "drift share", "performance": "AUC", "stream": "error rate"}[monitor.kind]
    table = Table("window", "rows", "verdict", measure, "model", "note", "run")
    for run in runs:
        value = {
            "drift": run.drift_share,
            "performance": run.metrics.get("auc"),
            "stream": run.metrics.get("error_rate"),
        }[run.kind]
        start = dt.datetime.fromtimestamp(run.window_start_ms / 1000, dt.UTC)
        table.add_row(
            start.date().isoformat(),
            str(run.rows),
            run.verdict,
            "" if value is None else f"{value:.3f}",
            _model(run),
            run.note,
            run.id,
        )
    return table


def _model(found: Alert | MonitorRun) -> str:
    return f"{found.model_name} {found.model_version}" if found.model_name else ""


def _time_ms(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        time = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(
            f"{text!r} is not a date or time such as 2013-08-01 or 2013-08-01T12:00"
        ) from error
    return round((time if time.tzinfo else time.replace(tzinfo=dt.UTC)).timestamp() * 1000)


def _print_json(value: Any) -> None:
    typer.echo(msgspec.json.encode(value).decode())
