"""Databases of MLflow's taken over: copied, brought to the pinned schema, checked against where they came from."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import msgspec

from kedge.core.errors import Conflict, Invalid, StorageError
from kedge.storage.mlflow_schema import SCHEMA_REVISION, revision_of

COUNTED = (
    "experiments",
    "runs",
    "metrics",
    "latest_metrics",
    "params",
    "tags",
    "datasets",
    "logged_models",
    "registered_models",
    "model_versions",
    "registered_model_aliases",
    "trace_info",
)


class Counts(msgspec.Struct, frozen=True):
    """Rows of MLflow's tables, by table; one that an older release lacks is not there."""

    rows: dict[str, int]

    def missing_from(self, other: "Counts") -> dict[str, tuple[int, int]]:
        """Tables of which `other` has another number of rows: (ours, theirs)."""
        return {
            table: (count, other.rows.get(table, 0))
            for table, count in self.rows.items()
            if other.rows.get(table, 0) != count
        }


@contextlib.contextmanager
def _opened(file: Path, *, write: bool = False) -> Iterator[sqlite3.Connection]:
    mode = "rwc" if write else "ro"
    try:
        connection = sqlite3.connect(f"{file.absolute().as_uri()}?mode={mode}", uri=True)
        with contextlib.closing(connection):
            yield connection
    except sqlite3.DatabaseError as error:
        raise StorageError(f"{file} is no SQLite database that can be read: {error}") from error


def copy(source: Path, target: Path) -> None:
    """Copy a database as it is at this moment, even while a server writes to it.

    Raises
    ------
    Invalid
        The source holds no tables of MLflow's.
    StorageError
        It is damaged.
    """
    with _opened(source) as original:
        if revision_of(original) is None:
            raise Invalid(f"{source} holds no tables of MLflow's", hint="name the file behind sqlite:///")
        with _opened(target, write=True) as made:
            original.backup(made)
            found = made.execute("PRAGMA integrity_check").fetchone()[0]
    if found != "ok":
        raise StorageError(f"{source} is damaged: {found}")


def settle(file: Path) -> None:
    """Fold what a write-ahead log holds into the file, so that the file alone is all."""
    with _opened(file, write=True) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")


def revision(file: Path) -> str:
    """The alembic revision of MLflow's tables in the file; empty where there is none."""
    with _opened(file) as connection:
        return revision_of(connection) or ""


def needs_upgrade(file: Path, known: frozenset[str]) -> bool:
    """Whether the tables are of an older release; `known` are the revisions of the pinned one and those before it.

    Raises
    ------
    Conflict
        A newer release made them.
    """
    have = revision(file)
    if have == SCHEMA_REVISION:
        return False
    if have in known:
        return True
    raise Conflict(
        f"MLflow's tables have revision {have or '(none)'}, which MLflow 3.17.2 does not know: a newer release made them",
        hint="use a newer Kedge, or a copy from before the upgrade",
    )


def counted(file: Path) -> Counts:
    """How many rows the file holds."""
    with _opened(file) as connection:
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        return Counts(
            {
                table: int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 - our names
                for table in COUNTED
                if table in tables
            }
        )


def elsewhere(file: Path) -> int:
    """Runs whose artifacts do not lie in the proxy's folder; they are read where they are."""
    with _opened(file) as connection:
        query = "SELECT count(*) FROM runs WHERE artifact_uri NOT LIKE 'mlflow-artifacts:%'"
        return int(connection.execute(query).fetchone()[0])
