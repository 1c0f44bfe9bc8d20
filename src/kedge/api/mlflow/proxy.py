"""Passing requests on to MLflow's server, bodies streamed both ways."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol

import httpx
import msgspec
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from kedge.api.mlflow.allowed import is_user_content, upstream_path
from kedge.core.errors import KedgeError, Unavailable
from kedge.core.routes import Route

LARGEST_BODY_BYTES = 64 * 1024**2
"""MLflow's server holds a whole body in memory, several times over; files do not go this way."""
_HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "host",
    }
)
_PATHS = ("/api/2.0/{rest:path}", "/api/3.0/{rest:path}", "/ajax-api/{rest:path}", "/mlflow/{rest:path}")
_SINGLE = ("/mlflow", "/graphql", "/get-artifact", "/model-versions/get-artifact", "/version", "/v1/traces")


class MlflowServer(Protocol):
    """MLflow's server, started when it is first needed."""

    async def client(self) -> httpx.AsyncClient:
        """A client of the running server. Raises Unavailable, MissingExtra."""
        ...


def passing_on(server: MlflowServer) -> Callable[[Request], Awaitable[Response]]:
    """A handler that has MLflow's server answer."""

    async def passed_on(request: Request) -> Response:
        raw = request.scope.get("raw_path") or request.url.path.encode()
        if raw == b"/mlflow":
            return RedirectResponse("/mlflow/", 307)
        path = upstream_path(raw.decode("latin-1"))
        if path is None:
            return _error(404, "ENDPOINT_NOT_FOUND", f"{request.url.path} is not a route of this server")
        try:
            client = await server.client()
            reply = await client.send(_request(client, request, path), stream=True)
        except KedgeError as error:
            return _error(error.status, "TEMPORARILY_UNAVAILABLE", str(error))
        except httpx.HTTPError as error:
            return _error(503, "TEMPORARILY_UNAVAILABLE", f"MLflow's server did not answer: {error}")
        return _response(reply, path)

    return passed_on


def routes(server: MlflowServer) -> tuple[Route, ...]:
    """Everything under MLflow's prefixes; which of it passes, `allowed` says."""
    passed_on = passing_on(server)
    return tuple(
        Route(method="*", path=path, handler=passed_on, permission="write", max_body_bytes=LARGEST_BODY_BYTES)
        for path in (*_SINGLE, *_PATHS)
    )


def _request(client: httpx.AsyncClient, request: Request, path: str) -> httpx.Request:
    headers = [(name, value) for name, value in request.headers.items() if name not in _HOP_BY_HOP]
    # With any query string as it came; httpx would encode it anew.
    url = httpx.URL("http://mlflow").copy_with(raw_path=path.encode() + _query(request))
    has_body = "content-length" in request.headers or "transfer-encoding" in request.headers
    content: AsyncIterator[bytes] | None = request.stream() if has_body else None
    return client.build_request(request.method, url, headers=headers, content=content)


def _query(request: Request) -> bytes:
    query: bytes = request.scope.get("query_string", b"")
    return b"?" + query if query else b""


def _response(reply: httpx.Response, path: str) -> Response:
    response = StreamingResponse(
        reply.aiter_raw(), reply.status_code, background=BackgroundTask(reply.aclose)
    )
    response.raw_headers = [
        (name.lower(), value) for name, value in reply.headers.raw if name.lower().decode() not in _HOP_BY_HOP
    ]
    if is_user_content(path):
        response.headers["content-security-policy"] = (
            "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
        )
    return response


def _error(status: int, code: str, message: str) -> Response:
    """The shape that MLflow's clients read."""
    body = msgspec.json.encode({"error_code": code, "message": message})
    return Response(body, status, media_type="application/json")


__all__ = ["LARGEST_BODY_BYTES", "MlflowServer", "Unavailable", "routes"]
