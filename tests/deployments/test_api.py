"""The native API and the SDK, over real sockets, with the serving app beside."""

import asyncio
import contextlib
import math
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import typer
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route as StarletteRoute
from typer.testing import CliRunner

import kedge.client.deployments as client
from kedge.api.native import endpoints, labels, models
from kedge.api.native.messages import PREFIX, error_answer
from kedge.app.commands import deploy as commands
from kedge.client import connection
from kedge.core.errors import Conflict, Invalid, KedgeError, NotFound, TooLarge, Unavailable
from kedge.core.services import Addresses
from kedge.deployments.deploy import deploy
from kedge.serving.attempts import Attempts
from kedge.serving.http import ServingApp
from kedge.serving.live import LiveTable
from kedge.serving.recorder import Recorder
from kedge.serving.watcher import Watcher


def web_app(services):
    """The routes of this room, and errors as the web process answers them."""
    routes = [
        StarletteRoute(route.path, route.handler, methods=[route.method])
        for module in (endpoints, labels, models)
        for route in module.routes(services)
    ]

    async def refused(_request, error):
        return error_answer(error)

    return Starlette(routes=routes, exception_handlers={KedgeError: refused})


@contextlib.contextmanager
def running(app):
    """The app on a free port in a thread."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None, ws="none"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])))
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join()
    listener.close()


@pytest.fixture
def platform(services, monkeypatch):
    """Web and serving, as two servers in this process; yields the services that know their addresses."""
    table = LiveTable()
    executor = ThreadPoolExecutor(1)
    recorder = Recorder(services.inference, services.deployments, services.clock)
    database = services.deployments._database
    watcher = Watcher(
        services.deployments,
        table,
        executor,
        Attempts(services.home / "attempts.json"),
        change=database.data_version,
        trust_pickle=False,
    )
    recorder.start()
    watcher.start()
    with running(ServingApp(table, recorder, services.clock, "0")) as serving:
        known = msgspec.structs.replace(services, addresses=Addresses(web="", serving=serving))
        with running(web_app(known)) as web:
            monkeypatch.setattr(connection, "_shared", None)
            connected = connection.connect(web)
            yield msgspec.structs.replace(known, addresses=Addresses(web=web, serving=serving))
            connected.close()
    watcher.stop()
    recorder.stop()
    executor.shutdown()


@pytest.fixture
def handle(platform, register):
    """An endpoint that answers a + b."""
    register(aliases=("champion",))
    client.deploy("delays", model="flights", alias="champion", reason="first")
    with client.endpoint("delays") as handle:
        yield handle


@pytest.mark.slow
def test_deploy_predict_label_and_look(handle, register, services):
    expected = pytest.approx([3, 7])
    for rows in (
        {"a": [1, 3], "b": [2.0, 4.0]},
        {"a": np.array([1, 3]), "b": np.array([2, 4], dtype=np.float32)},
        pa.table({"a": [1, 3], "b": [2.0, 4.0]}),
        pd.DataFrame({"a": [1, 3], "b": [2.0, 4.0]}),
    ):
        assert handle.predict(rows) == expected
    assert handle.predict({"a": [1.0], "b": [1.0]}, request_id="seven", event_time_ms=42) == pytest.approx(
        [2]
    )
    deadline = services.clock.monotonic_s() + 10
    while handle.log().rows < 9 and services.clock.monotonic_s() < deadline:
        services.clock.sleep(0.02)
    log = handle.log()
    assert log.rows == 9
    assert log.watermark_ms > 42
    assert log.label_watermark_ms is None
    assert handle.send_labels([("seven", 0, 1)], at_ms=99) == 1
    assert handle.send_labels([("seven", 0, True)], at_ms=99) == 0
    assert handle.log().label_watermark_ms == 99
    assert sum(minute.requests for minute in handle.traffic()) == 5
    register(offset=100)
    assert client.deploy("delays", model="flights", version=2).state == "live"
    assert handle.predict({"a": [1.0], "b": [1.0]}) == pytest.approx([102])
    assert client.rollback("delays").model_version == "1"
    assert handle.predict({"a": [1.0], "b": [1.0]}) == pytest.approx([2])
    state = handle.state()
    assert [deployment.model_version for deployment in state.history] == ["1", "2", "1"]
    assert state.live.id == state.wanted.id == state.endpoint.live
    assert [each.endpoint.name for each in client.endpoints()] == ["delays"]


@pytest.mark.slow
def test_refusals_are_the_errors_that_they_are(handle, register):
    for error, message, rows in (
        (Invalid, "input 'c' is not one of the model's", {"a": [1], "b": [2], "c": [3]}),
        (Invalid, "input 'b' holds text", {"a": [1.0], "b": ["x"]}),
        (Invalid, "column 'b' mixes int, str", {"a": [1.0, 2.0], "b": [1, "x"]}),
        (Invalid, "refused these rows: ValueError: Input X contains NaN", {"a": [1.0], "b": [math.nan]}),
        (Invalid, "rows are a list", [1, 2]),
        (TooLarge, "over 16777216 bytes", {"a": np.zeros(4_000_000), "b": np.zeros(4_000_000)}),
    ):
        with pytest.raises(error, match=message):
            handle.predict(rows)
    with pytest.raises(NotFound, match="no endpoint 'nothing'"):
        client.endpoint("nothing").predict({"a": [1]})
    with pytest.raises(NotFound, match="no endpoint 'nothing'"):
        client.endpoint("nothing").send_labels([("r", 0, 1)], at_ms=1)
    with pytest.raises(Invalid, match="a row counts from 0"):
        handle.send_labels([("r", -1, 1)], at_ms=1)
    broken = register()
    (Path(broken.location) / "model.skops").write_bytes(b"broken")
    with pytest.raises(Conflict, match=r"could not be deployed on 'delays': model\.skops cannot be read"):
        client.deploy("delays", model="flights", version="2")
    assert handle.predict({"a": [1.0], "b": [1.0]}) == pytest.approx([2])


def test_deploying_without_a_serving_process_times_out(services, register, monkeypatch):
    register()
    with running(web_app(services)) as web:
        monkeypatch.setattr(connection, "_shared", None)
        connected = connection.connect(web)
        with pytest.raises(Unavailable, match=r"still pending after 0\.1 s"):
            client.deploy("delays", model="flights", version=1, timeout_s=0.1)
        with client.endpoint("delays") as handle, pytest.raises(Unavailable, match="no answer"):
            handle.predict({"a": [1.0]})
        connected.close()


def test_the_api_refuses_malformed_bodies(services, register):
    register()
    deploy(services, "delays", "flights", "1")

    async def ask_all():
        transport = httpx.ASGITransport(web_app(services))
        async with httpx.AsyncClient(transport=transport, base_url="http://web" + PREFIX) as http:
            for status, method, path, content in (
                (422, "POST", "/endpoints/delays/deployments", b"{"),
                (422, "POST", "/endpoints/delays/deployments", b'{"model": "flights"}'),
                (422, "POST", "/endpoints/delays/deployments", b'{"model":"m","version":"1","alias":"a"}'),
                (404, "POST", "/endpoints/delays/deployments", b'{"model":"m","version":"1"}'),
                (422, "POST", "/endpoints/a%20b/deployments", b'{"model":"flights","version":"1"}'),
                (409, "POST", "/endpoints/delays/rollback", b""),
                (422, "POST", "/endpoints/delays/labels", b'{"labels": [{"request_id": 1}]}'),
                (
                    422,
                    "POST",
                    "/endpoints/delays/labels",
                    b'{"labels":[{"request_id":"r","row":-1,"label":1,"at_ms":1}]}',
                ),
                (404, "POST", "/endpoints/nothing/labels", b'{"labels": []}'),
                (404, "GET", "/endpoints/nothing", b""),
                (404, "GET", "/endpoints/nothing/log", b""),
                (404, "GET", "/endpoints/nothing/traffic", b""),
                (404, "GET", "/deployments/nothing", b""),
                (422, "GET", "/endpoints/delays/traffic?since_ms=x", b""),
                (422, "GET", f"/endpoints/delays/traffic?since_ms={2**63}", b""),
            ):
                reply = await http.request(method, path, content=content)
                assert reply.status_code == status, (method, path, content, reply.text)
                assert set(reply.json()["error"]) == {"code", "message", "hint"}
            assert (await http.get("/models")).json() == []
            [version] = (await http.get("/models/flights")).json()["versions"]
            assert version["version"] == "1"
            [state] = (await http.get("/endpoints")).json()
            assert state["url"] == "http://127.0.0.1:2/v2/models/delays"

    asyncio.run(ask_all())


@pytest.mark.slow
def test_commands(platform, register, tmp_path):
    register(aliases=("champion",))
    register()
    cli = typer.Typer()
    commands.register(cli)
    runner = CliRunner()

    def run(*arguments):
        result = runner.invoke(cli, [*arguments, "--url", platform.addresses.web], catch_exceptions=False)
        connection.connection().close()
        assert result.exit_code == 0
        return result.stdout

    assert "version 1 is live" in run("deploy", "delays", "--model", "flights", "--alias", "champion")
    told = run("deploy", "delays", "--model", "flights", "--version", "2", "--json")
    assert msgspec.json.decode(told)["model_version"] == "2"
    assert "version 1 is live" in run("rollback", "delays")
    assert "delays" in run("endpoints")
    assert len(msgspec.json.decode(run("endpoints", "delays", "--json"))["history"]) == 3
    (tmp_path / "rows.json").write_text('{"a": [1, 2], "b": [0.5, 1]}')
    (tmp_path / "records.json").write_text('[{"a": 1, "b": 0.5}, {"a": 2, "b": 1}]')
    (tmp_path / "rows.csv").write_text("a,b\n1,0.5\n2,1\n")
    pq.write_table(pa.table({"a": [1, 2], "b": [0.5, 1.0]}), tmp_path / "rows.parquet")
    for name in ("rows.json", "records.json", "rows.csv", "rows.parquet"):
        printed = run("predict", "delays", str(tmp_path / name))
        assert [float(line) for line in printed.split()] == pytest.approx([1.5, 3])
    answered = msgspec.json.decode(run("predict", "delays", str(tmp_path / "rows.csv"), "--json"))
    assert answered["model_version"] == "1"
    for name, text in (("a.json", "3"), ("a.txt", ""), ("b.csv", "")):
        (tmp_path / name).write_text(text)
        with pytest.raises(Invalid, match=name):
            commands.read_rows(tmp_path / name)
    with pytest.raises(Invalid, match="either --alias or --version"):
        run("deploy", "delays", "--model", "flights")
