"""`kedge import`: what MLflow has, into a data directory; the source stays, and nothing half-made is left."""

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from tests.ceph import Gateway

pytestmark = [pytest.mark.acceptance, pytest.mark.filterwarnings("ignore")]

OLD = "f5a4f2784254"
MAKE_OLD = """
import sys
from sqlalchemy import create_engine
from alembic import command
from mlflow.store.db.utils import _get_alembic_config
from mlflow.store.tracking.dbmodels.initial_models import Base
uri = sys.argv[1]
engine = create_engine(uri)
Base.metadata.create_all(engine)
config = _get_alembic_config(uri)
with engine.begin() as connection:
    config.attributes["connection"] = connection
    command.upgrade(config, sys.argv[2])
"""
MAKE_FILES = """
import sys, mlflow
mlflow.set_tracking_uri(sys.argv[1])
mlflow.set_experiment("files")
for number in range(3):
    with mlflow.start_run(run_name=f"r{number}"):
        mlflow.log_param("alpha", number / 10)
        mlflow.log_params({"text": "ü 'quoted'", "empty": ""})
        for step in range(number + 2):
            mlflow.log_metric("loss", 1 / (step + 1), step=step)
        mlflow.log_metric("nan", float("nan"))
        mlflow.log_text("hello", "note.txt")
"""


def kedge(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "kedge.app.main", *arguments], capture_output=True, text=True, check=False
    )
    assert not check or done.returncode == 0, done.stderr
    return done


def script(text: str, *arguments: str) -> None:
    variables = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_ALLOW_FILE_STORE": "true"}
    subprocess.run([sys.executable, "-c", text, *arguments], check=True, capture_output=True, env=variables)


def rows(file: Path, query: str) -> list[tuple]:
    connection = sqlite3.connect(file)
    found = connection.execute(query).fetchall()
    connection.close()
    return found


@pytest.fixture
def database(tmp_path: Path, mlflow_database: Path) -> Path:
    """A database of the pinned release with one run."""
    file = tmp_path / "mlflow.db"
    file.write_bytes(mlflow_database.read_bytes())
    connection = sqlite3.connect(file)
    with connection:
        connection.execute(
            "INSERT INTO runs (run_uuid, name, status, start_time, lifecycle_stage, artifact_uri, experiment_id) "
            "VALUES ('a1', 'kept', 'FINISHED', 1, 'active', 'mlflow-artifacts:/0/a1/artifacts', 0)"
        )
        connection.execute("INSERT INTO params VALUES ('alpha', '0.1', 'a1')")
    connection.close()
    return file


def test_a_database_with_its_artifacts(tmp_path: Path, database: Path) -> None:
    note = tmp_path / "mlartifacts/0/a1/artifacts/note.txt"
    note.parent.mkdir(parents=True)
    note.write_text("hello")
    home, before = tmp_path / "home", database.read_bytes()
    done = kedge(
        "import",
        "mlflow",
        f"sqlite:///{database}",
        "--artifacts",
        str(tmp_path / "mlartifacts"),
        "--home",
        str(home),
        "--json",
    )
    answer = json.loads(done.stdout)
    assert answer["rows"]["runs"] == answer["rows"]["params"] == 1
    assert answer["runs_with_artifacts_elsewhere"] == 0
    assert answer["artifacts_left_behind"] == {"runs": 0, "logged_models": 0}
    assert database.read_bytes() == before
    assert (home / "artifacts/0/a1/artifacts/note.txt").read_text() == "hello"
    assert rows(home / "kedge.db", "SELECT name FROM runs") == [("kept",)]
    assert not list(home.glob("incoming*"))
    again = kedge("import", "mlflow", str(database), "--home", str(home), check=False)
    assert again.returncode == 1
    assert "already has data" in again.stderr


def test_artifacts_that_were_left_behind_are_told(tmp_path: Path, database: Path) -> None:
    done = kedge("import", "mlflow", str(database), "--home", str(tmp_path / "told"))
    assert "1 runs and 0 logged models have their artifacts in the folder of MLflow's" in done.stdout
    assert "--artifacts" in done.stdout
    done = kedge("import", "mlflow", str(database), "--home", str(tmp_path / "json"), "--json")
    assert json.loads(done.stdout)["artifacts_left_behind"] == {"runs": 1, "logged_models": 0}


