"""Endpoints, their deployments, traffic and inference log."""

from functools import partial
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from kedge.api.native.messages import PREFIX, answer, decode
from kedge.core.deployments import Deployment, Endpoint, TrafficMinute
from kedge.core.errors import Invalid
from kedge.core.routes import Route
from kedge.core.services import Services
from kedge.deployments.deploy import deploy, rollback

_LONGEST_NUMBER = 20


class DeployBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A registered model and one of version and alias."""

    model: str
    version: str | None = None
    alias: str | None = None
    reason: str = ""


class RollbackBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why."""

    reason: str = ""


class EndpointAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint with its deployments; `url` is where it answers the Open Inference Protocol."""

    endpoint: Endpoint
    live: Deployment | None
    wanted: Deployment
    url: str
    history: list[Deployment] = []


class LogAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """How much is logged, and up to which event time; labels up to when they became known."""

    rows: int
    watermark_ms: int | None
    label_watermark_ms: int | None


def routes(services: Services) -> tuple[Route, ...]:
    """The routes of endpoints and deployments."""

    def route(method: Any, path: str, function: Any, permission: Any) -> Route:
        return Route(
            method=method, path=PREFIX + path, handler=partial(function, services), permission=permission
        )

    return (
        route("GET", "/endpoints", _list, "read"),
        route("GET", "/endpoints/{name}", _get, "read"),
        route("POST", "/endpoints/{name}/deployments", _deploy, "write"),
        route("POST", "/endpoints/{name}/rollback", _rollback, "write"),
        route("GET", "/endpoints/{name}/traffic", _traffic, "read"),
        route("GET", "/endpoints/{name}/log", _log, "read"),
        route("GET", "/deployments/{deployment_id}", _get_deployment, "read"),
    )


async def _list(services: Services, _request: Request) -> Response:
    return answer(await run_in_threadpool(_all, services))


async def _get(services: Services, request: Request) -> Response:
    return answer(await run_in_threadpool(_one, services, request.path_params["name"]))


async def _deploy(services: Services, request: Request) -> Response:
    body = await decode(request, DeployBody)
    if (body.version is None) == (body.alias is None):
        raise Invalid("a deployment names either a version or an alias", hint="`latest` is a version")
    ref = body.version or body.alias or ""
    name = request.path_params["name"]
    return answer(await run_in_threadpool(deploy, services, name, body.model, ref, body.reason), 201)


async def _rollback(services: Services, request: Request) -> Response:
    body = await decode(request, RollbackBody) if await request.body() else RollbackBody()
    return answer(await run_in_threadpool(rollback, services, request.path_params["name"], body.reason), 201)


async def _traffic(services: Services, request: Request) -> Response:
    since_ms = _integer(request, "since_ms")
    return answer(await run_in_threadpool(_counted, services, request.path_params["name"], since_ms))


async def _log(services: Services, request: Request) -> Response:
    return answer(await run_in_threadpool(_logged, services, request.path_params["name"]))


async def _get_deployment(services: Services, request: Request) -> Response:
    return answer(await run_in_threadpool(services.deployments.get, request.path_params["deployment_id"]))


def _all(services: Services) -> list[EndpointAnswer]:
    return [_described(services, endpoint) for endpoint in services.deployments.endpoints()]


def _one(services: Services, name: str) -> EndpointAnswer:
    described = _described(services, services.deployments.endpoint(name))
    return msgspec.structs.replace(described, history=services.deployments.history(name))


def _described(services: Services, endpoint: Endpoint) -> EndpointAnswer:
    return EndpointAnswer(
        endpoint=endpoint,
        live=services.deployments.get(endpoint.live) if endpoint.live else None,
        wanted=services.deployments.get(endpoint.wanted),
        url=f"{services.addresses.serving.rstrip('/')}/v2/models/{endpoint.name}",
    )


def _counted(services: Services, name: str, since_ms: int) -> list[TrafficMinute]:
    services.deployments.endpoint(name)  # NotFound for an unknown one
    return services.deployments.traffic(name, since_ms=since_ms)


def _logged(services: Services, name: str) -> LogAnswer:
    services.deployments.endpoint(name)  # NotFound for an unknown one
    return LogAnswer(
        rows=services.inference.rows(name),
        watermark_ms=services.inference.watermark_ms(name),
        label_watermark_ms=services.inference.label_watermark_ms(name),
    )


def _integer(request: Request, name: str) -> int:
    text = request.query_params.get(name, "0")
    try:
        value = int(text[:_LONGEST_NUMBER])
    except ValueError:
        raise Invalid(f"{name} is {text[:_LONGEST_NUMBER]!r}: it must be an integer") from None
    if abs(value) >= 2**63 or len(text) > _LONGEST_NUMBER:
        raise Invalid(f"{name} is {text[:_LONGEST_NUMBER]!r}: it must fit 64 bits")
    return value
