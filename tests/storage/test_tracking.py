"""MLflow's own tables, made by MLflow's own client, read by SQL."""

import contextlib
import math
import sqlite3
import time
from pathlib import Path

import pytest

from kedge.core.clock import SystemClock
from kedge.core.errors import Invalid, NotFound
from kedge.storage.database import open_database
from kedge.storage.tracking import MlflowTables

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # MLflow's own use of SQLAlchemy


def open_tables(home: Path):
    database = open_database(home / "kedge.db", SystemClock())
    return database, MlflowTables(database, home / "artifacts", home)


def test_everything_is_empty_before_mlflow_made_its_tables(tmp_path):
    database, tables = open_tables(tmp_path)
    assert tables.runs() == []
    assert tables.count_runs() == 0
    assert tables.models() == []
    assert tables.metric_history("r", "auc") == []
    assert tables.versions_of_run("r") == []
    assert tables.runs_of_pipeline("p") == []
    for ask in (
        lambda: tables.get_run("r"),
        lambda: tables.versions("m"),
        lambda: tables.resolve("m", "1"),
    ):
        with pytest.raises(NotFound):
            ask()
    with pytest.raises(Invalid, match="sorted by 'nonsense'"):
        tables.runs(sort="nonsense")
    database.close()


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A data directory in which the stock client has logged runs and registered models."""
    pytest.importorskip("mlflow")
    from mlflow import MlflowClient

    home = tmp_path_factory.mktemp("home")
    open_database(home / "kedge.db", SystemClock()).close()
    client = MlflowClient(f"sqlite:///{home}/kedge.db")
    experiment = client.create_experiment("delays", artifact_location="mlflow-artifacts:/1")
    for index in range(3):
        run = client.create_run(experiment, run_name=f"run 10{'%' if index == 2 else '_'}{index}")
        client.log_metric(run.info.run_id, "auc", 0.5, step=0, timestamp=1)
        client.log_metric(run.info.run_id, "auc", 0.9 - index / 10, step=1, timestamp=2)
        client.log_metric(run.info.run_id, "bad", math.nan)
        client.log_param(run.info.run_id, "depth", index)
        client.set_tag(run.info.run_id, "kedge.pipeline_run", f"p{index}")
        client.set_terminated(run.info.run_id, "FAILED" if index == 1 else "FINISHED")
    client.delete_run(client.create_run(experiment).info.run_id)
    client.create_registered_model("flights", description="late or not")
    for location in (
        "mlflow-artifacts:/1/models/m-1/artifacts",
        "mlflow-artifacts:/../../etc",
        "s3://bucket/m",
    ):
        client.create_model_version("flights", location, run_id=run.info.run_id, tags={"where": location[:2]})
    client.create_model_version("flights", f"file://{home}/artifacts/1/models/m-4/artifacts")
    client.create_model_version("flights", "/etc")
    client.delete_model_version("flights", "5")
    client.set_registered_model_alias("flights", "champion", "1")
    client.create_registered_model("empty")
    return home


@pytest.fixture
def tables(home):
    database, tables = open_tables(home)
    yield tables
    database.close()


@pytest.mark.slow
def test_runs_are_what_the_client_logged(tables, home):
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{home}/kedge.db")
    assert tables.count_runs() == 3
    for run in tables.runs():
        truth = client.get_run(run.run_id)
        assert run.name == truth.info.run_name
        assert (run.start_ms, run.end_ms) == (truth.info.start_time, truth.info.end_time)
        assert run.status == truth.info.status
        assert run.params == truth.data.params
        assert run.tags == truth.data.tags
        assert run.metrics.keys() == truth.data.metrics.keys()
        assert run.metrics["auc"] == truth.data.metrics["auc"]
        assert math.isnan(run.metrics["bad"])
        history = client.get_metric_history(run.run_id, "auc")
        assert [(p.step, p.at_ms, p.value) for p in tables.metric_history(run.run_id, "auc")] == [
            (point.step, point.timestamp, point.value) for point in history
        ]
        assert tables.get_run(run.run_id).metrics["auc"] == run.metrics["auc"]


@pytest.mark.slow
def test_runs_are_searched_sorted_and_paged(tables):
    names = [run.name for run in tables.runs(sort="start")]
    assert names == ["run 10_0", "run 10_1", "run 10%2"]
    assert [run.name for run in tables.runs()] == names[::-1]
    assert [run.name for run in tables.runs(sort="-metrics.auc")] == names
    assert [run.name for run in tables.runs(sort="metrics.auc")] == names[::-1]
    assert len(tables.runs(sort="-metrics.unknown")) == 3
    for sort in ("name", "-name", "status", "-status", "experiment", "-experiment", "duration", "-duration"):
        assert len(tables.runs(sort=sort)) == 3
    assert [run.name for run in tables.runs(sort="start", limit=1, offset=1)] == [names[1]]
    assert [run.name for run in tables.runs(search="10%")] == [names[2]]
    assert [run.name for run in tables.runs(search="10_", sort="start")] == names[:2]
    assert tables.count_runs(search="p1") == 1
    assert tables.count_runs(search="DELAYS", status="failed") == 1
    assert [run.name for run in tables.runs_of_pipeline("p2")] == [names[2]]


@pytest.mark.slow
def test_models_versions_and_where_they_lie(tables, home):
    model, empty = tables.models()[1], tables.models()[0]
    assert (empty.name, empty.versions, empty.latest) == ("empty", 0, None)
    assert (model.name, model.versions, model.latest) == ("flights", 4, "4")
    assert model.aliases == {"champion": "1"}
    assert model.description == "late or not"
    versions = tables.versions("flights")
    assert [version.version for version in versions] == ["4", "3", "2", "1"]
    assert [version.location for version in versions] == [
        str(home / "artifacts/1/models/m-4/artifacts"),
        "s3://bucket/m",
        "mlflow-artifacts:/../../etc",
        str(home / "artifacts/1/models/m-1/artifacts"),
    ]
    assert versions[3].aliases == ("champion",)
    assert versions[3].tags == {"where": "ml"}
    assert tables.versions("empty") == []
    assert tables.resolve("flights", "champion").version == "1"
    assert tables.resolve("flights", "latest").version == "4"
    assert tables.resolve("flights", "2").version == "2"
    assert len(tables.versions_of_run(versions[3].run_id)) == 3
    with pytest.raises(NotFound, match="'flights' has no version or alias '5'"):
        tables.resolve("flights", "5")
    with pytest.raises(NotFound, match="no registered model 'nothing'"):
        tables.resolve("nothing", "1")


@pytest.mark.slow
def test_pages_of_ten_thousand_runs_are_fast(home, tmp_path):
    with (
        contextlib.closing(sqlite3.connect(home / "kedge.db")) as source,
        contextlib.closing(sqlite3.connect(tmp_path / "kedge.db")) as target,
    ):
        source.backup(target)
    database, tables = open_tables(tmp_path)
    with database.write() as connection:
        experiment = connection.execute("SELECT experiment_id FROM runs").fetchone()[0]
        connection.executemany(
            "INSERT INTO runs (run_uuid, name, source_type, user_id, status, start_time, end_time, lifecycle_stage,"
            " artifact_uri, experiment_id) VALUES (?, ?, 'LOCAL', 'u', 'FINISHED', ?, ?, 'active', '', ?)",
            [(f"{i:032x}", f"run {i}", i, i + 5, experiment) for i in range(10_000)],
        )
        for number in range(5):
            connection.executemany(
                "INSERT INTO latest_metrics (key, value, timestamp, step, is_nan, run_uuid) VALUES (?, ?, 1, 0, 0, ?)",
                [(f"m{number}", i * 0.5, f"{i:032x}") for i in range(10_000)],
            )
            connection.executemany(
                "INSERT INTO tags (key, value, run_uuid) VALUES (?, ?, ?)",
                [(f"t{number}", f"value {i}", f"{i:032x}") for i in range(10_000)],
            )
    for arguments in (
        {},
        {"sort": "-metrics.m3"},
        {"search": "value 77"},
        {"sort": "-duration", "offset": 9_900},
    ):
        best_s = math.inf
        for _ in range(3):
            started = time.perf_counter()
            assert len(tables.runs(**arguments)) >= 99
            best_s = min(best_s, time.perf_counter() - started)
        assert best_s < 2, arguments  # a plan that reads every row for every row would take minutes
    assert tables.count_runs() == 10_003
    database.close()
