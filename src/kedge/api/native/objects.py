"""Objects by content over HTTP; bodies are streamed, so that memory stays small whatever their size."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from kedge.api.native.messages import PREFIX, answer
from kedge.core.routes import Route
from kedge.core.services import Services

LARGEST_OBJECT_BYTES = 64 * 1024**3
_PIECE_BYTES = 1 << 20


def routes(services: Services) -> tuple[Route, ...]:
    """`PUT /objects`, `GET` and `HEAD /objects/{id}`."""

    async def put(request: Request) -> Response:
        # A thread takes each piece that has come and waits for none: slow clients hold no threads.
        arriving = await run_in_threadpool(services.objects.receive)
        try:
            waiting = bytearray()
            async for chunk in request.stream():
                waiting += chunk
                if len(waiting) >= _PIECE_BYTES:
                    await run_in_threadpool(arriving.write, bytes(waiting))
                    waiting.clear()
            await run_in_threadpool(arriving.write, bytes(waiting))
            object_id = await run_in_threadpool(arriving.finish)
        finally:
            await run_in_threadpool(arriving.abort)
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
