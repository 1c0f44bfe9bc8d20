"""Both servers, asked the same."""

import logging
import shutil
from pathlib import Path

import pytest
from tests.tracking.both import Both


@pytest.fixture(scope="session")
def mlflow_database(tmp_path_factory) -> Path:
    """A database that MLflow's migrations made: they take seconds, a copy none."""
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    file = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    store = SqlAlchemyStore(f"sqlite:///{file}", "mlflow-artifacts:/")
    store._dispose_engine()
    return file


@pytest.fixture
def both(tmp_path, monkeypatch, mlflow_database):
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    logging.disable(logging.CRITICAL)
    shutil.copy(mlflow_database, tmp_path / "mlflow.db")
    servers = Both(tmp_path)
    yield servers
    servers.close()
    logging.disable(logging.NOTSET)
