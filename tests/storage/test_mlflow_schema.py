"""MLflow's tables as Kedge makes them are those that MLflow's own migrations make."""

import sqlite3

import pytest

from kedge.core.clock import SystemClock
from kedge.core.errors import Conflict
from kedge.storage.database import open_database

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow's own


def described(file) -> dict[str, object]:
    """Columns, keys and indexes of every table, Kedge's own left out."""
    connection = sqlite3.connect(file)
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    found: dict[str, object] = {}
    for table in sorted(tables):
        if table.startswith(("kedge_", "sqlite_")):
            continue
        indexes = {
            row[1]: (
                row[2],
                row[4],
                [column[2] for column in connection.execute(f"PRAGMA index_info({row[1]!r})")],
            )
            for row in connection.execute(f"PRAGMA index_list({table!r})")
            if not row[1].startswith("kedge_")
        }
        found[table] = (
            connection.execute(f"PRAGMA table_xinfo({table!r})").fetchall(),
            sorted(connection.execute(f"PRAGMA foreign_key_list({table!r})").fetchall(), key=str),
            indexes,
        )
    triggers = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type IN ('trigger', 'view')"
    ).fetchall()
    rows = {
        table: connection.execute(f"SELECT * FROM {table}").fetchall()
        for table in ("alembic_version", "workspaces")
    }
    experiments = connection.execute(
        "SELECT experiment_id, name, artifact_location, lifecycle_stage FROM experiments"
    )
    found["rows"] = (rows, experiments.fetchall(), sorted(triggers))
    connection.close()
    return found


def test_table_by_table_and_index_by_index(tmp_path, mlflow_database):
    open_database(tmp_path / "kedge.db", SystemClock()).close()
    ours, theirs = described(tmp_path / "kedge.db"), described(mlflow_database)
    assert ours.keys() == theirs.keys()
    for table, wanted in theirs.items():
        assert ours[table] == wanted, table


def test_mlflow_takes_the_database_as_its_own(tmp_path):
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    open_database(tmp_path / "kedge.db", SystemClock()).close()
    store = SqlAlchemyStore(f"sqlite:///{tmp_path}/kedge.db", "mlflow-artifacts:/")
    assert [e.name for e in store.search_experiments()] == ["Default"]
    store._dispose_engine()


def test_a_database_of_mlflow_is_adopted_as_it_is(tmp_path, mlflow_database):
    import shutil

    file = tmp_path / "kedge.db"
    shutil.copy(mlflow_database, file)
    before = described(file)
    open_database(file, SystemClock()).close()
    assert described(file) == before
    connection = sqlite3.connect(file)
    assert (
        connection.execute("SELECT count(*) FROM sqlite_master WHERE name LIKE 'kedge_%'").fetchone()[0] > 10
    )
    connection.close()


@pytest.mark.parametrize("revision", ["f4a9b2c7d1e6", "451aebb31d03"])
def test_tables_of_another_release_are_refused_before_anything_is_written(
    tmp_path, mlflow_database, revision
):
    import shutil

    file = tmp_path / "kedge.db"
    shutil.copy(mlflow_database, file)
    connection = sqlite3.connect(file)
    with connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    connection.close()
    with pytest.raises(Conflict, match=revision):
        open_database(file, SystemClock())
    connection = sqlite3.connect(file)
    assert (
        connection.execute("SELECT count(*) FROM sqlite_master WHERE name LIKE 'kedge_%'").fetchone()[0] == 0
    )
    connection.close()


def test_mlflow_has_the_database_back_with_what_kedge_wrote(tmp_path):
    import threading

    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    from kedge.core.logged import Metric, Pair
    from kedge.core.runs import CreateRun, LogBatch
    from kedge.storage.tracking_store import SqlTracking

    file = tmp_path / "kedge.db"
    database = open_database(file, SystemClock())
    ours = SqlTracking(database, SystemClock())
    heard = threading.Semaphore(0)
    outcomes = []

    def done(outcome):
        outcomes.append(outcome)
        heard.release()

    tags = (Pair("mlflow.runName", "r"),)
    ours.submit(
        CreateRun(experiment_id=0, run_id="a" * 32, name="r", user_id="u", start_time=1, tags=tags), done
    )
    points = (Metric("m", 1.0, 1, 0), Metric("m", float("nan"), 2, 1), Metric("inf", float("inf"), 1, 0))
    ours.submit(LogBatch(run_id="a" * 32, metrics=points, params=(Pair("p", "1"),)), done)
    for _ in range(2):
        assert heard.acquire(timeout=10)
    assert not any(isinstance(outcome, Exception) for outcome in outcomes)
    ours.close()
    database.close()
    store = SqlAlchemyStore(f"sqlite:///{file}", "mlflow-artifacts:/")
    run = store.get_run("a" * 32)
    assert run.data.params == {"p": "1"}
    assert run.data.metrics["m"] != run.data.metrics["m"]  # NaN
    assert [metric.step for metric in store.get_metric_history("a" * 32, "m")] == [0, 1]
    assert len(store.search_runs(["0"], "metrics.inf > 1 AND params.p = '1'", 1, 10)) == 1
    store.log_batch("a" * 32, [], [], [])
    store._dispose_engine()
