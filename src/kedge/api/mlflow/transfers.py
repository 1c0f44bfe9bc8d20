"""MLflow's routes by which a client sends large files to the store itself, in parts, and fetches from it.

A store that only we reach answers as MLflow's does: not implemented, upon which a client goes through us.
"""

from collections.abc import Awaitable, Callable
from pathlib import PurePosixPath
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from kedge.core.artifacts import DirectTransfers, SentPart, path_parts, plain_path
from kedge.core.mlflow_error import MlflowError
from kedge.core.services import Services
from kedge.tracking.fields import INT64, STRING, messages
from kedge.tracking.requests import INTEGER, REQUIRED, TEXT, of_body
from kedge.tracking.requests import Request as Takes

Handler = Callable[[Request], Awaitable[Response]]
PathOf = Callable[[Request], str]

_CREATE = Takes({"path": STRING, "num_parts": INT64}, {"path": (REQUIRED, TEXT), "num_parts": (INTEGER,)})
_PART = messages({"part_number": INT64, "etag": STRING, "url": STRING})
_COMPLETE = Takes(
    {"path": STRING, "upload_id": STRING, "parts": _PART},
    {"path": (REQUIRED, TEXT), "upload_id": (TEXT,), "parts": (REQUIRED,)},
)
_ABORT = Takes({"path": STRING, "upload_id": STRING}, {"path": (REQUIRED, TEXT), "upload_id": (TEXT,)})


def handlers(services: Services, path_of: PathOf) -> dict[tuple[str, str], Handler]:
    """By method and by what stands between MLflow's prefix and the path."""

    async def create(request: Request) -> Response:
        folder, fields = await _asked(request, path_of, _CREATE)
        direct = _direct(services, "upload")
        parts = fields.get("num_parts", 0)
        begun = await run_in_threadpool(direct.begin, _place(folder, fields), parts)
        credentials = [{"url": url, "part_number": n} for n, url in enumerate(begun.addresses, 1)]
        return _json({"upload_id": begun.upload_id} | ({"credentials": credentials} if credentials else {}))

    async def complete(request: Request) -> Response:
        folder, fields = await _asked(request, path_of, _COMPLETE)
        direct = _direct(services, "upload")
        parts = tuple(
            SentPart(number=part.get("part_number", 0), etag=part.get("etag", "")) for part in fields["parts"]
        )
        await run_in_threadpool(direct.complete, _place(folder, fields), fields.get("upload_id", ""), parts)
        return _json({})

    async def abort(request: Request) -> Response:
        folder, fields = await _asked(request, path_of, _ABORT)
        direct = _direct(services, "upload")
        await run_in_threadpool(direct.abort, _place(folder, fields), fields.get("upload_id", ""))
        return _json({})

    async def address(request: Request) -> Response:
        path = path_of(request)
        path_parts(path)
        direct = _direct(services, "download")
        file = await run_in_threadpool(services.artifacts.file, path)
        url = direct.download_address(path)
        return _json({"url": url, "headers": {}, "file_size": file.size_bytes})

    return {
        ("POST", "/mpu/create"): create,
        ("POST", "/mpu/complete"): complete,
        ("POST", "/mpu/abort"): abort,
        ("GET", "/presigned"): address,
    }


async def _asked(request: Request, path_of: PathOf, takes: Takes) -> tuple[str, dict[str, Any]]:
    folder = path_of(request)
    path_parts(folder)
    return folder, of_body(takes, await request.body(), request.headers.get("content-type"))


def _direct(services: Services, what: str) -> DirectTransfers:
    direct = services.artifacts.direct
    if direct is None:
        # Clients compare the beginning of these words.
        raise MlflowError(
            "NOT_IMPLEMENTED", f"Multipart {what} is not supported for the current artifact repository"
        )
    return direct


def _place(folder: str, fields: dict[str, Any]) -> str:
    """The file's path: the client says where the file lies on its side, of which the name counts."""
    name = plain_path(PurePosixPath(fields["path"]).name)
    if not path_parts(name):
        raise MlflowError("INVALID_PARAMETER_VALUE", "Invalid path")
    return f"{folder}/{name}"


def _json(body: Any) -> Response:
    return Response(msgspec.json.encode(body), media_type="application/json")
