"""`python -m kedge.app.mlflow_main`: MLflow's own server, one process, on a Unix socket that only this user can reach."""

import argparse
import os
from pathlib import Path
from urllib.parse import urlsplit

from kedge.app.adopting import sqlalchemy_address
from kedge.app.config import artifacts_place, database_place, direct, environment
from kedge.app.processes import WITH_PARENT, die_with_parent
from kedge.core.home import Home


def main() -> None:
    """Set what MLflow reads when it is imported, then serve its application."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--socket", required=True)
    parser.add_argument("--web-url", required=True)
    parser.add_argument(WITH_PARENT, type=int, required=True)
    arguments = parser.parse_args()
    die_with_parent(arguments.with_parent)
    home = Home(arguments.home)
    uri = sqlalchemy_address(database_place(home))
    os.environ.update(  # noqa: TID251 - MLflow's server is configured by variables alone
        {
            "_MLFLOW_SERVER_FILE_STORE": uri,
            "_MLFLOW_SERVER_REGISTRY_STORE": uri,
            "_MLFLOW_SERVER_ARTIFACT_ROOT": "mlflow-artifacts:/",
            "_MLFLOW_SERVER_ARTIFACT_DESTINATION": _destination(home, arguments.web_url),
            "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
            "_MLFLOW_STATIC_PREFIX": "/mlflow",
            "_MLFLOW_SGI_NAME": "uvicorn",
            "_MLFLOW_IN_JOB_EXECUTOR": "false",
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            # Our guard has checked host and origin; the socket is reachable by this user alone.
            "MLFLOW_SERVER_DISABLE_SECURITY_MIDDLEWARE": "true",
            **_without_proxy(arguments.web_url),
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "DO_NOT_TRACK": "true",
        }
    )
    import uvicorn
    from mlflow.server.fastapi_app import app

    uvicorn.run(app, uds=arguments.socket, log_level="warning", access_log=False, timeout_keep_alive=60)


def _without_proxy(web_url: str) -> dict[str, str]:
    """The variables by which web is asked directly, whatever proxy there is for other machines."""
    host = urlsplit(web_url).hostname or ""
    return {name: f"{value},{host}" for name, value in direct(environment()).items()}


def _destination(home: Home, web_url: str) -> str:
    """Where MLflow's server finds artifacts: in the folder, or else through web, so that it needs neither keys nor a library."""
    if artifacts_place()[0] is None:
        return home.artifacts.as_uri()
    return f"{web_url}/api/2.0/mlflow-artifacts/artifacts"


if __name__ == "__main__":
    main()
