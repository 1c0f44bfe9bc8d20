"""`python -m kedge.app.web_main`: the web process."""

import argparse
import logging
import sys
from pathlib import Path

import uvicorn

from kedge.app.config import artifacts_place, database_place, reachable
from kedge.app.folders import sweep_unused
from kedge.app.processes import WITH_PARENT, die_with_parent
from kedge.app.sidecar import Sidecar
from kedge.app.web import application
from kedge.app.wiring import open_services
from kedge.core.clock import SystemClock
from kedge.core.home import Home
from kedge.core.hosts import known_hosts
from kedge.core.services import Addresses

_GRACE_S = 1


def main() -> None:
    """Parse, wire, serve."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--serving-url", required=True)
    parser.add_argument("--allowed-host", action="append", default=[])
    parser.add_argument("--mlflow-idle-stop-s", type=float, default=900.0)
    parser.add_argument(WITH_PARENT, type=int, required=True)
    arguments = parser.parse_args()
    die_with_parent(arguments.with_parent)
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    logging.getLogger("httpx").setLevel(logging.WARNING)
    web_url = f"http://{reachable(arguments.host)}:{arguments.port}"
    addresses = Addresses(web=web_url, serving=arguments.serving_url)
    services, database = open_services(
        arguments.home, addresses, SystemClock(), database_place(Home(arguments.home)), artifacts_place()
    )
    home = Home(services.home)
    home.logs.mkdir(exist_ok=True)
    sweep_unused(home)  # of a web that was killed
    sidecar = Sidecar(home.root, web_url, home.logs / "mlflow.log", arguments.mlflow_idle_stop_s)
    hosts = sorted(known_hosts(arguments.host, arguments.allowed_host))
    uvicorn.run(
        application(services, database, sidecar, hosts),
        host=arguments.host,
        port=arguments.port,
        loop="uvloop",
        http="httptools",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_S,
    )


if __name__ == "__main__":
    main()
