"""A stored file as an answer: whole or in ranges, read a piece at a time, and never run by a browser."""

import mimetypes
import secrets
from collections.abc import AsyncIterator, Iterator
from email.utils import formatdate
from pathlib import PurePosixPath
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from kedge.api.ranges import OutsideFile, Ranges, ranges_of
from kedge.core.artifacts import ArtifactFile

_SANDBOX = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_TEXTS = frozenset({".py", ".yaml", ".yml", ".json", ".txt", ".md", ".csv", ".html", ".log", ".toml", ".cfg"})


def file_answer(request: Request, file: ArtifactFile, path: str) -> Response:
    """The answer; it blocks until the first piece is there, so that what cannot be read is an error, not half a file."""
    headers, kind = _headers(file, path), _kind(path)
    try:
        ranges = _asked(request, file, headers)
    except OutsideFile:
        return Response(None, 416, {"content-range": f"bytes */{file.size_bytes}"})
    status = 200 if ranges is None else 206
    if ranges is not None and len(ranges) > 1:
        boundary = secrets.token_hex(13)
        heads = [_head(boundary, kind, start, stop, file.size_bytes) for start, stop in ranges]
        pieces = _several(file, ranges, heads, boundary)
        length = sum(stop - start for start, stop in ranges) + sum(len(head) + 2 for head in heads)
        length += len(boundary) + 4
        kind = f"multipart/byteranges; boundary={boundary}"
    else:
        start, stop = ranges[0] if ranges else (0, file.size_bytes)
        if ranges:
            headers["content-range"] = f"bytes {start}-{stop - 1}/{file.size_bytes}"
        pieces, length = file.chunks(start, stop), stop - start
    headers["content-length"] = str(length)
    if request.method == "HEAD":
        return Response(None, status, headers, kind)
    return StreamingResponse(_sent(next(pieces, b""), pieces), status, headers, kind)


async def _sent(first: bytes, rest: Iterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    while piece := await run_in_threadpool(next, rest, b""):
        yield piece


def _asked(request: Request, file: ArtifactFile, headers: dict[str, str]) -> Ranges | None:
    header, condition = request.headers.get("range"), request.headers.get("if-range")
    if header is None or (condition is not None and condition not in (file.etag, headers["last-modified"])):
        return None
    return ranges_of(header, file.size_bytes)


def _headers(file: ArtifactFile, path: str) -> dict[str, str]:
    name = quote(PurePosixPath(path).name, safe="!#$&+-.^_`|~")
    return {
        "accept-ranges": "bytes",
        "content-disposition": f"attachment; filename*=UTF-8''{name}",
        "content-security-policy": _SANDBOX,
        "etag": file.etag,
        "last-modified": formatdate(file.modified_s, usegmt=True),
    }


def _kind(path: str) -> str:
    file = PurePosixPath(path)
    plain = file.suffix in _TEXTS or file.name in ("MLmodel", "MLproject")
    return "text/plain" if plain else mimetypes.guess_type(file.name)[0] or "application/octet-stream"


def _head(boundary: str, kind: str, start: int, stop: int, size_bytes: int) -> bytes:
    lines = (
        f"--{boundary}",
        f"Content-Type: {kind}",
        f"Content-Range: bytes {start}-{stop - 1}/{size_bytes}",
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _several(file: ArtifactFile, ranges: Ranges, heads: list[bytes], boundary: str) -> Iterator[bytes]:
    for head, (start, stop) in zip(heads, ranges, strict=True):
        yield head
        yield from file.chunks(start, stop)
        yield b"\r\n"
    yield f"--{boundary}--".encode()
