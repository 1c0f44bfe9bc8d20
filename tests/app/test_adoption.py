"""`kedge up` on MLflow's own databases: an older release's are upgraded after a backup, newer ones refused, all given back."""

import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import httpx
import psycopg
import pytest
from tests.app.test_import import MAKE_OLD, OLD, script
from tests.conftest import KEDGE, Platform, free_ports, start_platform
from tests.postgres import Cluster, driven

from kedge.app.adopting import adopt
from kedge.core.clock import SystemClock
from kedge.core.errors import Conflict, KedgeError
from kedge.storage import adoption
from kedge.storage.database import open_database
from kedge.storage.mlflow_schema import SCHEMA_REVISION

pytestmark = [pytest.mark.acceptance, pytest.mark.filterwarnings("ignore")]  # MLflow's own

USED = """
import sys
import mlflow
mlflow.set_tracking_uri(sys.argv[1])
run = mlflow.get_run("a" * 32)
assert run.data.metrics == {"m": 2.0} and run.data.params == {"alpha": "0.1"}, run
with mlflow.start_run(run_id="a" * 32):
    mlflow.log_metric("back", 1.0)
"""
ROWS = (
    "INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage) VALUES (0, 'Default', 'x', 'active')",
    (
        "INSERT INTO runs (run_uuid, name, status, start_time, lifecycle_stage, artifact_uri, experiment_id, user_id) "
        f"VALUES ('{'a' * 32}', 'old', 'RUNNING', 1, 'active', 'mlflow-artifacts:/0/a/artifacts', 0, 'me')"
    ),
    f"INSERT INTO params (key, value, run_uuid) VALUES ('alpha', '0.1', '{'a' * 32}')",
)


@pytest.fixture(scope="module")
def old_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that MLflow's own migrations made, up to one of 2024."""
    file = tmp_path_factory.mktemp("old") / "mlflow.db"
    script(MAKE_OLD, f"sqlite:///{file}", OLD)
    with closing(sqlite3.connect(file)) as connection, connection:
        for row in ROWS:
            connection.execute(row)
    return file


@pytest.fixture(scope="module")
def old_database(cluster: Cluster) -> str:
    """The same in PostgreSQL: the name of a template."""
    url = cluster.new()
    script(MAKE_OLD, driven(url), OLD)
    with psycopg.connect(url) as connection:
        for row in ROWS:
            connection.execute(row.encode())
    return url.rpartition("/")[2]


def goes_on(platform: Platform) -> None:
    """The run of before is there, and takes a metric."""
    base = f"{platform.web}/api/2.0/mlflow/runs"
    run = httpx.get(f"{base}/get", params={"run_id": "a" * 32}).json()["run"]
    assert run["info"]["run_name"] == "old"
    assert run["data"]["params"] == [{"key": "alpha", "value": "0.1"}]
    logged = httpx.post(
        f"{base}/log-metric", json={"run_id": "a" * 32, "key": "m", "value": 2, "timestamp": 1}
    )
    assert logged.status_code == 200


