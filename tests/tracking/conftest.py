"""Both servers, asked the same."""

import logging
import shutil

import pytest
from tests.tracking.both import Both


@pytest.fixture
def both(tmp_path, monkeypatch, mlflow_database):
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    logging.disable(logging.CRITICAL)
    shutil.copy(mlflow_database, tmp_path / "mlflow.db")
    servers = Both(tmp_path)
    yield servers
    servers.close()
    logging.disable(logging.NOTSET)
