"""Monitors, their runs, alerts and triggers: definitions are checked and kept here, evaluated by the worker."""

from functools import partial
from typing import Annotated, Any, cast

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from kedge.api.native.messages import PREFIX, answer, decode
from kedge.core.errors import Invalid
from kedge.core.monitors import AlertState, ColumnResult, Monitor, MonitorRun, Trigger
from kedge.core.routes import Route
from kedge.core.services import Services
from kedge.monitoring.alerts import acknowledged
from kedge.monitoring.asking import enqueue
from kedge.monitoring.definitions import MonitorBody, TriggerBody, define_monitor, define_trigger

_MOST_LISTED = 10_000
_LAST_MS = 253_402_300_799_999
"""The end of the year 9999."""
_STATES = ("open", "acknowledged")


class EvaluateBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Windows that end by `until_ms` count as closed."""

    until_ms: Annotated[int, msgspec.Meta(ge=0, le=_LAST_MS)] | None = None


class RunAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A monitor run with what every detector found."""

    run: MonitorRun
    results: list[ColumnResult]


def routes(services: Services) -> tuple[Route, ...]:
    """The routes of monitors, alerts and triggers."""

    def bound(function: Any) -> Any:
        return partial(function, services)

    return (
        Route(method="GET", path=f"{PREFIX}/monitors", handler=bound(_list_monitors), permission="read"),
        Route(
            method="PUT", path=f"{PREFIX}/monitors/{{name}}", handler=bound(_put_monitor), permission="write"
        ),
        Route(
            method="GET", path=f"{PREFIX}/monitors/{{name}}", handler=bound(_get_monitor), permission="read"
        ),
        Route(
            method="POST",
            path=f"{PREFIX}/monitors/{{name}}/evaluate",
            handler=bound(_evaluate),
            permission="write",
        ),
        Route(method="GET", path=f"{PREFIX}/monitors/{{name}}/runs", handler=bound(_runs), permission="read"),
        Route(
            method="GET", path=f"{PREFIX}/monitor-runs/{{run_id}}", handler=bound(_get_run), permission="read"
        ),
        Route(method="GET", path=f"{PREFIX}/alerts", handler=bound(_alerts), permission="read"),
        Route(
            method="POST",
            path=f"{PREFIX}/alerts/{{alert_id}}/acknowledge",
            handler=bound(_acknowledge),
            permission="write",
        ),
        Route(method="GET", path=f"{PREFIX}/triggers", handler=bound(_triggers), permission="read"),
        Route(
            method="PUT", path=f"{PREFIX}/triggers/{{name}}", handler=bound(_put_trigger), permission="write"
        ),
    )


async def _list_monitors(services: Services, request: Request) -> Response:
    endpoint = request.query_params.get("endpoint")
    return answer(await run_in_threadpool(services.monitors.monitors, endpoint=endpoint))


async def _put_monitor(services: Services, request: Request) -> Response:
    body = await decode(request, MonitorBody)
    return answer(await run_in_threadpool(_keep_monitor, services, request.path_params["name"], body))


async def _get_monitor(services: Services, request: Request) -> Response:
    return answer(await run_in_threadpool(services.monitors.get_monitor, request.path_params["name"]))


async def _evaluate(services: Services, request: Request) -> Response:
    body = await decode(request, EvaluateBody) if await request.body() else EvaluateBody()
    name = request.path_params["name"]
    await run_in_threadpool(services.monitors.get_monitor, name)
    return answer(await run_in_threadpool(enqueue, services, name, body.until_ms), 202)


async def _runs(services: Services, request: Request) -> Response:
    return answer(await run_in_threadpool(_runs_of, services, request.path_params["name"], _limit(request)))


async def _get_run(services: Services, request: Request) -> Response:
    return answer(await run_in_threadpool(_whole_run, services, request.path_params["run_id"]))


async def _alerts(services: Services, request: Request) -> Response:
    state = request.query_params.get("state")
    if state is not None and state not in _STATES:
        raise Invalid(f"alerts have no state {state!r}", hint=f"use {' or '.join(_STATES)}")
    list_alerts = partial(
        services.monitors.alerts,
        state=cast("AlertState | None", state),
        endpoint=request.query_params.get("endpoint"),
        limit=_limit(request),
    )
    return answer(await run_in_threadpool(list_alerts))


async def _acknowledge(services: Services, request: Request) -> Response:
    return answer(await run_in_threadpool(acknowledged, services, request.path_params["alert_id"]))


async def _triggers(services: Services, request: Request) -> Response:
    monitor = request.query_params.get("monitor")
    return answer(await run_in_threadpool(services.monitors.triggers, monitor=monitor))


async def _put_trigger(services: Services, request: Request) -> Response:
    body = await decode(request, TriggerBody)
    return answer(await run_in_threadpool(_keep_trigger, services, request.path_params["name"], body))


def _keep_monitor(services: Services, name: str, body: MonitorBody) -> Monitor:
    monitor = define_monitor(services, name, body)
    services.monitors.save_monitor(monitor)
    return monitor


def _keep_trigger(services: Services, name: str, body: TriggerBody) -> Trigger:
    trigger = define_trigger(services, name, body)
    services.monitors.save_trigger(trigger)
    return trigger


def _runs_of(services: Services, name: str, limit: int) -> list[MonitorRun]:
    services.monitors.get_monitor(name)
    return services.monitors.runs(monitor=name, limit=limit)


def _whole_run(services: Services, run_id: str) -> RunAnswer:
    return RunAnswer(run=services.monitors.get_run(run_id), results=services.monitors.results(run_id))


def _limit(request: Request) -> int:
    text = request.query_params.get("limit", "1000")
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= _MOST_LISTED):
        raise Invalid(f"limit is {text!r}; it must be an integer from 1 to {_MOST_LISTED}")
    return int(text)
