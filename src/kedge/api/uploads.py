"""Bodies that are stored as they come: memory holds one piece, whatever their size."""

from typing import Protocol, TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

PIECE_BYTES = 1 << 20

Stored_co = TypeVar("Stored_co", covariant=True)


class Arriving(Protocol[Stored_co]):
    """What is on its way; see `ObjectUpload` and `ArtifactUpload`."""

    def write(self, chunk: bytes) -> None: ...
    def finish(self) -> Stored_co: ...
    def abort(self) -> None: ...


async def stored(request: Request, arriving: Arriving[Stored_co]) -> Stored_co:
    """Write the request's body, and finish; abort where it breaks off.

    A thread takes each piece that has come and waits for none: slow clients hold no threads.
    """
    try:
        waiting = bytearray()
        async for chunk in request.stream():
            waiting += chunk
            if len(waiting) >= PIECE_BYTES:
                await run_in_threadpool(arriving.write, bytes(waiting))
                waiting.clear()
        await run_in_threadpool(arriving.write, bytes(waiting))
        return await run_in_threadpool(arriving.finish)
    finally:
        await run_in_threadpool(arriving.abort)
