"""The serving process's HTTP face: raw ASGI, one function a route, each protocol's own shape for errors."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import unquote

import msgspec

from kedge.core.clock import Clock
from kedge.core.errors import Conflict, Invalid, KedgeError, NotFound, TooLarge, Unavailable
from kedge.core.hosts import LOOPBACK, name_of
from kedge.core.ids import new_id
from kedge.serving import oip, scoring
from kedge.serving.live import Live, LiveTable
from kedge.serving.recorder import Answered, Recorder
from kedge.serving.signature import Array, Inputs

MOST_BODY_BYTES = 16 * 1024 * 1024
SERVER_NAME = "kedge"
MLFLOW_VERSION = b"3.17.2"
"""Whose scoring protocol `/version` says is spoken."""

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Headers = dict[bytes, bytes]

_log = logging.getLogger(__name__)


class Reply(msgspec.Struct, frozen=True):
    """What goes back."""

    status: int
    body: bytes
    media_type: bytes = b"application/json"
    headers: tuple[tuple[bytes, bytes], ...] = ()


class _Call(msgspec.Struct, frozen=True):
    """What a route needs of a request."""

    method: str
    headers: Headers
    receive: Receive


class _Failed(Exception):
    """A reply that is an error: `status`, and the KedgeError that says why."""

    def __init__(self, status: int, error: KedgeError) -> None:
        super().__init__(str(error))
        self.status = status
        self.error = error


class ServingApp:
    """The ASGI application; `hosts` are the names by which it may be reached."""

    def __init__(
        self,
        table: LiveTable,
        recorder: Recorder,
        clock: Clock,
        version: str,
        hosts: frozenset[str] = LOOPBACK,
    ) -> None:
        self._table = table
        self._recorder = recorder
        self._clock = clock
        self._version = version
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        path = unquote(scope["raw_path"].partition(b"?")[0].decode("ascii", "replace"))
        mlflow = not path.startswith("/v2")
        try:
            reply = await self._route(path, scope, receive)
        except _Failed as failed:
            reply = _error(failed.status, failed.error, mlflow=mlflow)
        except KedgeError as error:
            reply = _error(_status(error), error, mlflow=mlflow)
        except ConnectionResetError:
            return
        except Exception:  # noqa: BLE001 - the request's edge
            _log.exception("a request failed unforeseen", extra={"action": "request", "path": path})
            reply = _error(
                500, KedgeError("the server failed over this request; its log says why"), mlflow=mlflow
            )
        headers = [(b"content-type", reply.media_type), (b"content-length", b"%d" % len(reply.body))]
        headers += [(b"x-content-type-options", b"nosniff"), *reply.headers]
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        body = b"" if scope["method"] == "HEAD" else reply.body
        await send({"type": "http.response.body", "body": body})

    async def _route(self, path: str, scope: Scope, receive: Receive) -> Reply:
        headers: Headers = dict(scope["headers"])
        host = headers.get(b"host", b"").decode("latin-1")
        if name_of(host) not in self._hosts:
            raise _Failed(421, Invalid(f"host {host!r} is not one of ours; name it in allowed_hosts"))
        if b"origin" in headers:
            # No page is served here, so a browser that sends this acts for a foreign one.
            raise _Failed(403, Invalid("requests from web pages are not taken here"))
        parts = path.strip("/").split("/")
        if parts[0] == "v2":
            return await self._v2(parts[1:], _Call(scope["method"], headers, receive))
        if path == "/health":
            _only(scope["method"], "GET", "HEAD")
            return self._health()
        if path in ("/ping", "/version"):
            _only(scope["method"], "GET", "HEAD")
            self._table.only()
            return Reply(200, b"\n" if path == "/ping" else MLFLOW_VERSION, b"text/plain")
        if path == "/invocations":
            _only(scope["method"], "POST")
            return await self._invoke(self._table.only(), headers, receive)
        if len(parts) == 3 and parts[0] == "endpoints" and parts[2] == "invocations":
            _only(scope["method"], "POST")
            return await self._invoke(self._table.get(parts[1]), headers, receive)
        raise NotFound(f"there is nothing at {path}")

    def _health(self) -> Reply:
        ready = self._table.ready.is_set()
        body = {
            "ready": ready,
            "endpoints": self._table.names(),
            "dropped_log_rows": self._recorder.dropped_rows,
        }
        return Reply(200 if ready else 503, msgspec.json.encode(body))

    async def _v2(self, parts: list[str], call: _Call) -> Reply:
        match parts:
            case []:
                _only(call.method, "GET", "HEAD")
                return _json({"name": SERVER_NAME, "version": self._version, "extensions": []})
            case ["health", "live"]:
                _only(call.method, "GET", "HEAD")
                return _json({"live": True})
            case ["health", "ready"]:
                _only(call.method, "GET", "HEAD")
                if not self._table.ready.is_set():
                    raise Unavailable("the models are being loaded")
                return _json({"ready": True})
            case ["models", name, *rest]:
                version = rest[1] if len(rest) > 1 and rest[0] == "versions" else None
                return await self._v2_model(name, version, rest[2:] if version else rest, call)
        raise NotFound(f"there is nothing at /v2/{'/'.join(parts)}")

    async def _v2_model(self, name: str, version: str | None, rest: list[str], call: _Call) -> Reply:
        if rest == []:
            _only(call.method, "GET", "HEAD")
            live = self._table.get(name, version)
            return _json(oip.metadata(name, live.deployment.model_version, live.model))
        if rest == ["ready"]:
            _only(call.method, "GET", "HEAD")
            self._table.get(name, version)
            return _json({"name": name, "ready": True})
        if rest == ["infer"]:
            _only(call.method, "POST")
            return await self._infer(name, version, call)
        raise NotFound(f"there is nothing at /v2/models/{name}/{'/'.join(rest)}")

    async def _infer(self, name: str, version: str | None, call: _Call) -> Reply:
        started_s = self._clock.monotonic_s()
        body = await _body(call.headers, call.receive)
        live = self._table.get(name, version)
        rows = 0
        failed = True
        try:
            if b"inference-header-content-length" in call.headers:
                raise Invalid("binary tensor data is not read here: send JSON (binary_data=False)")
            _check_json(call.headers)
            request = oip.read_request(body)
            event_ms = oip.event_time_ms(request, self._clock.now_ms())
            inputs = oip.read_inputs(request, live.model)
            rows = inputs.rows
            answers = await self._answers(live, inputs)
            request_id = request.id or new_id()
            reply = oip.write_response(
                live.model,
                answers,
                name=name,
                version=live.deployment.model_version,
                request_id=request_id,
                wanted=request.outputs,
            )
            self._record(live, request_id, event_ms, inputs, answers)
            failed = False
        finally:
            self._count(live, rows, started_s, failed=failed)
        return Reply(200, reply)

    async def _invoke(self, live: Live, headers: Headers, receive: Receive) -> Reply:
        started_s = self._clock.monotonic_s()
        body = await _body(headers, receive)
        rows = 0
        failed = True
        try:
            inputs = _read_scoring(body, headers, live)
            rows = inputs.rows
            answers = await self._answers(live, inputs)
            reply = scoring.write_answer(answers)
            request_id = headers.get(b"x-request-id", b"").decode("ascii", "ignore")[:256] or new_id()
            self._record(live, request_id, None, inputs, answers)
            failed = False
        finally:
            self._count(live, rows, started_s, failed=failed)
        return Reply(200, reply, headers=((b"x-request-id", request_id.encode()),))

    async def _answers(self, live: Live, inputs: Inputs) -> Array:
        try:
            return await live.batcher.submit(inputs)
        except (asyncio.CancelledError, KedgeError):
            raise
        except Exception as error:
            _log.warning("the model refused a request", extra={"action": "predict", "error": repr(error)})
            raise Invalid(
                f"model {live.deployment.model_name!r} version {live.deployment.model_version} refused these rows: "
                f"{type(error).__name__}: {error}"
            ) from error

    def _record(
        self, live: Live, request_id: str, event_ms: int | None, inputs: Inputs, answers: Array
    ) -> None:
        self._recorder.answered(
            Answered(
                deployment=live.deployment,
                request_id=request_id,
                at_ms=self._clock.now_ms() if event_ms is None else event_ms,
                inputs=inputs,
                answers=answers,
                feature_names=live.model.feature_names,
            )
        )

    def _count(self, live: Live, rows: int, started_s: float, *, failed: bool) -> None:
        latency_ms = (self._clock.monotonic_s() - started_s) * 1000
        self._recorder.count(live.deployment, rows=rows, latency_ms=latency_ms, failed=failed)


def _read_scoring(body: bytes, headers: Headers, live: Live) -> Inputs:
    declared, kind, parameters = _content_type(headers)
    charset = parameters.pop("charset", "utf-8")
    if kind not in ("application/json", "text/csv") or charset != "utf-8" or parameters:
        raise _Failed(
            415, Invalid(f"content type {declared!r} is not taken: application/json or text/csv, in UTF-8")
        )
    return scoring.read_csv(body, live.model) if kind == "text/csv" else scoring.read_json(body, live.model)


def _check_json(headers: Headers) -> None:
    """A request of the Open Inference Protocol is JSON, said so or left unsaid."""
    declared, kind, parameters = _content_type(headers)
    if kind not in _JSON or parameters.get("charset", "utf-8") != "utf-8":
        raise _Failed(415, Invalid(f"content type {declared!r} is not taken: application/json, in UTF-8"))


_JSON = ("", "application/json", "application/x-www-form-urlencoded")
"""What a JSON body may be declared as; the last is what `curl -d` says of anything."""


def _content_type(headers: Headers) -> tuple[str, str, dict[str, str]]:
    """As declared, and taken apart in lower case: media type and parameters."""
    declared = headers.get(b"content-type", b"").decode("latin-1")
    kind, *rest = (part.strip() for part in declared.lower().split(";"))
    pairs = (part.partition("=") for part in rest if part)
    return declared, kind, {name.strip(): value.strip().strip('"') for name, _, value in pairs}


async def _body(headers: Headers, receive: Receive) -> bytes:
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise _Failed(415, Invalid("compressed bodies are not taken: send the body as it is"))
    if int(headers.get(b"content-length", b"0")) > MOST_BODY_BYTES:
        raise TooLarge(f"the body is over {MOST_BODY_BYTES} bytes")
    pieces = []
    size_bytes = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionResetError
        piece = message.get("body", b"")
        size_bytes += len(piece)
        if size_bytes > MOST_BODY_BYTES:
            raise TooLarge(f"the body is over {MOST_BODY_BYTES} bytes")
        pieces.append(piece)
        more = message.get("more_body", False)
    return b"".join(pieces)


def _only(method: str, *allowed: str) -> None:
    if method not in allowed:
        raise _Failed(405, Invalid(f"{method} is not taken here: {', '.join(allowed)}"))


def _json(value: Any) -> Reply:
    return Reply(200, msgspec.json.encode(value))


def _status(error: KedgeError) -> int:
    """These protocols know 400 for what Kedge's own API calls 422."""
    return 400 if isinstance(error, (Invalid, Conflict)) else error.status


_CODES = {
    400: "BAD_REQUEST",
    403: "PERMISSION_DENIED",
    404: "RESOURCE_DOES_NOT_EXIST",
    405: "BAD_REQUEST",
    413: "REQUEST_LIMIT_EXCEEDED",
    415: "BAD_REQUEST",
    421: "BAD_REQUEST",
    503: "TEMPORARILY_UNAVAILABLE",
}


def _error(status: int, error: KedgeError, *, mlflow: bool) -> Reply:
    if mlflow:
        body = {"error_code": _CODES.get(status, "INTERNAL_ERROR"), "message": str(error)}
        return Reply(status, msgspec.json.encode(body))
    return Reply(status, msgspec.json.encode({"error": str(error)}))
