"""MLflow's routes of experiments, runs and metrics, answered here; the rest goes to MLflow's own server.

This stands before the router: a run that logs asks thousands of times, and each look-up is one of a dictionary.
"""

import asyncio
import logging
import random
import uuid
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

import msgspec
from starlette.concurrency import run_in_threadpool

from kedge.core.errors import Invalid, KedgeError
from kedge.core.mlflow_error import MlflowError, NeedsMlflow, invalid_parameter
from kedge.core.models import ModelChange
from kedge.core.runs import Change
from kedge.core.services import Tracking
from kedge.tracking.operations import OPERATIONS, plan_of_body, plan_of_query
from kedge.tracking.plans import Fresh, Operation, Plan, Write
from kedge.tracking.run_names import random_run_name

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_PREFIXES = (
    "/api/2.0/mlflow/",
    "/ajax-api/2.0/mlflow/",
    "/mlflow/api/2.0/mlflow/",
    "/mlflow/ajax-api/2.0/mlflow/",
)
_ROUTES: dict[tuple[str, str], Operation] = {
    (method, prefix + path): operation
    for (method, path), operation in OPERATIONS.items()
    for prefix in _PREFIXES
}
_LARGE_BYTES = 16 * 1024
"""Reading more, and cutting it into words, would hold up everybody else: a thread does it."""
_LARGE_SHORTCUT_BYTES = 256 * 1024
_MODELS = "logged-models/"
"""The one family of routes that names things in its path."""


def is_tracking(path: str) -> bool:
    """Whether the path is of a route that is answered here, by some method."""
    return path in _PATHS or (path.startswith(_PREFIXES) and f"/{_MODELS}" in path)


def _found(method: str, path: str) -> tuple[Operation | None, dict[str, str]]:
    """The route's operation, and what its path names."""
    operation = _ROUTES.get((method, path))
    if operation is not None or not is_tracking(path):
        return operation, {}
    prefix = next(each for each in _PREFIXES if path.startswith(each))
    _, model_id, *rest = path[len(prefix) :].split("/")
    if len(rest) == 2 and rest[0] == "tags":
        operation = _ROUTES.get((method, f"{prefix}{_MODELS}{{model_id}}/tags/{{tag_key}}"))
        return operation, {"model_id": model_id, "tag_key": rest[1]}
    return _ROUTES.get((method, "/".join([f"{prefix}{_MODELS}{{model_id}}", *rest]))), {"model_id": model_id}


_PATHS = frozenset(path for _, path in _ROUTES)

log = logging.getLogger("kedge.tracking")


class Answers:
    """Outcomes of changes, handed from the writing thread to the event loop: one wake-up for all of a commit."""

    def __init__(self, store: Tracking, loop: asyncio.AbstractEventLoop) -> None:
        self._store = store
        self._loop = loop
        self._ready: deque[tuple[asyncio.Future[Any], Any]] = deque()
        self._called = False

    def of(self, change: Change | ModelChange) -> asyncio.Future[Any]:
        """The outcome, after the commit that holds the change."""
        future: asyncio.Future[Any] = self._loop.create_future()

        def done(outcome: Any) -> None:
            self._ready.append((future, outcome))
            if not self._called:
                self._called = True
                self._loop.call_soon_threadsafe(self._settle)

        self._store.submit(change, done)
        return future

    def _settle(self) -> None:
        self._called = False
        while self._ready:
            future, outcome = self._ready.popleft()
            if future.cancelled():
                continue  # the client went away; what it asked for is stored all the same
            if isinstance(outcome, BaseException):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)


class TrackingRoutes:
    """ASGI application: answers what it knows from the store, and passes on everything else."""

    def __init__(self, store: Tracking, otherwise: App) -> None:
        self._store = store
        self._otherwise = otherwise
        self._answers: Answers | None = None
        chance = random.Random()  # noqa: S311 - names, no secrets
        # Ids need be unique, not secret: asking the system for randomness each time would cost more than the row.
        self._fresh = Fresh(
            run_id=lambda: uuid.UUID(int=chance.getrandbits(128), version=4).hex,
            run_name=lambda: random_run_name(chance),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http":
            operation, named = _found(scope["method"], scope["path"])
            if operation is not None:
                await self._answer(operation, named, scope, receive, send)
                return
        await self._otherwise(scope, receive, send)

    async def _answer(
        self, operation: Operation, named: dict[str, str], scope: Scope, receive: Receive, send: Send
    ) -> None:
        content = b"" if scope["method"] == "GET" else await _body(receive)
        try:
            if scope["method"] == "GET":
                query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
                large = len(scope["query_string"]) > _LARGE_BYTES
                plan = await _maybe_apart(large, plan_of_query, operation, query, self._fresh, **named)
            else:
                # MLflow asks only POST and PUT for the type of their content.
                kind = _content_type(scope) if scope["method"] == "POST" else "application/json"
                large = len(content) > (_LARGE_BYTES if operation.shortcut is None else _LARGE_SHORTCUT_BYTES)
                plan = await _maybe_apart(large, plan_of_body, operation, content, kind, self._fresh, **named)
            status, body = 200, await self._carried_out(plan)
        except NeedsMlflow:
            await self._otherwise(scope, _again(content, receive), send)
            return
        except MlflowError as error:
            status, body = error.http_status, msgspec.json.encode(error.body())
        except (Invalid, OverflowError) as error:  # the database has no room for a value
            refused = invalid_parameter(str(error))
            status, body = 400, msgspec.json.encode(refused.body())
        except KedgeError as error:
            refused = MlflowError("TEMPORARILY_UNAVAILABLE", str(error))
            status, body = error.status, msgspec.json.encode(refused.body())
        except Exception:  # the edge of a request
            log.exception("%s %s failed", scope["method"], scope["path"], extra={"action": "error"})
            refused = MlflowError(
                "INTERNAL_ERROR", "something went wrong inside Kedge; the log of web has the details"
            )
            status, body = 500, msgspec.json.encode(refused.body())
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _carried_out(self, plan: Plan) -> bytes:
        if isinstance(plan, Write):
            if self._answers is None:
                self._answers = Answers(self._store, asyncio.get_running_loop())
            return plan.answer(await self._answers.of(plan.change))
        if plan.quick:
            return plan.answer(self._store)
        return await run_in_threadpool(plan.answer, self._store)


async def _maybe_apart(apart: bool, planned: Callable[..., Plan], *arguments: Any, **named: Any) -> Plan:
    if apart:
        return await run_in_threadpool(planned, *arguments, **named)
    return planned(*arguments, **named)


async def _body(receive: Receive) -> bytes:
    message = await receive()
    first: bytes = message.get("body", b"")
    if not message.get("more_body"):
        return first
    pieces = [first]
    while message.get("more_body"):
        message = await receive()
        pieces.append(message.get("body", b""))
    return b"".join(pieces)


def _again(content: bytes, receive: Receive) -> Receive:
    """The body once more, for who answers instead."""
    told = False

    async def replay() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": content, "more_body": False}

    return replay


def _content_type(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == b"content-type":
            return str(value.decode("latin-1"))
    return None
