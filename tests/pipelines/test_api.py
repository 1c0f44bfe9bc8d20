"""The routes and the SDK, the one through the other, in one process."""

import asyncio
from collections.abc import Iterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route as StarletteRoute
from tests.pipelines.conftest import Bench

import kedge
from kedge.api.native import jobs, pipelines
from kedge.api.native.messages import PREFIX, error_answer
from kedge.client import connection as client_connection
from kedge.client.pipelines import PipelineFailed, RunHandle
from kedge.core.errors import Conflict, Invalid, KedgeError, NotFound

SOURCE = """
    import os
    import kedge

    @kedge.step
    def half(x):
        os.write(1, f"halving {x}\\n".encode())
        return x / 2

    @kedge.pipeline(name="halves")
    def halve(x, *, times=1):
        for _ in range(times):
            x = half(x)
        return x
"""


class InProcess(httpx.BaseTransport):
    """Requests answered by an ASGI application, with no socket between."""

    def __init__(self, app: Starlette) -> None:
        self._inner = httpx.ASGITransport(app=app)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        async def ask() -> httpx.Response:
            reply = await self._inner.handle_async_request(request)
            return httpx.Response(reply.status_code, headers=reply.headers, content=await reply.aread())

        return asyncio.run(ask())


@pytest.fixture
def http(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx.Client]:
    async def refused(_request, error):
        return error_answer(error)

    table = pipelines.routes(bench.services) + jobs.routes(bench.services)
    app = Starlette(
        routes=[StarletteRoute(route.path, route.handler, methods=[route.method]) for route in table],
        exception_handlers={KedgeError: refused},
    )
    connection = client_connection.Connection("http://testserver")
    connection.close()
    with httpx.Client(base_url="http://testserver", transport=InProcess(app)) as client:
        connection._http = client
        monkeypatch.setattr(client_connection, "_shared", connection)
        yield client


@pytest.fixture
def entry(bench: Bench) -> str:
    return f"{bench.write('halving.py', SOURCE)}:halve"


def work(bench: Bench) -> None:
    job = bench.claim()
    bench.driver(job).drive()
    bench.services.jobs.finish(job, state="succeeded")


def test_a_run_is_submitted_followed_and_read(http: httpx.Client, bench: Bench, entry: str) -> None:
    handle = kedge.submit(entry, x=3)
    view = handle.view()
    assert (view.run.pipeline, view.run.state, view.run.params, view.steps) == (
        "halves",
        "queued",
        {"x": 3},
        [],
    )
    assert http.get(f"{PREFIX}/jobs/{view.run.job_id}").json()["state"] == "queued"
    with pytest.raises(Conflict, match="still queued after 0"):
        handle.wait(timeout_s=0)
    work(bench)
    seen = []
    assert handle.wait(on_change=seen.append).state == "succeeded"
    assert handle.result() == 1.5
    assert [step.state for step in seen[-1].steps] == ["succeeded"]
    assert http.get(f"{PREFIX}/pipeline-runs/{handle.id}/steps/half/log").text == "halving 3\n"
    assert [run["id"] for run in http.get(f"{PREFIX}/pipeline-runs?pipeline=halves").json()] == [handle.id]
    assert http.get(f"{PREFIX}/pipeline-runs?pipeline=other").json() == []
    with pytest.raises(Conflict, match="it has succeeded"):
        handle.cancel()


def test_a_failed_run_raises_only_where_its_result_is_asked_for(http, bench: Bench, entry: str) -> None:
    handle = kedge.submit(entry, x="text")
    work(bench)
    assert handle.wait().state == "failed"
    with pytest.raises(PipelineFailed, match="step 'half' failed: TypeError"):
        handle.result()


def test_a_queued_run_can_be_cancelled(http, bench: Bench, entry: str) -> None:
    handle = kedge.submit(entry, x=1)
    assert handle.cancel().state == "cancelled"
    assert handle.wait().state == "cancelled"
    assert bench.services.jobs.claim("w", kinds=("pipeline",), lease_ms=1) is None


def test_wrong_starts_are_refused_before_anything_is_queued(http, bench: Bench, entry: str) -> None:
    for params, said in [({}, "missing x"), ({"x": 1, "y": 2}, "unknown y"), ({"x": {1}}, "'x'.*a set")]:
        with pytest.raises(Invalid, match=said):
            kedge.submit(entry, **params)
    with pytest.raises(NotFound, match="has no 'haalve'"):
        kedge.submit(entry.replace(":halve", ":haalve"), x=1)
    assert bench.services.pipelines.runs() == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"entry": "nothing"}, "names no pipeline"),
        ({"project": "relative"}, "must be an absolute path"),
        ({"pipeline": "a b"}, "'a b'"),
        ({"params": [1]}, "params"),
        ({"extra": 1}, "extra"),
    ],
)
def test_bodies_that_are_wrong_are_refused(http: httpx.Client, changes: dict, said: str) -> None:
    body = {"entry": "m:f", "project": "/p", "pipeline": "f", "params": {}, **changes}
    reply = http.post(f"{PREFIX}/pipeline-runs", json=body)
    assert (reply.status_code, reply.json()["error"]["code"]) == (422, "invalid")
    assert said in reply.json()["error"]["message"]


def test_unknown_runs_and_steps_are_not_found(http: httpx.Client, bench: Bench, entry: str) -> None:
    handle = kedge.submit(entry, x=1)
    for path in ("nope", "nope/steps/half/log", f"{handle.id}/steps/half/log"):
        assert http.get(f"{PREFIX}/pipeline-runs/{path}").status_code == 404
    with pytest.raises(NotFound, match="'nope'"):
        RunHandle("nope").cancel()
