"""What stands before every route of web: known host names, same-origin writes, bounded bodies, security headers.

- Host: a page of another site whose name was pointed at this address (DNS rebinding) is refused with 421.
- Origin: a write asked for by a browser must come from a page of ours; clients that are no browsers send no Origin.
- Bodies: over the route's limit is 413, whether announced or streamed.
"""

import dataclasses
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import msgspec

from kedge.core.errors import TooLarge
from kedge.core.hosts import LOOPBACK, name_of

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_OURS = (
    b"default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    b"frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'"
)
# MLflow's pages were not written for a strict policy: inline styles, workers and blobs are theirs.
_MLFLOW = (
    b"default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    b"img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
    b"frame-src 'self' blob: data:; frame-ancestors 'self'; base-uri 'self'; object-src 'none'"
)


_ASKED = frozenset(
    {b"host", b"origin", b"sec-fetch-site", b"content-length"}
)  # servers give names in lower case


class BodyTooLarge(TooLarge):
    """A streamed body went over its limit; a KedgeError, so that a handler that it passes through answers 413 as well."""


@dataclasses.dataclass(frozen=True)
class Guard:
    """ASGI middleware; `hosts` are the names by which browsers may reach us, besides the loopback ones."""

    app: App
    hosts: frozenset[str]
    limit_of: Callable[[str, str], int]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check, then pass on with bounded body and security headers."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = {
            name.decode("latin-1"): value.decode("latin-1")
            for name, value in scope["headers"]
            if name in _ASKED
        }
        send = _with_headers(send, _MLFLOW if scope["path"].startswith("/mlflow") else _OURS)
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            await _refuse(send, *refusal)
            return
        limit = self.limit_of(scope["method"], scope["path"])
        if headers.get("content-length", "0").isdigit() and int(headers.get("content-length", "0")) > limit:
            await _refuse(send, 413, "too_large", f"the body is over the limit of {limit} bytes")
            return
        await self._bounded(scope, receive, send, limit)

    def _refusal(self, scope: Scope, headers: dict[str, str]) -> tuple[int, str, str] | None:
        host = headers.get("host", "")
        if name_of(host) not in LOOPBACK | self.hosts:
            return 421, "misdirected", f"host {host!r} is not one of ours; name it in allowed_hosts"
        if scope["method"] in SAFE:
            return None
        origin = headers.get("origin")
        same = origin is None or origin.partition("://")[2] == host
        site = headers.get("sec-fetch-site", "none")
        if not same or site not in ("none", "same-origin"):
            return (
                403,
                "cross_site",
                f"a {scope['method']} from the page of another site ({origin}) is refused",
            )
        return None

    async def _bounded(self, scope: Scope, receive: Receive, send: Send, limit: int) -> None:
        taken, begun = 0, False

        async def counted() -> MutableMapping[str, Any]:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > limit:
                raise BodyTooLarge(f"the body is over the limit of {limit} bytes")
            return message

        async def noted(message: MutableMapping[str, Any]) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, counted, noted)
        except BodyTooLarge as error:
            if not begun:
                await _refuse(send, error.status, error.code, error.message)


_ALWAYS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
]
_POLICY = b"content-security-policy"
_SET = frozenset(name for name, _ in _ALWAYS)


def _with_headers(send: Send, policy: bytes) -> Send:
    async def sender(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            kept, own = [], (_POLICY, policy)
            for pair in message.get("headers", ()):
                name = pair[0].lower()
                if name == _POLICY:
                    # A file that a user logged comes with a policy of its own, stricter than ours.
                    own = pair if pair[1].startswith(b"sandbox") else own
                elif name not in _SET:
                    kept.append(pair)
            message = {**message, "headers": [*kept, own, *_ALWAYS]}
        await send(message)

    return sender


async def _refuse(send: Send, status: int, code: str, text: str) -> None:
    body = msgspec.json.encode({"error": {"code": code, "message": text, "hint": ""}})
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
