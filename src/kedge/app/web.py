"""The web application: every route table joined, behind the guard."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route as StarletteRoute

from kedge.api.mlflow import about, artifacts, proxy, tracking
from kedge.api.native import datasets, endpoints, jobs, labels, models, monitors, objects, pipelines, reports
from kedge.api.native.messages import PREFIX, answer, error_answer
from kedge.app.guard import App, Guard
from kedge.app.sidecar import Sidecar
from kedge.core.errors import KedgeError
from kedge.core.routes import Route
from kedge.core.services import Services
from kedge.storage.database import Database, schema_version
from kedge.ui.errors import error_page
from kedge.ui.routes import routes as pages

DEFAULT_BODY_BYTES = 16 * 1024 * 1024
_NATIVE = (objects, datasets, reports, pipelines, jobs, models, endpoints, labels, monitors)
_ANY_METHOD = ["GET", "POST", "PUT", "PATCH", "DELETE"]

log = logging.getLogger("kedge.web")


def route_table(services: Services, database: Database, sidecar: Sidecar) -> tuple[Route, ...]:
    """Every route that web answers."""
    native = [route for module in _NATIVE for route in module.routes(services)]
    kept = artifacts.routes(services, proxy.passing_on(sidecar))
    return (
        *_own(database, sidecar),
        *native,
        *pages(services),
        *about.routes(services),
        *kept,
        *proxy.routes(sidecar),
    )


def _own(database: Database, sidecar: Sidecar) -> tuple[Route, ...]:
    async def health(_: Request) -> Response:
        await run_in_threadpool(schema_version, database)
        return answer({"status": "ok"})

    async def status(_: Request) -> Response:
        return answer(
            {"schema": await run_in_threadpool(schema_version, database), "mlflow": sidecar.status()}
        )

    return (
        Route(method="GET", path="/health", handler=health, permission="public"),
        Route(method="GET", path=f"{PREFIX}/status", handler=status, permission="read"),
    )


def application(services: Services, database: Database, sidecar: Sidecar, hosts: Sequence[str]) -> App:
    """The ASGI application."""
    table = route_table(services, database, sidecar)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        watching = asyncio.create_task(sidecar.watch())
        yield
        watching.cancel()
        await sidecar.stop()

    inner = Starlette(
        routes=[StarletteRoute(r.path, _guarded(r), methods=_methods(r)) for r in table],
        exception_handlers={
            KedgeError: _on_error,
            HTTPException: _on_http,
            ClientDisconnect: _on_left,
            Exception: _on_surprise,
        },
        lifespan=lifespan,
    )
    inner.router.redirect_slashes = False
    fast = tracking.TrackingRoutes(services.runs, inner)
    return Guard(fast, frozenset(host.lower() for host in hosts), _limits(table))


def _methods(route: Route) -> list[str]:
    return _ANY_METHOD if route.method == "*" else [route.method]


def _guarded(route: Route) -> Callable[[Request], Awaitable[Response]]:
    handler: Callable[[Any], Awaitable[Any]] = route.handler

    async def handle(request: Request) -> Response:
        response: Response = await handler(request)
        return response

    return handle


def _limits(table: Sequence[Route]) -> Callable[[str, str], int]:
    large = [
        (r.path.partition("{")[0], r.method, r.max_body_bytes)
        for r in table
        if r.max_body_bytes != DEFAULT_BODY_BYTES
    ]

    def limit_of(method: str, path: str) -> int:
        if tracking.is_tracking(path):  # they stand below the prefix of the uploads
            return DEFAULT_BODY_BYTES
        return next(
            (n for start, m, n in large if m in (method, "*") and path.startswith(start)), DEFAULT_BODY_BYTES
        )

    return limit_of


def _for_machines(request: Request) -> bool:
    return request.url.path.startswith(("/api/", "/ajax-api/")) or request.url.path == "/health"


async def _on_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, KedgeError)  # noqa: S101 - registered for this kind alone
    if error.status >= 500:
        log.error("%s %s: %s", request.method, request.url.path, error, extra={"action": "error"})
    if _for_machines(request):
        return error_answer(error)
    return await run_in_threadpool(error_page, error.status, error.message, error.hint)


async def _on_http(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    words = {404: "there is no such page or route", 405: f"{request.method} is not for this route"}
    message = f"{request.url.path}: {words.get(status, 'refused')}"
    if _for_machines(request):
        code = {404: "not_found", 405: "method_not_allowed"}.get(status, "error")
        return answer({"error": {"code": code, "message": message, "hint": ""}}, status)
    return await run_in_threadpool(error_page, status, message, "")


async def _on_left(request: Request, _: Exception) -> Response:
    log.info("%s %s: the client left", request.method, request.url.path, extra={"action": "left"})
    return Response(status_code=400)  # nobody reads it


async def _on_surprise(request: Request, error: Exception) -> Response:
    log.error("%s %s failed", request.method, request.url.path, exc_info=error, extra={"action": "error"})
    message = "something went wrong inside Kedge; the log of web has the details"
    if _for_machines(request):
        return answer({"error": {"code": "internal", "message": message, "hint": ""}}, 500)
    return await run_in_threadpool(error_page, 500, message, "")
