"""Objects by content over HTTP; bodies are streamed, so that memory stays small whatever their size."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from kedge.api.native.messages import PREFIX, answer
from kedge.api.uploads import stored
from kedge.core.routes import Route
from kedge.core.services import Services

LARGEST_OBJECT_BYTES = 64 * 1024**3


def routes(services: Services) -> tuple[Route, ...]:
    """`PUT /objects`, `GET` and `HEAD /objects/{id}`."""

    async def put(request: Request) -> Response:
        object_id = await stored(request, await run_in_threadpool(services.objects.receive))
        size = await run_in_threadpool(services.objects.size_bytes, object_id)
        return answer({"object_id": object_id, "size_bytes": size}, 201)

    async def get(request: Request) -> Response:
        path = await run_in_threadpool(services.objects.path, request.path_params["object_id"])
        return FileResponse(
            path, media_type="application/octet-stream", headers={"cache-control": "immutable"}
        )

    return (
        Route(
            method="PUT",
            path=f"{PREFIX}/objects",
            handler=put,
            permission="write",
            max_body_bytes=LARGEST_OBJECT_BYTES,
        ),
        Route(method="GET", path=f"{PREFIX}/objects/{{object_id}}", handler=get, permission="read"),
    )
