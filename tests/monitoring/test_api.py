"""The routes and the SDK, the one through the other, in one process."""

import asyncio
import importlib.util
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route as StarletteRoute

import kedge
from kedge.api.native import jobs as job_routes
from kedge.api.native import monitors as monitor_routes
from kedge.api.native.messages import error_answer
from kedge.client import connection as client_connection
from kedge.core.errors import Invalid, KedgeError, NotFound
from kedge.monitoring.definitions import DAILY
from kedge.monitoring.evaluate import evaluate

_spec = importlib.util.spec_from_file_location("served", Path(__file__).with_name("served.py"))
served = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(served)


class InProcess(httpx.BaseTransport):
    """Requests answered by an ASGI application, with no socket between."""

    def __init__(self, app):
        self._inner = httpx.ASGITransport(app=app)

    def handle_request(self, request):
        async def ask():
            reply = await self._inner.handle_async_request(request)
            return httpx.Response(reply.status_code, headers=reply.headers, content=await reply.aread())

        return asyncio.run(ask())


@pytest.fixture
def platform(tmp_path):
    return served.Platform(tmp_path / "home")


@pytest.fixture
def http(platform, monkeypatch):
    """The SDK's connection joined to the routes, and a worker that runs a monitor's job once it is queued."""

    async def refused(_request, error):
        return error_answer(error)

    table = monitor_routes.routes(platform.services) + job_routes.routes(platform.services)
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
def worker(platform, monkeypatch):
    """A worker that takes a job whenever the SDK waits for one."""

    def work(_seconds):
        job = platform.services.jobs.claim("w", kinds=("monitor",), lease_ms=60_000)
        if job is not None:
            platform.services.jobs.finish(job, state="succeeded", result=evaluate(platform.services, job))

    monkeypatch.setattr("kedge.client.monitor.time.sleep", work)


def fill(platform):
    generator = served.np.random.default_rng(0)
    version = platform.add_reference({"x": generator.normal(0, 1, 500)})
    for day in (1, 32):
        predictions, labels = served.answers(generator, 200, 0.4)
        platform.log(day, {"x": generator.normal(5, 1, 200)}, predictions, labels)
    return version


def test_drift_is_found_through_the_sdk(platform, http, worker):
    fill(platform)
    monitor = kedge.monitor.drift("drift", endpoint="flights", reference=["flights@reference"])
    assert kedge.monitor.monitors() == [monitor] == [kedge.monitor.get("drift")]
    (run,) = kedge.monitor.evaluate("drift")
    assert (run.verdict, run.drift_share) == ("drift", 1.0)
    assert kedge.monitor.runs("drift") == [run]
    assert {row.detector for row in kedge.monitor.results(run.id)} == {
        "KolmogorovSmirnov",
        "PopulationStabilityIndex",
        "verdict",
    }
    (alert,) = kedge.monitor.alerts(state="open")
    assert kedge.monitor.acknowledge(alert.id).state == "acknowledged"
    assert kedge.monitor.alerts(state="open") == []
    assert kedge.monitor.evaluate("drift") == []


def test_waiting_for_anothers_evaluation_is_followed_by_ones_own(platform, http, worker):
    fill(platform)
    kedge.monitor.drift("drift", endpoint="flights", reference=["flights@reference"])
    assert kedge.monitor.evaluate("drift", wait=False) == []
    until_ms = served.START + 59 * served.DAY
    (run,) = kedge.monitor.evaluate("drift", until_ms=until_ms)
    assert run.window_end_ms == until_ms
    assert len(kedge.monitor.runs("drift")) == 2


def test_performance_and_stream_monitors_keep_what_was_asked(platform, http):
    performance = kedge.monitor.performance("quality", endpoint="flights", alert_when={"auc_drop": 0.1})
    assert (performance.period, performance.label_delay_ms) == ("week", 86_400_000)
    assert performance.alert_when == {"auc_drop": 0.1}
    stream = kedge.monitor.stream(
        "days", endpoint="flights", detectors=["adwin", {"name": "PageHinkley", "threshold": 3}]
    )
    adwin, page_hinkley = stream.detectors["error"]
    assert adwin == {"name": "ADWIN", "clock": 1}
    assert page_hinkley == {"name": "PageHinkley", **DAILY["PageHinkley"], "threshold": 3}


def test_a_trigger_names_file_project_and_pipeline(platform, http, tmp_path):
    kedge.monitor.performance("quality", endpoint="flights")
    (tmp_path / "flow.py").write_text(
        "import kedge\n\n\n@kedge.pipeline\ndef train(until: str) -> str:\n    return until\n"
    )
    asked = {
        "monitor": "quality",
        "pipeline": f"{tmp_path}/flow.py:train",
        "params": {"until": "$window_end"},
        "cooldown_s": 60,
    }
    trigger = kedge.trigger("retrain", **asked)
    assert trigger.entry.endswith("flow.py:train")
    assert Path(trigger.project) == tmp_path
    assert (trigger.pipeline, trigger.cooldown_ms) == ("train", 60_000)
    assert kedge.trigger("retrain", **asked) == trigger
    assert kedge.monitor.triggers() == [trigger]


def test_replacing_a_monitor_keeps_its_creation(platform, http):
    first = kedge.monitor.performance("quality", endpoint="flights")
    second = kedge.monitor.performance("quality", endpoint="flights", period="day")
    assert second.created_ms == first.created_ms
    assert second.period == "day"


def test_errors_reach_the_sdk_with_their_next_step(platform, http):
    fill(platform)
    with pytest.raises(Invalid, match="its parameters are alpha"):
        kedge.monitor.drift(
            "drift",
            endpoint="flights",
            reference=["flights@reference"],
            detectors={"*numeric": [{"name": "KS", "alfa": 0.1}]},
        )
    with pytest.raises(NotFound, match="'nothing'"):
        kedge.monitor.evaluate("nothing")
    with pytest.raises(NotFound):
        kedge.monitor.acknowledge("0" * 32)


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", "/monitors/m", {"endpoint": "flights", "kind": "guess"}, 422),
        ("PUT", "/monitors/m", {"endpoint": "flights", "kind": "stream", "surplus": 1}, 422),
        ("PUT", "/monitors/..%20", {"endpoint": "flights", "kind": "stream"}, 422),
        ("PUT", "/monitors/m", {"endpoint": "trains", "kind": "stream"}, 404),
        ("GET", "/monitors/m", None, 404),
        ("GET", "/monitors/m/runs", None, 404),
        ("GET", "/monitor-runs/0", None, 404),
        ("GET", "/alerts?state=lost", None, 422),
        ("GET", "/alerts?limit=0", None, 422),
        ("POST", "/monitors/m/evaluate", {}, 404),
        ("PUT", "/triggers/t", {"monitor": "m", "entry": "a:b", "project": "/", "pipeline": "b"}, 404),
    ],
)
def test_bad_requests_have_one_shape(platform, http, method, path, body, status):
    reply = http.request(method, "/api/kedge/v1" + path, json=body)
    assert reply.status_code == status
    assert set(reply.json()["error"]) == {"code", "message", "hint"}


def test_the_routes_bring_no_numbers_into_the_web_process():
    code = (
        "import sys, kedge.api.native.monitors\n"
        "print(sorted({'numpy', 'pandas', 'pyarrow', 'scipy', 'numba', 'sklearn'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"
