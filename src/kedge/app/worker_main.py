"""`python -m kedge.app.worker_main`: takes jobs under leases, two at a time: a pipeline run and a monitor's evaluation."""

import argparse
import importlib
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kedge.app.config import artifacts_place, database_place, direct, environment, without_secrets
from kedge.app.processes import WITH_PARENT, adopt_strays, alive, die_with_parent, end_strays
from kedge.app.wiring import open_services
from kedge.core.clock import SystemClock
from kedge.core.errors import KedgeError
from kedge.core.home import Home
from kedge.core.jobs import Job, JobKind
from kedge.core.services import Addresses, Services
from kedge.engines.processes import LocalEngine
from kedge.monitoring.due import enqueue_due
from kedge.pipelines.driver import Driver
from kedge.pipelines.record import Stopped
from kedge.pipelines.submit import mend

LEASE_MS = 15_000
_RENEW_EVERY_S = 5.0
_POLL_S = 0.1
_TICK_EVERY_S = 5.0
_STOP_WITHIN_S = 1.5
_MAX_ATTEMPTS = 5
_LOOK_BACK = 200

log = logging.getLogger("kedge.worker")

Handler = Callable[[Job, Callable[[], bool]], dict[str, Any]]


class Worker:
    """One thread a kind of job; a shared event stops them."""

    def __init__(self, services: Services, handlers: dict[JobKind, Handler]) -> None:
        self._services = services
        self._handlers = handlers
        self._name = f"{socket.gethostname()}:{os.getpid()}"
        self._held: dict[str, Job] = {}
        self.stopping = threading.Event()

    def run(self) -> None:
        """Work until `stopping` is set; give back what is not finished, soon."""
        threads = [
            threading.Thread(target=self._loop, args=(kind,), name=kind, daemon=True)
            for kind in self._handlers
        ]
        self._guarded("freeing", self._free_lost)
        for thread in threads:
            thread.start()
        while not self.stopping.wait(_TICK_EVERY_S):
            self._guarded("tick", lambda: enqueue_due(self._services))
            self._guarded("mend", lambda: mend(self._services))
        deadline = self._services.clock.monotonic_s() + _STOP_WITHIN_S
        for thread in threads:
            thread.join(max(0.0, deadline - self._services.clock.monotonic_s()))
        for job in list(
            self._held.values()
        ):  # its handler has not come back in time; the job is free for others
            self._services.jobs.release(job)

    def _free_lost(self) -> None:
        """End the leases of workers of this machine that are gone; others' run out by themselves."""
        for job in self._services.jobs.recent(_LOOK_BACK):
            host, _, pid = (job.worker or "").rpartition(":")
            if job.state == "running" and host == socket.gethostname() and not alive(int(pid)):
                self._services.jobs.renew(job, lease_ms=-1)

    def _guarded(self, what: str, action: Callable[[], Any]) -> None:
        try:
            action()
        except Exception:
            log.exception("worker %s failed", what, extra={"action": what})

    def _loop(self, kind: JobKind) -> None:
        while not self.stopping.is_set():
            job = None
            try:
                job = self._services.jobs.claim(self._name, kinds=(kind,), lease_ms=LEASE_MS)
            except KedgeError:
                log.exception("claiming a job failed", extra={"action": "claim"})
            if job is None:
                self.stopping.wait(_POLL_S)
            else:
                self._guarded("job", lambda job=job: self._do(job))  # type: ignore[misc]

    def _do(self, job: Job) -> None:
        jobs = self._services.jobs
        over = threading.Event()

        def renew() -> None:
            while not over.wait(_RENEW_EVERY_S):
                self._guarded("renewal", lambda: jobs.renew(job, lease_ms=LEASE_MS))

        def mine() -> bool:
            return not self.stopping.is_set() and jobs.get(job.id).fence == job.fence

        threading.Thread(target=renew, daemon=True).start()
        self._held[job.id] = job
        try:
            if job.attempts > _MAX_ATTEMPTS:
                jobs.finish(job, state="failed", error=f"given up: {_MAX_ATTEMPTS} workers were lost over it")
                return
            result = self._handlers[job.kind](job, mine)
            jobs.finish(job, state="succeeded", result=result)
        except Stopped:
            jobs.release(job)  # refused, rightly, when the job was cancelled or taken over
        except Exception as error:
            log.exception("job %s failed", job.id, extra={"action": "job", "job_id": job.id})
            jobs.finish(job, state="failed", error=f"{type(error).__name__}: {error}")
        finally:
            over.set()
            del self._held[job.id]


def pipeline_handler(services: Services, home: Home) -> Handler:
    """Drive a run with step processes on this machine."""
    variables = {
        "PYTHONHASHSEED": "0",  # so that what is hashed of a set is the same in every process
        **without_secrets(environment()),
        "KEDGE_URL": services.addresses.web,
        "KEDGE_HOME": str(home.root),
        "MLFLOW_TRACKING_URI": services.addresses.web,
        "PYTHONUNBUFFERED": "1",
        **direct(environment()),
    }

    def handle(job: Job, mine: Callable[[], bool]) -> dict[str, Any]:
        run = services.pipelines.get_run(job.payload["run_id"])
        if run.state in ("queued", "running"):  # else its worker died between the run's end and the job's
            capacity = (
                len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
            )
            engine = LocalEngine("kedge.app.step_main", ["--home", str(home.root)], variables, capacity)
            folder = home.logs / "runs" / run.id
            try:
                run = Driver(services, engine, run, job=job, log_folder=folder, mine=mine).drive()
            finally:
                end_strays(
                    ()
                )  # a run's steps are this process's only children, and there is one run at a time
        return {"run_id": run.id, "state": run.state}

    return handle


def monitor_handler(services: Services) -> Handler:
    """Evaluate a monitor. Its numbers (SciPy, Numba) are loaded for the first one: a worker without monitors stays small."""

    def handle(job: Job, _: Callable[[], bool]) -> dict[str, Any]:
        done: dict[str, Any] = importlib.import_module("kedge.monitoring.evaluate").evaluate(services, job)
        return done

    return handle


def main() -> None:
    """Parse, wire, work until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--web-url", required=True)
    parser.add_argument("--serving-url", required=True)
    parser.add_argument(WITH_PARENT, type=int, required=True)
    arguments = parser.parse_args()
    die_with_parent(arguments.with_parent)
    adopt_strays()
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    addresses = Addresses(web=arguments.web_url, serving=arguments.serving_url)
    services, _ = open_services(
        arguments.home, addresses, SystemClock(), database_place(Home(arguments.home)), artifacts_place()
    )
    worker = Worker(
        services,
        {
            "pipeline": pipeline_handler(services, Home(services.home)),
            "monitor": monitor_handler(services),
        },
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: worker.stopping.set())
    log.info("worker ready", extra={"action": "ready"})
    worker.run()


if __name__ == "__main__":
    main()
