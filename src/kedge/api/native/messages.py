"""Bodies in and out: JSON decoded straight into a struct, one shape for every error."""

from typing import Any, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from kedge.core.errors import Invalid, KedgeError

PREFIX = "/api/kedge/v1"

T = TypeVar("T")


async def decode(request: Request, shape: type[T]) -> T:
    """The request's JSON body as `shape`. Raises Invalid with the path of the first wrong value."""
    try:
        return msgspec.json.decode(await request.body(), type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:  # ValidationError is the first
        raise Invalid(
            f"the body of {request.method} {request.url.path} is not what is expected: {error}"
        ) from error


def answer(value: Any, status: int = 200) -> Response:
    """`value` (structs, dicts, lists) as JSON."""
    return Response(msgspec.json.encode(value), status, media_type="application/json")


def error_answer(error: KedgeError) -> Response:
    """`{"error": {"code", "message", "hint"}}` with the error's own status."""
    body = {"error": {"code": error.code, "message": error.message, "hint": error.hint}}
    return answer(body, error.status)
