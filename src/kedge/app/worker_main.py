"""`python -m kedge.app.worker_main`: takes jobs under leases, two at a time: a pipeline run and a monitor's evaluation."""

import argparse
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kedge.app.config import environment
from kedge.app.processes import die_with_parent
from kedge.app.wiring import open_services
from kedge.core.clock import SystemClock
from kedge.core.errors import KedgeError
from kedge.core.home import Home
from kedge.core.jobs import Job, JobKind
from kedge.core.services import Addresses, Services
from kedge.engines.processes import LocalEngine
from kedge.monitoring.due import enqueue_due
from kedge.monitoring.evaluate import evaluate
from kedge.pipelines.driver import Driver, Stopped

LEASE_MS = 15_000
_RENEW_EVERY_S = 5.0
_POLL_S = 0.1
_TICK_EVERY_S = 5.0

log = logging.getLogger("kedge.worker")

Handler = Callable[[Job, Callable[[], bool]], dict[str, Any]]


class Worker:
    """One thread a kind of job; a shared event stops them."""

    def __init__(self, services: Services, handlers: dict[JobKind, Handler]) -> None:
        self._services = services
        self._handlers = handlers
        self._name = f"{socket.gethostname()}:{os.getpid()}"
        self.stopping = threading.Event()

    def run(self) -> None:
        """Work until `stopping` is set; give back what is not finished."""
        threads = [threading.Thread(target=self._loop, args=(kind,), name=kind) for kind in self._handlers]
        for thread in threads:
            thread.start()
        while not self.stopping.wait(_TICK_EVERY_S):
            self._guarded("tick", lambda: enqueue_due(self._services))
        for thread in threads:
            thread.join()

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
        lost, over = threading.Event(), threading.Event()

        def renew() -> None:
            while not over.wait(_RENEW_EVERY_S):
                if not jobs.renew(job, lease_ms=LEASE_MS):
                    lost.set()
                    return

        def mine() -> bool:
            if self.stopping.is_set() or lost.is_set():
                return False
            return jobs.get(job.id).fence == job.fence

        threading.Thread(target=renew, daemon=True).start()
        try:
            result = self._handlers[job.kind](job, mine)
        except Stopped:
            jobs.release(job)  # refused, rightly, when the job was cancelled or taken over
        except Exception as error:
            log.exception("job %s failed", job.id, extra={"action": "job", "job_id": job.id})
            jobs.finish(job, state="failed", error=f"{type(error).__name__}: {error}")
        else:
            jobs.finish(job, state="succeeded", result=result)
        finally:
            over.set()


def pipeline_handler(services: Services, home: Home) -> Handler:
    """Drive a run with step processes on this machine."""
    variables = {
        **environment(),
        "KEDGE_URL": services.addresses.web,
        "KEDGE_HOME": str(home.root),
        "MLFLOW_TRACKING_URI": services.addresses.web,
        "PYTHONUNBUFFERED": "1",
    }

    def handle(job: Job, mine: Callable[[], bool]) -> dict[str, Any]:
        run = services.pipelines.get_run(job.payload["run_id"])
        engine = LocalEngine(
            "kedge.app.step_main", ["--home", str(home.root)], variables, capacity=os.cpu_count() or 1
        )
        ended = Driver(services, engine, run, home.logs / "runs" / run.id, mine).drive()
        return {"run_id": run.id, "state": ended.state}

    return handle


def main() -> None:
    """Parse, wire, work until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--web-url", required=True)
    parser.add_argument("--serving-url", required=True)
    arguments = parser.parse_args()
    die_with_parent()
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    addresses = Addresses(web=arguments.web_url, serving=arguments.serving_url)
    services, _ = open_services(arguments.home, addresses, SystemClock())
    worker = Worker(
        services,
        {
            "pipeline": pipeline_handler(services, Home(services.home)),
            "monitor": lambda job, _: evaluate(services, job),
        },
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: worker.stopping.set())
    log.info("worker ready", extra={"action": "ready"})
    worker.run()


if __name__ == "__main__":
    main()
