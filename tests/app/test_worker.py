"""A real worker over a temporary home: killed with -9 nothing is left and the next goes on; stopped it puts back."""

import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import wait_until

from kedge.app.processes import python, stop_all
from kedge.app.wiring import open_services
from kedge.core.clock import SystemClock
from kedge.core.services import Addresses, Services
from kedge.pipelines.submit import cancel_run, mend, submit_run

pytestmark = pytest.mark.acceptance
NOWHERE = "http://127.0.0.1:9"

SOURCE = """
import os, subprocess
from pathlib import Path
import kedge

@kedge.step
def first(folder):
    with (Path(folder) / "ledger").open("a") as file:
        file.write("first ")
    return 1

@kedge.step
def second(folder, one):
    with (Path(folder) / "ledger").open("a") as file:
        file.write("second ")
    if not (Path(folder) / "go").exists():
        child = subprocess.Popen(["sleep", "600"])
        stray = subprocess.Popen(["sleep", "601"], start_new_session=True)
        (Path(folder) / "pids").write_text(f"{os.getpid()} {child.pid} {stray.pid}")
        pow(7, 10**9 + 7)  # never lets another thread of the process run
    return one + 1

@kedge.pipeline
def busy(folder):
    return second(folder, first(folder))
"""


class Place:
    """A home, a project and the workers on them."""

    def __init__(self, root: Path, services: Services) -> None:
        self.root = root
        self.services = services
        self.workers: list[subprocess.Popen[bytes]] = []

    def worker(self) -> "subprocess.Popen[bytes]":
        command = python("kedge.app.worker_main", "--home", str(self.root / "home"))
        with (self.root / "worker.log").open("ab") as log:
            process = subprocess.Popen(
                [*command, "--web-url", NOWHERE, "--serving-url", NOWHERE], stderr=log, stdout=log
            )
        self.workers.append(process)
        return process

    def submit(self) -> str:
        path = self.root / "busy.py"
        path.write_text(SOURCE)
        return submit_run(
            self.services,
            entry=f"{path}:busy",
            project=str(self.root),
            pipeline="busy",
            params={"folder": str(self.root)},
            trigger="manual",
        ).id

    def pids(self) -> list[int]:
        """Of the second step, of its child, and of one that left its session."""
        file = self.root / "pids"
        wait_until(lambda: file.exists() and len(file.read_text().split()) == 3, "the second step runs")
        return [int(word) for word in file.read_text().split()]

    def state(self, run_id: str) -> str:
        return self.services.pipelines.get_run(run_id).state

    def states(self, run_id: str) -> dict[str, str]:
        return {step.name: step.state for step in self.services.pipelines.steps(run_id)}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    (tmp_path / "home").mkdir()
    services, database = open_services(
        tmp_path / "home", Addresses(web=NOWHERE, serving=NOWHERE), SystemClock()
    )
    made = Place(tmp_path, services)
    yield made
    if (tmp_path / "pids").exists():
        stop_all(made.pids(), signal.SIGKILL)
    for process in made.workers:
        process.kill()
        process.wait()
    database.close()


def dead(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_after_kill_9_of_the_worker_nothing_is_left_and_the_next_goes_on(place: Place) -> None:
    run_id = place.submit()
    worker = place.worker()
    *pids, _ = place.pids()  # what left its session outlives the worker; its supervisor ends it
    assert place.states(run_id) == {"first": "succeeded", "second": "running"}
    worker.kill()
    worker.wait()
    wait_until(lambda: all(dead(pid) for pid in pids), "no step process and no child of one is left", 2)
    (place.root / "go").touch()
    place.worker()
    wait_until(lambda: place.state(run_id) == "succeeded", "the next worker ends the run", 30)
    assert (place.root / "ledger").read_text().split() == ["first", "second", "second"]
    assert place.services.pipelines.get_run(run_id).result == 2


def test_a_stopped_worker_puts_its_run_back_soon(place: Place) -> None:
    run_id = place.submit()
    worker = place.worker()
    pids = place.pids()
    begun = time.monotonic()
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(5) == 0
    assert time.monotonic() - begun < 2
    assert all(dead(pid) for pid in pids)
    assert place.state(run_id) == "queued"
    assert place.states(run_id) == {"first": "succeeded", "second": "pending"}
    job = place.services.jobs.get(place.services.pipelines.get_run(run_id).job_id or "")
    assert (job.state, job.attempts) == ("queued", 0)


def test_a_cancelled_run_is_stopped_by_its_worker(place: Place) -> None:
    run_id = place.submit()
    place.worker()
    pids = place.pids()
    cancel_run(place.services, run_id)
    wait_until(lambda: all(dead(pid) for pid in pids), "the step is stopped", 5)
    assert place.states(run_id) == {"first": "succeeded", "second": "cancelled"}


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc")
def test_an_idle_worker_is_small(place: Place) -> None:
    worker = place.worker()
    log = place.root / "worker.log"
    wait_until(lambda: "worker ready" in log.read_text(), "the worker is ready")
    status = dict(line.split(":", 1) for line in Path(f"/proc/{worker.pid}/status").read_text().splitlines())
    assert int(status["VmRSS"].split()[0]) < 120 * 1024


class Later(SystemClock):
    """A clock that is a minute ahead."""

    def now_ms(self) -> int:
        return super().now_ms() + 60_000


def test_runs_that_were_left_between_two_writes_are_mended(place: Place, tmp_path: Path) -> None:
    later, database = open_services(tmp_path / "home", place.services.addresses, Later())
    cancelled, failed, ended = place.submit(), place.submit(), place.submit()
    job_of = {run_id: later.pipelines.get_run(run_id).job_id or "" for run_id in (cancelled, failed, ended)}
    later.jobs.cancel(job_of[cancelled])  # web died before it wrote the run
    job = later.jobs.claim("w", kinds=("pipeline",), lease_ms=1000)
    assert job is not None
    assert job.id == job_of[failed]
    later.jobs.finish(job, state="failed", error="the disk is full")
    assert mend(place.services) == []  # too young: whoever writes may still be at it
    assert mend(later) == [cancelled, failed]
    assert [place.state(run_id) for run_id in (cancelled, failed, ended)] == ["cancelled", "failed", "queued"]
    assert later.pipelines.get_run(failed).error == "the disk is full"
    assert mend(later) == []
    database.close()
