"""Objects by content over HTTP; bodies are streamed, so that memory stays small whatever their size."""

import asyncio
from collections.abc import AsyncIterator, Iterator

from anyio import CapacityLimiter, to_thread
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from kedge.api.native.messages import PREFIX, answer
from kedge.core.routes import Route
from kedge.core.services import Services

LARGEST_OBJECT_BYTES = 64 * 1024**3
UPLOADS_AT_ONCE = 8
"""An upload holds a thread until its client has sent all; the threads of the other routes are not for that."""


def routes(services: Services) -> tuple[Route, ...]:
    """`PUT /objects`, `GET` and `HEAD /objects/{id}`."""

    uploads = CapacityLimiter(UPLOADS_AT_ONCE)

    async def put(request: Request) -> Response:
        loop = asyncio.get_running_loop()
        object_id = await to_thread.run_sync(
            services.objects.put, _blocking(request.stream(), loop), limiter=uploads
        )
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


def _blocking(stream: AsyncIterator[bytes], loop: asyncio.AbstractEventLoop) -> Iterator[bytes]:
    """The pieces of an asynchronous stream, for a thread that may wait."""
    pieces = aiter(stream)
    while True:
        try:
            piece = asyncio.run_coroutine_threadsafe(_next(pieces), loop).result()
        except StopAsyncIteration:
            return
        if piece is None:
            return
        yield piece


async def _next(pieces: AsyncIterator[bytes]) -> bytes | None:
    return await anext(pieces, None)
