"""Write the snapshots of MLflow's schema that the store makes new databases from.

`.venv/bin/python scripts/mlflow_schema.py [postgresql://...]`: SQLite always, PostgreSQL when an empty database is named.
MLflow's own migrations make the schema; this writes down what they made.
"""

import contextlib
import re
import sqlite3
import subprocess
import sys
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


def of_postgres(url: str) -> str:
    """The same for PostgreSQL, as pg_dump tells it."""
    migrated(url)
    dumped = subprocess.run(
        ["pg_dump", "--schema-only", "--no-owner", "--no-privileges", "--no-comments", url],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    lines = [
        line
        for line in dumped.splitlines()
        if line and not line.startswith(("--", "SET ", "SELECT pg_catalog", "\\"))
    ]
    import psycopg

    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    revision = row[0] if row else ""
    return "\n".join(lines).replace("public.", "") + "\n\n" + "\n\n".join(_rows(revision)) + "\n"


def _rows(revision: str) -> list[str]:
    return [
        f"INSERT INTO alembic_version (version_num) VALUES ('{revision}');",
        "INSERT INTO workspaces (name, description) VALUES ('default', 'Default workspace for legacy resources');",
    ]


def main() -> None:
    """Write the files."""
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / "mlflow_sqlite.sql").write_text(of_sqlite())
    if len(sys.argv) > 1:
        (FOLDER / "mlflow_postgresql.sql").write_text(of_postgres(sys.argv[1]))


if __name__ == "__main__":
    main()
