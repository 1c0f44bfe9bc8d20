"""The routes of objects, datasets and reports on real stores, behind the real guard."""

import contextlib
import dataclasses
import threading
import time
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route as StarletteRoute

from kedge.api.native import datasets, objects, reports
from kedge.api.native.messages import error_answer
from kedge.app.guard import Guard
from kedge.app.wiring import open_services
from kedge.core.clock import SystemClock
from kedge.core.errors import KedgeError
from kedge.core.services import Addresses, Services
from kedge.storage.database import Database


@dataclasses.dataclass
class Web:
    """An ASGI application on services of its own; `limit_bytes` is the guard's for every body."""

    services: Services
    database: Database
    limit_bytes: int = 64 * 1024**2

    def app(self):
        async def on_error(_, error):
            return error_answer(error)

        table = [route for room in (objects, datasets, reports) for route in room.routes(self.services)]
        inner = Starlette(
            routes=[StarletteRoute(r.path, r.handler, methods=[r.method]) for r in table],
            exception_handlers={KedgeError: on_error},
        )
        return Guard(inner, frozenset(), lambda _method, _path: self.limit_bytes)


def open_web(home: Path) -> Web:
    home.mkdir(exist_ok=True)
    addresses = Addresses(web="http://127.0.0.1:1", serving="http://127.0.0.1:2")
    return Web(*open_services(home, addresses, SystemClock()))


class Switch:
    """An ASGI application that is another one: a server need not be started for every test."""

    app = None

    async def __call__(self, scope, receive, send):
        await self.app(scope, receive, send)


@contextlib.contextmanager
def served(app):
    """The application on a port that the kernel chose; gives its address."""
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="off", http="httptools")
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started:
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)
