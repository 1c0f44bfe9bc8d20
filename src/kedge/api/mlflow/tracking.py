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

from kedge.core.errors import KedgeError
from kedge.core.mlflow_error import MlflowError, NeedsMlflow
from kedge.core.runs import Change, TrackingStore
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
PATHS = frozenset(path for _, path in _ROUTES)

log = logging.getLogger("kedge.tracking")


class Answers:
    """Outcomes of changes, handed from the writing thread to the event loop: one wake-up for all of a commit."""

    def __init__(self, store: TrackingStore, loop: asyncio.AbstractEventLoop) -> None:
        self._store = store
        self._loop = loop
        self._ready: deque[tuple[asyncio.Future[Any], Any]] = deque()
        self._called = False

    def of(self, change: Change) -> asyncio.Future[Any]:
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


class Tracking:
    """ASGI application: answers what it knows from the store, and passes on everything else."""

    def __init__(self, store: TrackingStore, otherwise: App) -> None:
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
            operation = _ROUTES.get((scope["method"], scope["path"]))
            if operation is not None:
                await self._answer(operation, scope, receive, send)
                return
        await self._otherwise(scope, receive, send)

    async def _answer(self, operation: Operation, scope: Scope, receive: Receive, send: Send) -> None:
        content = await _body(receive) if scope["method"] == "POST" else b""
        try:
            if scope["method"] == "POST":
                plan = plan_of_body(operation, content, _content_type(scope), self._fresh)
            else:
                query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
                plan = plan_of_query(operation, query, self._fresh)
            status, body = 200, await self._carried_out(plan)
        except NeedsMlflow:
            await self._otherwise(scope, _again(content, receive), send)
            return
        except MlflowError as error:
            status, body = error.http_status, msgspec.json.encode(error.body())
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


async def _body(receive: Receive) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body"):
        message = await receive()
        body += message.get("body", b"")
    return body


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
