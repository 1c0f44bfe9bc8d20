"""The serving process itself: swaps under load, signals, and what the log keeps."""

import contextlib
import json
import os
import pickle
import shutil
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import httpx
import pyarrow.parquet as pq
import pytest
import skops.io
import yaml
from tests.conftest import start_platform

from kedge.app.processes import python

pytestmark = [pytest.mark.acceptance, pytest.mark.slow]


def until(claim, seconds=60.0):
    """Wait until `claim()` holds; returns what it returned."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.HTTPError):
            if found := claim():
                return found
        time.sleep(0.02)
    pytest.fail("waited in vain")


class Serving:
    """A serving process over a data directory."""

    def __init__(self, home, *flags):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        command = python("kedge.app.serving_main", "--home", str(home))
        command[1:1] = ["-W", "ignore"]
        self.process = subprocess.Popen([*command, "--port", str(self.port), *flags])
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=30)
        until(lambda: self.http.get("/health").status_code == 200)

    def infer(self, request_id, http=None, rows=1):
        tensor = {"name": "x", "shape": [rows, 3], "datatype": "FP64", "data": [1.0, 2.0, 3.0] * rows}
        body = {"id": request_id, "inputs": [tensor]}
        return (http or self.http).post("/v2/models/delays/infer", json=body)

    def close(self):
        self.http.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


@pytest.fixture
def start(stores):
    started = []

    def make(*flags):
        started.append(Serving(stores.home, *flags))
        return started[-1]

    yield make
    for serving in started:
        serving.close()


def load(serving, stop, http_count=4):
    """Ask from several threads until `stop`; returns threads and the list of (id, status, version, first value)."""
    answers, changing = [], threading.Lock()

    def ask(worker):
        with httpx.Client(base_url=serving.http.base_url, timeout=30) as http:
            place = 0
            while not stop.is_set():
                identifier = f"{worker}-{place}"
                place += 1
                try:
                    reply = serving.infer(identifier, http)
                except httpx.HTTPError:
                    if stop.is_set():
                        return
                    raise
                body = reply.json()
                with changing:
                    value = body["outputs"][0]["data"][0] if reply.is_success else None
                    answers.append((identifier, reply.status_code, body.get("model_version"), value))

    threads = [threading.Thread(target=ask, args=(worker,)) for worker in range(http_count)]
    for thread in threads:
        thread.start()
    return threads, answers


def logged_ids(stores):
    found = []
    for segment in stores.inference.segments("delays", start_ms=0, end_ms=2**60):
        found += pq.read_table(segment.path)["request_id"].to_pylist()
    return found


def test_a_swap_under_load_fails_no_request_and_a_stop_loses_no_row(start, stores, models, make_deployment):
    first = make_deployment("delays", models.line)
    stores.deployments.deploy(first)
    serving = start()
    until(lambda: serving.http.get("/v2/models/delays/ready").is_success)
    stop = threading.Event()
    threads, answers = load(serving, stop)
    until(lambda: len(answers) > 20)
    for number, source in ((2, models.line2), (3, models.line), (4, models.line2)):
        wanted = make_deployment("delays", source, str(number))
        stores.deployments.deploy(wanted)
        until(lambda wanted=wanted: stores.deployments.get(wanted.id).state == "live")
        before = len(answers)
        until(lambda before=before: len(answers) > before + 20)
    stop.set()
    for thread in threads:
        thread.join()
    assert {status for _, status, _, _ in answers} == {200}
    assert {version for _, _, version, _ in answers} == {"1", "2", "3", "4"}
    for _, _, version, value in answers:
        assert value == pytest.approx(106.0 if version in ("2", "4") else 6.0)
    serving.process.send_signal(signal.SIGTERM)
    started = time.monotonic()
    assert serving.process.wait(10) == 0
    assert time.monotonic() - started < 3
    assert sorted(logged_ids(stores)) == sorted(identifier for identifier, *_ in answers)
    traffic = stores.deployments.traffic("delays")
    assert sum(minute.requests for minute in traffic) == len(answers)


def test_a_stop_under_load_logs_every_acknowledged_row(start, stores, models, make_deployment):
    stores.deployments.deploy(make_deployment("delays", models.line))
    serving = start()
    until(lambda: serving.http.get("/v2/models/delays/ready").is_success)
    stop = threading.Event()
    threads, answers = load(serving, stop)
    until(lambda: len(answers) > 50)
    stop.set()  # from here on a refused connection is expected
    serving.process.send_signal(signal.SIGTERM)
    assert serving.process.wait(10) == 0
    for thread in threads:
        thread.join()
    acknowledged = {identifier for identifier, status, *_ in answers if status == 200}
    assert acknowledged <= set(logged_ids(stores))


def test_a_kill_loses_at_most_about_a_second(start, stores, models, make_deployment):
    stores.deployments.deploy(make_deployment("delays", models.line))
    serving = start()
    until(lambda: serving.http.get("/v2/models/delays/ready").is_success)
    serving.infer("warm")
    until(lambda: "warm" in logged_ids(stores))
    times = {}
    began = time.monotonic()
    while time.monotonic() - began < 2.5:
        identifier = str(len(times))
        assert serving.infer(identifier).is_success
        times[identifier] = time.monotonic()
    os.kill(serving.process.pid, signal.SIGKILL)
    killed = time.monotonic()
    serving.process.wait()
    kept = set(logged_ids(stores))
    lost = [killed - at for identifier, at in times.items() if identifier not in kept]
    assert len(kept) > 10
    # 1 s between segments, and room for a slow disk of a busy test machine
    assert max(lost, default=0) < 1.5
    again = start()
    until(lambda: again.http.get("/v2/models/delays/ready").is_success)
    assert again.infer("after").is_success


def test_a_pickle_is_loaded_only_with_the_flag(start, stores, models, make_deployment, tmp_path):
    folder = tmp_path / "pickled"
    shutil.copytree(models.line, folder)
    (folder / "model.pkl").write_bytes(pickle.dumps(skops.io.load(folder / "model.skops")))
    fields = yaml.safe_load((folder / "MLmodel").read_text())
    fields["flavors"]["sklearn"] = {"pickled_model": "model.pkl", "serialization_format": "cloudpickle"}
    (folder / "MLmodel").write_text(yaml.safe_dump(fields))
    first = make_deployment("delays", folder)
    stores.deployments.deploy(first)
    start().close()
    until(lambda: stores.deployments.get(first.id).state == "failed")
    assert "trust_pickle" in stores.deployments.get(first.id).error
    second = make_deployment("delays", folder)
    stores.deployments.deploy(second)
    serving = start("--trust-pickle")
    until(lambda: stores.deployments.get(second.id).state == "live")
    assert serving.infer("x").is_success


class Deadly:
    """Ends the process that unpickles it, as the kernel does for want of memory."""

    def __reduce__(self):
        return (os._exit, (137,))


def test_a_model_whose_loading_ends_serving_fails_and_the_one_before_goes_on(
    stores, models, make_deployment, tmp_path
):
    folder = tmp_path / "deadly"
    shutil.copytree(models.line, folder)
    (folder / "model.pkl").write_bytes(pickle.dumps(Deadly()))
    fields = yaml.safe_load((folder / "MLmodel").read_text())
    fields["flavors"]["sklearn"] = {"pickled_model": "model.pkl", "serialization_format": "pickle"}
    (folder / "MLmodel").write_text(yaml.safe_dump(fields))
    good = make_deployment("delays", models.line)
    stores.deployments.deploy(good)
    variables = {"KEDGE_SERVING_TRUST_PICKLE": "true", "KEDGE_ALLOWED_HOSTS": "models.example.org"}
    platform = start_platform(stores.home, **variables)
    try:
        until(lambda: stores.deployments.get(good.id).state == "live")
        deadly = make_deployment("delays", folder, "2")
        stores.deployments.deploy(deadly)
        until(lambda: stores.deployments.get(deadly.id).state == "failed")
        assert "ended the serving process 2 times" in stores.deployments.get(deadly.id).error
        with httpx.Client(base_url=platform.serving) as http:
            until(lambda: http.get("/v2/models/delays/versions/1/ready").is_success)
        state = json.loads((stores.home / "state.json").read_bytes())
        assert state["children"]["serving"]["restarts"] == 2
        for name, status in (("models.example.org", 200), ("evil.example.org", 421)):
            assert httpx.get(f"{platform.serving}/v2", headers={"host": name}).status_code == status
        found = Path(f"/proc/{state['children']['serving']['pid']}/environ").read_bytes().split(b"\0")
        assert f"OMP_NUM_THREADS={os.environ.get('OMP_NUM_THREADS', 1)}".encode() in found
    finally:
        platform.stop()


def test_a_taken_port_is_a_clear_failure(start, stores):
    serving = start()
    command = python("kedge.app.serving_main", "--home", str(stores.home))
    second = subprocess.run(
        [*command, "--port", str(serving.port)], check=False, capture_output=True, text=True, timeout=60
    )
    assert second.returncode == 1
    assert f"port {serving.port}: Address already in use" in second.stderr
    assert "--serving-port" in second.stderr
