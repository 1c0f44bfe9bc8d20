"""Small models in MLflow's folder layout, and the serving app in this process."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import httpx
import numpy as np
import pandas as pd
import pytest
import skops.io
import yaml
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

from kedge.core.clock import SystemClock
from kedge.core.deployments import Deployment
from kedge.core.ids import new_id
from kedge.serving.batching import Batcher
from kedge.serving.http import ServingApp
from kedge.serving.live import Live, LiveTable
from kedge.serving.model import load_model
from kedge.serving.recorder import Recorder
from kedge.storage.database import open_database
from kedge.storage.deployments import SqlDeployments
from kedge.storage.inference import SqlInference

COLUMNS = [("hour", "long"), ("distance", "double"), ("carrier", "string"), ("late", "boolean")]


def save(folder: Path, estimator, *, inputs=None, outputs=None, predict_fn="predict", **flavor) -> Path:
    """Write a model as MLflow does, without MLflow."""
    folder.mkdir(parents=True)
    skops.io.dump(estimator, folder / "model.skops")
    fields = {
        "flavors": {
            "python_function": {"loader_module": "mlflow.sklearn", "predict_fn": predict_fn},
            "sklearn": {"pickled_model": "model.skops", "serialization_format": "skops", **flavor},
        },
        "mlflow_version": "3.17.2",
    }
    if inputs is not None:
        fields["signature"] = {"inputs": json.dumps(inputs), "outputs": json.dumps(outputs), "params": None}
    (folder / "MLmodel").write_text(yaml.safe_dump(fields))
    return folder


def frame(rows: int, seed: int = 1) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "hour": random.integers(0, 24, rows),
            "distance": random.normal(1000, 300, rows),
            "carrier": random.choice(["AA", "UA"], rows),
            "late": random.random(rows) < 0.5,
        }
    )


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """Folders: `flights` (columns, probabilities), `line` (a tensor), `line2` (the same, other answers)."""
    root = tmp_path_factory.mktemp("models")
    rows = frame(300)
    encode = ColumnTransformer([("carrier", OrdinalEncoder(), ["carrier"])], remainder="passthrough")
    flights = make_pipeline(encode, HistGradientBoostingClassifier(max_iter=20)).fit(rows, rows["hour"] > 12)
    inputs = [{"name": name, "type": kind, "required": True} for name, kind in COLUMNS]
    probability = [{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1, 2]}}]
    tensor = [{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1, 3]}}]
    answer = [{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1]}}]
    matrix = np.random.default_rng(2).normal(size=(50, 3))
    return SimpleNamespace(
        flights=save(
            root / "flights", flights, inputs=inputs, outputs=probability, predict_fn="predict_proba"
        ),
        line=save(
            root / "line", LinearRegression().fit(matrix, matrix.sum(1)), inputs=tensor, outputs=answer
        ),
        line2=save(
            root / "line2", LinearRegression().fit(matrix, matrix.sum(1) + 100), inputs=tensor, outputs=answer
        ),
        bare=save(root / "bare", LinearRegression().fit(matrix, matrix.sum(1))),
        flights_estimator=flights,
    )


@pytest.fixture(scope="session")
def save_model():
    return save


@pytest.fixture(scope="session")
def make_frame():
    return frame


@pytest.fixture
def stores(tmp_path):
    clock = SystemClock()
    database = open_database(tmp_path / "kedge.db", clock)
    yield SimpleNamespace(
        clock=clock,
        database=database,
        home=tmp_path,
        deployments=SqlDeployments(database, clock),
        inference=SqlInference(database, tmp_path / "inference"),
    )
    database.close()


def deployment(endpoint: str, source: Path, version: str = "1") -> Deployment:
    return Deployment(
        id=new_id(),
        endpoint=endpoint,
        model_name=endpoint,
        model_version=version,
        source=str(source),
        state="pending",
        created_ms=1,
    )


@pytest.fixture(scope="session")
def make_deployment():
    return deployment


@pytest.fixture
def server(stores, models):
    """The app with endpoints `flights` and `line`; `ask` sends one request, `ask_all` many at once."""
    executor = ThreadPoolExecutor(2)
    table = LiveTable()
    for name in ("flights", "line", "bare"):
        model = load_model(getattr(models, name), trust_pickle=False)
        table.put(Live(deployment(name, getattr(models, name)), model, Batcher(model.predict, executor)))
    table.ready.set()
    recorder = Recorder(stores.inference, stores.deployments, stores.clock)
    app = ServingApp(table, recorder, stores.clock, "0")

    async def send(requests):
        transport = httpx.ASGITransport(app, raise_app_exceptions=True)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await asyncio.gather(*(client.request(m, p, **rest) for m, p, rest in requests))

    def ask_all(requests):
        return asyncio.run(send(requests))

    def ask(method, path, **rest):
        return ask_all([(method, path, rest)])[0]

    yield SimpleNamespace(ask=ask, ask_all=ask_all, recorder=recorder, table=table, app=app)
    executor.shutdown()
