"""A data directory with real stores, pipelines written as files, and two engines: in this process, and real ones."""

import os
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from kedge.app.wiring import open_services
from kedge.core.clock import SystemClock
from kedge.core.engines import Answer
from kedge.core.home import Home
from kedge.core.jobs import Job
from kedge.core.pipelines import PipelineRun, StepRun
from kedge.core.services import Addresses, Services
from kedge.engines.processes import LocalEngine
from kedge.pipelines.driver import Driver
from kedge.pipelines.host import Host
from kedge.pipelines.submit import submit_run


class InlineProcess:
    """A host in this process; what it is sent is done at the next `wait`."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.messages: list[dict[str, Any]] = []

    def send(self, message: dict[str, Any]) -> None:
        self.messages.append(message)

    def kill(self) -> None:
        self.messages.clear()


class InlineEngine:
    """The oracle: steps run one after the other in the caller."""

    def __init__(self, services: Services, capacity: int = 2) -> None:
        self._services = services
        self.capacity = capacity
        self.started = 0

    def start(self, environment: dict[str, str]) -> InlineProcess:
        self.started += 1
        return InlineProcess(Host(self._services.objects, lambda *_: nullcontext()))

    def wait(self, processes: Sequence[InlineProcess], timeout_s: float) -> list[Answer]:
        return [
            Answer(process, process.host.answer(process.messages.pop(0)))
            for process in processes
            if process.messages
        ]


class Bench:
    """Writes pipelines, runs them, reads what was recorded."""

    def __init__(self, services: Services, folder: Path) -> None:
        self.services = services
        self.folder = folder
        self.inline = InlineEngine(services)

    def write(self, name: str, source: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(source))
        return path

    def local(self, capacity: int = 2) -> LocalEngine:
        variables = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONHASHSEED": "0"}
        return LocalEngine(
            "kedge.app.step_main", ["--home", str(self.services.home)], variables, capacity=capacity
        )

    def submit(self, entry: str, **params: Any) -> PipelineRun:
        return submit_run(
            self.services,
            entry=entry,
            project=str(self.folder),
            pipeline=entry.rpartition(":")[2],
            params=params,
            trigger="manual",
        )

    def claim(self, lease_ms: int = 60_000) -> Job:
        job = self.services.jobs.claim("test", kinds=("pipeline",), lease_ms=lease_ms)
        assert job is not None
        return job

    def driver(self, job: Job, engine: Any = None, mine: Callable[[], bool] | None = None) -> Driver:
        run = self.services.pipelines.get_run(job.payload["run_id"])
        folder = self.logs(run.id)
        held = mine or (lambda: self.services.jobs.get(job.id).fence == job.fence)
        return Driver(self.services, engine or self.inline, run, job=job, log_folder=folder, mine=held)

    def logs(self, run_id: str) -> Path:
        return Home(self.services.home).logs / "runs" / run_id

    def run(self, entry: str, engine: Any = None, **params: Any) -> PipelineRun:
        self.submit(entry, **params)
        return self.driver(self.claim(), engine).drive()

    def steps(self, run: PipelineRun) -> dict[str, StepRun]:
        return {step.name: step for step in self.services.pipelines.steps(run.id)}

    def states(self, run: PipelineRun) -> dict[str, str]:
        return {name: step.state for name, step in self.steps(run).items()}

    def log(self, step: StepRun) -> str:
        assert step.log_object is not None
        return self.services.objects.path(step.log_object).read_text()


@pytest.fixture(autouse=True)
def no_bytecode(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python takes a file that was edited within the second, to the same length, for the one that it compiled."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    addresses = Addresses(web="http://127.0.0.1:9", serving="http://127.0.0.1:9")
    (tmp_path / "project").mkdir()
    (tmp_path / "home").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    modules = set(sys.modules)
    services, database = open_services(tmp_path / "home", addresses, SystemClock())
    yield Bench(services, tmp_path / "project")
    database.close()
    for name in set(sys.modules) - modules:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]
