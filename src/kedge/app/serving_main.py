"""The serving process: `python -m kedge.app.serving_main --home DIR --port N`.

It answers predictions and follows the database for what it should serve. SIGTERM: accept nothing new, finish what is
asked, write the log, leave.
"""

import argparse
import logging
import signal
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

import uvicorn

from kedge.app.config import artifacts_place, database_place
from kedge.app.places import open_artifacts
from kedge.app.processes import WITH_PARENT, die_with_parent
from kedge.core.clock import SystemClock
from kedge.core.errors import ConfigError, KedgeError
from kedge.core.home import Home
from kedge.core.hosts import known_hosts
from kedge.serving.attempts import Attempts
from kedge.serving.copies import ModelCopies
from kedge.serving.http import ServingApp
from kedge.serving.live import LiveTable
from kedge.serving.recorder import Recorder
from kedge.serving.watcher import Watcher
from kedge.storage.database import open_database
from kedge.storage.deployments import SqlDeployments
from kedge.storage.inference import SqlInference

GRACE_S = 1
_PREDICTING_THREADS = 2


def main(arguments: list[str] | None = None) -> int:
    """Serve until told to stop; returns the exit status."""
    options = _parser().parse_args(arguments)
    die_with_parent(options.with_parent)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        return serve(
            Home(options.home.resolve()),
            options.host,
            options.port,
            hosts=known_hosts(options.host, options.allowed_host),
            trust_pickle=options.trust_pickle,
        )
    except (KedgeError, OSError) as error:
        print(f"kedge serving: {error}", file=sys.stderr)
        return 1


def serve(home: Home, host: str, port: int, *, hosts: frozenset[str], trust_pickle: bool) -> int:
    """Open the data directory and answer until SIGTERM or SIGINT."""
    listener = _listen(host, port)
    clock = SystemClock()
    home.root.mkdir(parents=True, exist_ok=True)
    database = open_database(database_place(home), clock)
    deployments = SqlDeployments(database, clock)
    recorder = Recorder(SqlInference(database, home.inference), deployments, clock)
    table = LiveTable()
    executor = ThreadPoolExecutor(_PREDICTING_THREADS, thread_name_prefix="predict")
    artifacts_at, _ = artifacts_place()
    artifacts = open_artifacts(home.artifacts, artifacts_at, clock, direct=False)
    watcher = Watcher(
        deployments,
        table,
        executor,
        Attempts(home.attempts),
        change=database.data_version,
        trust_pickle=trust_pickle,
        copies=ModelCopies(artifacts, home.models),
    )
    server = uvicorn.Server(
        uvicorn.Config(
            ServingApp(table, recorder, clock, version("kedge"), hosts),
            http="httptools",
            loop="uvloop",
            lifespan="off",
            ws="none",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=GRACE_S,
        )
    )
    # uvicorn raises the signals that it has caught once more when it has stopped: then the log is still to be written.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    recorder.start()
    watcher.start()
    try:
        server.run(sockets=[listener])
    finally:
        watcher.stop()
        recorder.stop()
        executor.shutdown(wait=False, cancel_futures=True)
    return 0 if server.started else 1


def _listen(host: str, port: int) -> socket.socket:
    """Take the port before anything is opened. Raises ConfigError when it is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise ConfigError(
            f"cannot listen on {host} port {port}: {error.strerror}",
            hint="stop what holds it, or choose another with --serving-port",
        ) from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m kedge.app.serving_main", description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument(WITH_PARENT, type=int, required=True)
    parser.add_argument(
        "--allowed-host", action="append", default=[], help="a name this process is reached by"
    )
    parser.add_argument("--web-url", default="http://127.0.0.1:5000", help="where the web process answers")
    parser.add_argument(
        "--trust-pickle", action="store_true", help="load pickled models: they may run any code"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
