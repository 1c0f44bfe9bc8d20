"""Write the snapshot of MLflow's schema that the store makes new databases from: `.venv/bin/python scripts/mlflow_schema.py`.

MLflow's own migrations make the schema; this writes down what they made.
"""

import contextlib
import re
import sqlite3
import tempfile
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "src/kedge/storage/snapshots"


def migrated(uri: str) -> None:
    """Have MLflow make its tables there."""
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    SqlAlchemyStore(uri, "mlflow-artifacts:/")


def of_sqlite() -> str:
    """The statements that make MLflow's tables in SQLite, in the order in which they were made."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "mlflow.db"
        migrated(f"sqlite:///{file}")
        with contextlib.closing(sqlite3.connect(file)) as connection:
            made = connection.execute(
                "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid"
            ).fetchall()
            revision = connection.execute("SELECT version_num FROM alembic_version").fetchone()[0]
    statements = [re.sub(r'^CREATE TABLE "(\w+)"', r"CREATE TABLE \1", sql.strip()) + ";" for (sql,) in made]
    return "\n\n".join([*statements, *_rows(revision)]) + "\n"


def _rows(revision: str) -> list[str]:
    return [
        f"INSERT INTO alembic_version (version_num) VALUES ('{revision}');",
        "INSERT INTO workspaces (name, description) VALUES ('default', 'Default workspace for legacy resources');",
    ]


def main() -> None:
    """Write the file."""
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / "mlflow_sqlite.sql").write_text(of_sqlite())


if __name__ == "__main__":
    main()