def test_a_file_of_an_older_release(tmp_path: Path, old_file: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    shutil.copy(old_file, home / "kedge.db")
    platform = start_platform(home)
    try:
        goes_on(platform)
    finally:
        platform.stop()
    (backup,) = home.glob(f"kedge.db.{OLD}.*.backup")
    assert backup.read_bytes() == old_file.read_bytes()
    assert not list(home.glob("*incoming*"))
    assert "an older release" in (tmp_path / "home.up.log").read_text()
    assert adoption.revision(home / "kedge.db") == SCHEMA_REVISION
    script(USED, f"sqlite:///{home / 'kedge.db'}")


def test_a_database_of_an_older_release(tmp_path: Path, cluster: Cluster, old_database: str) -> None:
    url = cluster.new(old_database)
    platform = start_platform(tmp_path / "home", KEDGE_DATABASE=url)
    try:
        goes_on(platform)
    finally:
        platform.stop()
    name = url.rpartition("/")[2]
    with psycopg.connect(url) as connection:
        query = "SELECT datname FROM pg_database WHERE datname LIKE %s"
        ((backup,),) = connection.execute(query, (f"{name}_before_{OLD}_%",)).fetchall()
    assert adoption.revision(cluster.url(backup)) == OLD
    assert adoption.counted(cluster.url(backup)).rows["params"] == 1
    assert adoption.revision(url) == SCHEMA_REVISION
    script(USED, driven(url))


def test_a_database_that_others_use_is_left_as_it_is(cluster: Cluster, old_database: str) -> None:
    url = cluster.new(old_database)
    with psycopg.connect(url), pytest.raises(Conflict, match="no backup") as told:
        adopt(url, SystemClock(), lambda _: None)
    assert "accessed by other users" in told.value.message
    assert "pg_dump" in str(told.value.hint)
    cluster.run("CREATE ROLE plain LOGIN")
    with psycopg.connect(url) as connection:
        connection.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO plain")
    with pytest.raises(Conflict, match="permission denied"):
        adopt(url.replace("kedge@", "plain@"), SystemClock(), lambda _: None)
    assert adoption.revision(url) == OLD


def test_a_file_that_others_use_is_left_as_it_is(tmp_path: Path, old_file: Path) -> None:
    file = tmp_path / "kedge.db"
    shutil.copy(old_file, file)
    with closing(sqlite3.connect(file)) as other:
        other.execute("PRAGMA journal_mode = WAL")
        other.execute("SELECT count(*) FROM runs").fetchone()
        with pytest.raises(Conflict, match="another process"):
            adopt(file, SystemClock(), lambda _: None)
    assert adoption.revision(file) == OLD


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_migration_that_fails_changes_nothing(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """A table is in the way of one that a migration makes."""
    block = "CREATE TABLE logged_models (x INTEGER)"
    place: Path | str
    if kind == "sqlite":
        place = tmp_path / "kedge.db"
        shutil.copy(request.getfixturevalue("old_file"), place)
        with closing(sqlite3.connect(place)) as connection, connection:
            connection.execute(block)
        before = place.read_bytes()
    else:
        place = request.getfixturevalue("cluster").new(request.getfixturevalue("old_database"))
        with psycopg.connect(place) as connection:
            connection.execute(block)
    with pytest.raises(KedgeError, match="MLflow could not do it"):
        adopt(place, SystemClock(), lambda _: None)
    assert adoption.revision(place) == OLD
    if isinstance(place, Path):
        assert place.read_bytes() == before
        assert [each.name for each in tmp_path.iterdir()] == ["kedge.db"]


def test_newer_tables_are_refused_by_name(tmp_path: Path, mlflow_database: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    shutil.copy(mlflow_database, home / "kedge.db")
    with closing(sqlite3.connect(home / "kedge.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = 'f4a9b2c7d1e6'")
    before = (home / "kedge.db").read_bytes()
    web, serving = free_ports(2)
    arguments = [*KEDGE, "up", "--home", str(home), "--port", str(web), "--serving-port", str(serving)]
    done = subprocess.run(arguments, capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert done.returncode == 1
    assert "f4a9b2c7d1e6" in done.stderr
    assert "a newer release" in done.stderr
    assert (home / "kedge.db").read_bytes() == before


def test_tables_of_the_pinned_release_need_no_backup(tmp_path: Path, mlflow_database: Path) -> None:
    file = tmp_path / "kedge.db"
    shutil.copy(mlflow_database, file)
    heard: list[str] = []
    adopt(file, SystemClock(), heard.append)
    adopt(tmp_path / "none.db", SystemClock(), heard.append)
    open_database(file, SystemClock()).close()
    adopt(file, SystemClock(), heard.append)
    assert heard == []
    assert [each.name for each in tmp_path.glob("*backup*")] == []
