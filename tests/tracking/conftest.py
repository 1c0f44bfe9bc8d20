"""Both servers, asked the same."""

import logging
import shutil

import pytest
from tests.tracking.both import Both


@pytest.fixture(params=["sqlite", "postgresql"])
def both(request, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    logging.disable(logging.CRITICAL)
    if request.param == "sqlite":
        theirs, ours = tmp_path / "mlflow.db", tmp_path / "kedge.db"
        shutil.copy(request.getfixturevalue("mlflow_database"), theirs)
    else:
        cluster = request.getfixturevalue("cluster")
        theirs, ours = cluster.of_mlflow(), cluster.new()
    servers = Both(theirs, ours)
    yield servers
    servers.close()
    logging.disable(logging.NOTSET)
