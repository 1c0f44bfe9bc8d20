"""MLflow's tables as Kedge makes them are those that MLflow's own migrations make."""

import re
import sqlite3
import threading

import psycopg
import pytest
from tests.postgres import driven

from kedge.core.clock import SystemClock
from kedge.core.errors import Conflict
from kedge.core.logged import Metric, Pair
from kedge.core.runs import CreateRun, LogBatch
from kedge.storage.database import open_database
from kedge.storage.tracking_store import SqlTracking

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
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

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


_POSTGRESQL = {
    "columns": "SELECT table_name, column_name, data_type, character_maximum_length, is_nullable, column_default "
    "FROM information_schema.columns WHERE table_schema = 'public'",
    "constraints": "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
    "WHERE connamespace = 'public'::regnamespace",
    "indexes": "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "triggers": "SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
    "functions": "SELECT proname, proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
    "sequences": "SELECT sequencename, sequencename, data_type::text, start_value, increment_by FROM pg_sequences "
    "WHERE schemaname = 'public'",
    "rows": "SELECT version_num, 'alembic', 'row' FROM alembic_version UNION SELECT name, description, 'row' FROM workspaces "
    "UNION SELECT name, artifact_location, lifecycle_stage FROM experiments",
}


def _plain(value):
    """A condition without its casts and brackets, which PostgreSQL writes otherwise when it reads its own text again."""
    return re.sub(r"::[a-z ]+(\[\])?|[()]", "", value) if str(value).startswith("CHECK") else value


def told_by_postgresql(url: str) -> dict[str, list[tuple]]:
    """All that its catalogue says, Kedge's own left out."""
    with psycopg.connect(url) as connection:
        return {
            what: sorted(
                tuple(map(_plain, row))
                for row in connection.execute(query.encode()).fetchall()
                if not row[0].startswith("kedge_") and not row[1].startswith("kedge_")
            )
            for what, query in _POSTGRESQL.items()
        }


@pytest.mark.slow
def test_table_by_table_and_index_by_index_in_postgresql(cluster):
    ours, theirs = cluster.new(), cluster.of_mlflow()
    open_database(ours, SystemClock()).close()
    found, wanted = told_by_postgresql(ours), told_by_postgresql(theirs)
    for what, rows in wanted.items():
        assert found[what] == rows, what
    assert len(wanted["columns"]) > 300


@pytest.mark.slow
def test_a_database_of_mlflow_in_postgresql_is_adopted_and_handed_back(cluster):
    from mlflow import MlflowClient

    url = cluster.of_mlflow()
    theirs = MlflowClient(driven(url))
    run_id = theirs.create_run("0", run_name="before").info.run_id
    theirs.log_metric(run_id, "m", 1.0)
    before = told_by_postgresql(url)
    database = open_database(url, SystemClock())
    assert told_by_postgresql(url) == before
    store = SqlTracking(database, SystemClock())
    assert store.run(run_id).info.name == "before"
    heard = threading.Event()
    store.submit(LogBatch(run_id=run_id, metrics=(Metric("m", 2.0, 5, 1),)), lambda _: heard.set())
    assert heard.wait(10)
    store.close()
    database.close()
    assert {point.value for point in theirs.get_metric_history(run_id, "m")} == {1.0, 2.0}
    theirs.log_param(run_id, "after", "1")
    assert theirs.get_run(run_id).data.metrics == {"m": 2.0}


@pytest.mark.slow
def test_tables_of_another_release_in_postgresql_are_refused(cluster):
    url = cluster.of_mlflow()
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '451aebb31d03'")
    with pytest.raises(Conflict, match="451aebb31d03"):
        open_database(url, SystemClock())
    assert not [row for row in told_by_postgresql(url)["columns"] if row[0].startswith("kedge")]
