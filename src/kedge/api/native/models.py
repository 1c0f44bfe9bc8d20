"""Registered models, read from MLflow's tables; they are written through MLflow's own API."""

from functools import partial

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from kedge.api.native.messages import PREFIX, answer
from kedge.core.routes import Route
from kedge.core.services import Services
from kedge.core.tracking import ModelVersion


class ModelAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A model and its versions, newest first."""

    name: str
    versions: list[ModelVersion]


def routes(services: Services) -> tuple[Route, ...]:
    """The routes of registered models."""
    return (
        Route(method="GET", path=f"{PREFIX}/models", handler=partial(_list, services), permission="read"),
        Route(
            method="GET", path=f"{PREFIX}/models/{{name}}", handler=partial(_get, services), permission="read"
        ),
    )


async def _list(services: Services, _request: Request) -> Response:
    return answer(await run_in_threadpool(services.tracking.models))


async def _get(services: Services, request: Request) -> Response:
    name = request.path_params["name"]
    versions = await run_in_threadpool(services.tracking.versions, name)
    return answer(ModelAnswer(name=name, versions=versions))
