"""The native routes in one process: what comes back, and what is refused with which words."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route as StarletteRoute

from kedge.api.native import datasets, jobs, objects, pipelines, reports
from kedge.api.native.messages import PREFIX, error_answer
from kedge.app.wiring import open_services
from kedge.core.clock import SystemClock
from kedge.core.errors import KedgeError
from kedge.core.services import Addresses

CONTENT = b"some bytes"


class InProcess(httpx.BaseTransport):
    """Requests answered by an application, with no socket between."""

    def __init__(self, app: Starlette) -> None:
        self._inner = httpx.ASGITransport(app=app)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        async def ask() -> httpx.Response:
            reply = await self._inner.handle_async_request(request)
            return httpx.Response(reply.status_code, headers=reply.headers, content=await reply.aread())

        return asyncio.run(ask())


@pytest.fixture
def http(tmp_path: Path) -> Iterator[httpx.Client]:
    addresses = Addresses(web="http://127.0.0.1:9", serving="http://127.0.0.1:9")
    services, database = open_services(tmp_path / "home", addresses, SystemClock())

    async def refused(_request: Any, error: Any) -> Any:
        return error_answer(error)

    table = [
        route for room in (datasets, jobs, objects, pipelines, reports) for route in room.routes(services)
    ]
    app = Starlette(
        routes=[StarletteRoute(route.path, route.handler, methods=[route.method]) for route in table],
        exception_handlers={KedgeError: refused},
    )
    with httpx.Client(transport=InProcess(app), base_url=f"http://testserver{PREFIX}/") as client:
        yield client
    database.close()


def put(http: httpx.Client, content: bytes = CONTENT) -> dict[str, Any]:
    return http.put("objects", content=content).json()


def a_file(http: httpx.Client, path: str = "a", **changes: Any) -> dict[str, Any]:
    return {"path": path, **put(http), **changes}


def refusal(reply: Any, status: int = 422) -> str:
    assert reply.status_code == status, reply.text
    error = reply.json()["error"]
    assert set(error) == {"code", "message", "hint"}
    return str(error["message"])


def test_what_is_not_there_is_named(http: httpx.Client) -> None:
    assert "no dataset 'none'" in refusal(http.get("datasets/none"), 404)
    assert "no dataset 'none'" in refusal(http.get("datasets/none/versions/latest"), 404)
    http.post("datasets/d/versions", json={"files": [a_file(http)]})
    assert "no version '7'" in refusal(http.get("datasets/d/versions/7"), 404)
    assert "'x'" in refusal(http.get("dataset-versions/x"), 404)
    assert "'x'" in refusal(http.get("jobs/x"), 404)
    assert "'x'" in refusal(http.get("reports/x"), 404)
    use = {"pipeline_run_id": "r", "step": "s", "dataset_version_id": "x"}
    assert "'x'" in refusal(http.post("dataset-uses", json=use), 404)


BROKEN = [
    b"", b"{", b"[]", b"null", b"3", b'{"files": 3}', b'{"files": []}', b'{"files": [], "other": 1}',
    b'{"files": [{"path": "\xff"}]}', b'{"files": [{"path": "\\ud800"}]}', b"\xff\xfe", b"[" * 100_000,
    b'{"files": [], "rows": 1e400}', b'{"files": [], "rows": -1}', b'{"files": [], "rows": 100000000000000000000}',
    b'{"files": [], "rows": 9223372036854775807}',
]  # fmt: skip


@pytest.mark.parametrize("body", BROKEN, ids=[str(body[:30]) for body in BROKEN])
def test_bodies_that_are_no_version(http: httpx.Client, body: bytes) -> None:
    refusal(http.post("datasets/d/versions", content=body))


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"entry": "a:b", "project": "/p", "pipeline": "a b"}',
        b'{"entry": "a:b", "project": "relative", "pipeline": "p"}',
        b'{"entry": "nothing", "project": "/p", "pipeline": "p"}',
        b'{"entry": "a:b", "project": "/p", "pipeline": "p", "params": []}',
        b'{"entry": "a:b", "project": "/p", "pipeline": "p", "params": {"x": '
        + b"[" * 50_000
        + b"]" * 50_000
        + b"}}",
    ],
    ids=["empty", "name", "project", "entry", "params", "deep"],
)
def test_bodies_that_are_no_run(http: httpx.Client, body: bytes) -> None:
    refusal(http.post("pipeline-runs", content=body))
    assert http.get("pipeline-runs").json() == []


def test_the_command_of_a_run_is_queued_and_taken_back(http: httpx.Client) -> None:
    body = {"entry": "a:b", "project": "/p", "pipeline": "p", "params": {"n": 1}}
    made = http.post("pipeline-runs", json=body)
    assert (made.status_code, made.json()["state"]) == (201, "queued")
    one = f"pipeline-runs/{made.json()['id']}"
    assert http.get(f"jobs/{made.json()['job_id']}").json()["state"] == "queued"
    assert http.post(f"{one}/cancel").json()["state"] == "cancelled"
    assert "cannot be cancelled" in refusal(http.post(f"{one}/cancel"), 409)
    assert "no step 's'" in refusal(http.get(f"{one}/steps/s/log"), 404)
    assert http.get(one).json()["steps"] == []
