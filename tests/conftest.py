"""Fixtures that several rooms share: free ports, a running platform, one played demo for the whole session."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.ceph import Gateway
from tests.kernels import remove_stale
from tests.postgres import Cluster

# A loaded machine is no defect: no test has a deadline for one example.
settings.register_profile("kedge", deadline=None)
settings.load_profile("kedge")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--screens` has the browser tests write docs/screens anew (`make docs`)."""
    parser.addoption("--screens", action="store_true", help="write the screenshots in docs/screens anew")
    parser.addoption(
        "--sequences", type=int, default=0, help="play so many new sequences of requests to MLflow and Kedge"
    )


def pytest_configure() -> None:
    """Before any kernel is loaded."""
    remove_stale()


KEDGE = (sys.executable, "-m", "kedge.app.main")


def free_ports(count: int) -> list[int]:
    """Ports that nothing listens on; kept open together so that they differ."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def wait_until(condition: Callable[[], bool], what: str, timeout_s: float = 30.0) -> None:
    """Poll until the condition holds; fail naming what was waited for."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"waited {timeout_s:.0f} s in vain: {what}")
        time.sleep(0.05)


def answers(url: str) -> bool:
    """Whether a GET gives 200."""
    try:
        with urllib.request.urlopen(url, timeout=5) as reply:
            return bool(reply.status == 200)
    except (OSError, urllib.error.URLError):
        return False


@dataclass(frozen=True)
class Platform:
    """A running `kedge up`."""

    process: "subprocess.Popen[bytes]"
    home: Path
    web: str
    serving: str

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)


def start_platform(home: Path, **environment: str) -> Platform:
    """`kedge up` on free ports, waited for until both processes answer."""
    web, serving = free_ports(2)
    arguments = [*KEDGE, "up", "--home", str(home), "--port", str(web), "--serving-port", str(serving)]
    with (home.parent / f"{home.name}.up.log").open("wb") as log:
        process = subprocess.Popen(
            arguments, stdout=log, stderr=log, cwd=home.parent, env={**os.environ, **environment}
        )
    platform = Platform(process, home, f"http://127.0.0.1:{web}", f"http://127.0.0.1:{serving}")
    wait_until(lambda: process.poll() is not None or answers(platform.web + "/health"), "web answers")
    wait_until(lambda: process.poll() is not None or answers(platform.serving + "/health"), "serving answers")
    if process.poll() is not None:
        pytest.fail((home.parent / f"{home.name}.up.log").read_text())
    return platform


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    """An empty platform of the test's own."""
    started = start_platform(tmp_path / "home")
    yield started
    started.stop()


@dataclass(frozen=True)
class Played:
    """What `kedge demo --fast --json` printed, and where it left its data."""

    home: Path
    report: dict[str, Any]
    stderr: str
    seconds: float


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """The fast demo, played once."""
    home = tmp_path_factory.mktemp("demo") / "home"
    web, serving = free_ports(2)
    begun = time.monotonic()
    done = subprocess.run(
        [
            *KEDGE,
            "demo",
            "--fast",
            "--json",
            "--home",
            str(home),
            "--port",
            str(web),
            "--serving-port",
            str(serving),
        ],
        capture_output=True,
        text=True,
        timeout=400,
        cwd=home.parent,
    )
    if done.returncode:
        pytest.fail(f"kedge demo exited {done.returncode}:\n{done.stderr[-4000:]}")
    return Played(home, json.loads(done.stdout), done.stderr, time.monotonic() - begun)


@pytest.fixture(scope="session")
def demo_platform(played: Played) -> Iterator[Platform]:
    """A platform on the data that the demo left."""
    started = start_platform(played.home)
    yield started
    started.stop()


@pytest.fixture(scope="session")
def mlflow_database(tmp_path_factory) -> Path:
    """A database that MLflow's migrations made: they take seconds, a copy none."""
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    file = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    store = SqlAlchemyStore(f"sqlite:///{file}", "mlflow-artifacts:/")
    store._dispose_engine()
    return file


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL for the whole session."""
    started = Cluster()
    yield started
    started.remove()


@pytest.fixture(scope="session")
def gateway() -> Iterator[Gateway]:
    """An S3 server for the whole session."""
    started = Gateway(free_ports(3))
    yield started
    started.remove()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def database_place(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """Where a new database may be made: a file, and a database of PostgreSQL's."""
    if request.param == "sqlite":
        return tmp_path / "kedge.db"
    return str(request.getfixturevalue("cluster").new())