def test_artifacts_go_to_the_bucket_that_is_configured(
    tmp_path: Path, database: Path, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = tmp_path / "mlartifacts/0/a1/artifacts/note.txt"
    note.parent.mkdir(parents=True)
    note.write_text("hello")
    bucket, home = gateway.new_bucket(), tmp_path / "home"
    for name, value in gateway.variables(bucket).items():
        monkeypatch.setenv(name, value)
    done = kedge(
        "import", "mlflow", str(database), "--artifacts", str(tmp_path / "mlartifacts"), "--home", str(home)
    )
    assert "1 files sent" in done.stderr
    assert gateway.keys(bucket) == ["kept/here/0/a1/artifacts/note.txt"]
    assert not (home / "artifacts").exists()


def test_a_database_of_an_older_release_is_upgraded_in_the_copy(tmp_path: Path) -> None:
    file = tmp_path / "old.db"
    script(MAKE_OLD, f"sqlite:///{file}", OLD)
    connection = sqlite3.connect(file)
    with connection:
        connection.execute(
            "INSERT INTO experiments (experiment_id, name, lifecycle_stage) VALUES (0, 'Default', 'active')"
        )
        connection.execute(
            "INSERT INTO runs (run_uuid, name, status, start_time, lifecycle_stage, artifact_uri, experiment_id) "
            "VALUES ('a1', 'old', 'FINISHED', 1, 'active', '/somewhere/a1', 0)"
        )
    connection.close()
    home, before = tmp_path / "home", file.read_bytes()
    done = kedge("import", "mlflow", str(file), "--home", str(home))
    assert "runs" in done.stdout
    assert "1 runs lie outside" in done.stdout
    assert file.read_bytes() == before
    assert rows(home / "kedge.db", "SELECT version_num FROM alembic_version") != [(OLD,)]
    assert rows(home / "kedge.db", "SELECT name FROM runs") == [("old",)]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("newer", "a newer release"),
        ("text", "no SQLite database"),
        ("empty", "no tables of MLflow's"),
        (None, "there is no file"),
    ],
)
def test_what_cannot_be_taken_over_leaves_nothing(
    tmp_path: Path, database: Path, content: str | None, said: str
) -> None:
    file = tmp_path / "source.db"
    if content == "newer":
        file.write_bytes(database.read_bytes())
        connection = sqlite3.connect(file)
        with connection:
            connection.execute("UPDATE alembic_version SET version_num = 'f4a9b2c7d1e6'")
        connection.close()
    elif content is not None:
        file.write_text("this is no database " * 100 if content == "text" else "")
    home = tmp_path / "home"
    done = kedge("import", "mlflow", str(file), "--home", str(home), check=False)
    assert done.returncode == 1
    assert said in done.stderr, done.stderr
    assert not home.exists() or not list(home.iterdir())


def test_a_folder_of_runs_is_compared_with_its_files(tmp_path: Path) -> None:
    script(MAKE_FILES, str(tmp_path / "mlruns"))
    home = tmp_path / "home"
    done = kedge("import", "mlruns", str(tmp_path / "mlruns"), "--home", str(home), "--json")
    assert "3 runs compared" in done.stderr
    answer = json.loads(done.stdout)
    assert (answer["rows"]["runs"], answer["rows"]["params"], answer["rows"]["metrics"]) == (
        3,
        9,
        2 + 3 + 4 + 3,
    )
    assert answer["runs_with_artifacts_elsewhere"] == 3
    refused = kedge("import", "mlruns", str(tmp_path), "--home", str(tmp_path / "other"), check=False)
    assert refused.returncode == 0  # the folder above is as good
    nothing = kedge("import", "mlruns", str(home), "--home", str(tmp_path / "third"), check=False)
    assert nothing.returncode == 1
    assert "no mlruns folder" in nothing.stderr
