"""Labels: the truth about logged rows, as it becomes known."""

from functools import partial

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from kedge.api.native.messages import PREFIX, answer, decode
from kedge.core.inference import Label
from kedge.core.routes import Route
from kedge.core.services import Services


class LabelsBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Labels by request and row; sending them again changes nothing, another value replaces the earlier."""

    labels: list[Label]


def routes(services: Services) -> tuple[Route, ...]:
    """The route that takes labels."""
    return (
        Route(
            method="POST",
            path=f"{PREFIX}/endpoints/{{name}}/labels",
            handler=partial(_add, services),
            permission="write",
        ),
    )


async def _add(services: Services, request: Request) -> Response:
    body = await decode(request, LabelsBody)
    return answer(
        {"added": await run_in_threadpool(_store, services, request.path_params["name"], body.labels)}
    )


def _store(services: Services, endpoint: str, labels: list[Label]) -> int:
    services.deployments.endpoint(endpoint)  # NotFound for an unknown one
    return services.inference.add_labels(endpoint, labels)
