"""MLflow's tables in a database of Kedge's: made from a snapshot of what MLflow's migrations make, in a few milliseconds."""

import functools
from importlib import resources
from typing import Any

from kedge.core.errors import Conflict
from kedge.storage.dialect import POSTGRESQL, SQLITE, Dialect
from kedge.storage.statements import statements
from kedge.storage.tracking_writes import ARTIFACT_ROOT

SCHEMA_REVISION = "dc11669786a5"
"""The alembic revision of MLflow 3.17.2."""


@functools.cache
def snapshot(dialect: str) -> str:
    """The statements that make MLflow's tables (scripts/mlflow_schema.py writes them)."""
    return (resources.files("kedge.storage") / "snapshots" / f"mlflow_{dialect}.sql").read_text()


def revision_of(connection: Any, dialect: Dialect = SQLITE) -> str | None:
    """The alembic revision of MLflow's tables; None where there are none."""
    if not dialect.has_table(connection, "alembic_version"):
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else ""


def require_known(revision: str | None, place: object) -> None:
    """Raise Conflict for tables of another release."""
    if revision not in (None, SCHEMA_REVISION):
        raise Conflict(
            f"MLflow's tables in {place} have revision {revision or '(none)'}; this Kedge knows {SCHEMA_REVISION} "
            "(MLflow 3.17.2)",
            hint="upgrade them with `mlflow db upgrade ADDRESS` of MLflow 3.17.2 after a backup, or, if a newer "
            "MLflow made them, use a newer Kedge",
        )


def make(connection: Any, dialect: Dialect, now_ms: int) -> None:
    """Make MLflow's tables and its default experiment, inside the transaction that is open."""
    script = snapshot(dialect.name)
    for statement in [script] if dialect is POSTGRESQL else dialect.statements(script):
        connection.execute(statement)
    connection.execute(statements("experiments")["insert_default"], (f"{ARTIFACT_ROOT}0", now_ms, now_ms))
