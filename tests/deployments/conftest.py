"""Services with real stores and a small registry; the model files are written by hand."""

import json

import numpy as np
import pandas as pd
import pytest
import skops.io
import yaml
from sklearn.linear_model import LinearRegression

from kedge.core.clock import SystemClock
from kedge.core.errors import NotFound
from kedge.core.services import Addresses, Services
from kedge.core.tracking import ModelVersion
from kedge.storage.database import open_database
from kedge.storage.deployments import SqlDeployments
from kedge.storage.inference import SqlInference


class Registry:
    """`TrackingReader.resolve` and `versions` over a list."""

    def __init__(self):
        self.known = []

    def resolve(self, name, ref):
        for version in reversed(self.known):
            if version.name == name and ref in (version.version, *version.aliases, "latest"):
                return version
        raise NotFound(f"model {name!r} has no version or alias {ref!r}")

    def versions(self, name):
        return [version for version in reversed(self.known) if version.name == name]

    def models(self):
        return []


@pytest.fixture
def services(tmp_path):
    clock = SystemClock()
    database = open_database(tmp_path / "kedge.db", clock)
    yield Services(
        clock=clock,
        home=tmp_path,
        addresses=Addresses(web="http://127.0.0.1:1", serving="http://127.0.0.1:2"),
        objects=None,
        datasets=None,
        jobs=None,
        pipelines=None,
        reports=None,
        deployments=SqlDeployments(database, clock),
        inference=SqlInference(database, tmp_path / "inference"),
        monitors=None,
        tracking=Registry(),
        runs=None,
        artifacts=None,
    )
    database.close()


@pytest.fixture
def register(services, tmp_path):
    """Register the next version of `flights`: it answers the sum of two columns plus `offset`."""

    def make(offset=0.0, **fields):
        number = str(len(services.tracking.known) + 1)
        folder = tmp_path / "artifacts" / number
        folder.mkdir(parents=True)
        rows = pd.DataFrame(np.random.default_rng(1).normal(size=(20, 2)), columns=["a", "b"])
        skops.io.dump(LinearRegression().fit(rows, rows.sum(1) + offset), folder / "model.skops")
        columns = [{"name": name, "type": "double", "required": True} for name in ("a", "b")]
        description = {
            "flavors": {"sklearn": {"pickled_model": "model.skops", "serialization_format": "skops"}},
            "signature": {"inputs": json.dumps(columns), "outputs": None},
        }
        (folder / "MLmodel").write_text(yaml.safe_dump(description))
        values = {
            "name": "flights",
            "version": number,
            "created_ms": 1,
            "run_id": "r",
            "location": str(folder),
        }
        services.tracking.known.append(ModelVersion(**{**values, **fields}))
        return services.tracking.known[-1]

    return make
