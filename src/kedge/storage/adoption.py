"""Databases of MLflow's taken over: copied, brought to the pinned schema, checked against where they came from."""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from kedge.core.errors import Conflict, Invalid, KedgeError, StorageError
from kedge.storage.dialect import SQLITE, Dialect
from kedge.storage.mlflow_schema import SCHEMA_REVISION, revision_of
from kedge.storage.postgresql import PostgresqlDatabase

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
    """Fold what a write-ahead log holds into the file, so that the file alone is all.

    Raises
    ------
    Conflict
        Another process has the file open.
    """
    with _opened(file, write=True) as connection:
        try:
            connection.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.OperationalError as error:
            raise Conflict(
                f"{file} is used by another process: {error}", hint="stop what uses it, then try again"
            ) from error


def forget(file: Path) -> None:
    """Delete a database that is not needed, with what lies beside it."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        file.with_name(file.name + suffix).unlink(missing_ok=True)


def duplicate(address: str, suffix: str) -> str:
    """Have the server copy a PostgreSQL database; gives the name of the copy.

    Raises
    ------
    Conflict
        It may not, or others are connected, which would make a copy of half of what they do.
    """
    database = PostgresqlDatabase(address)
    try:
        with database.write() as connection:  # on the one connection there is: a second would be in the way
            name = str(connection.execute("SELECT current_database()").fetchone()[0])
        made = f"{name[: 62 - len(suffix)]}_{suffix}"
        try:
            database.run_alone("CREATE DATABASE {} TEMPLATE {}", made, name)
        except KedgeError as error:
            said = str(error.__cause__ or error).strip().partition("\n")[0]
            raise Conflict(
                f"MLflow's tables are older, and no backup of {database.name} could be made: {said}",
                hint="end other connections and let the role CREATE DATABASE (ALTER ROLE ... CREATEDB); or back it up "
                "with pg_dump and run `mlflow db upgrade ADDRESS` of MLflow 3.17.2 yourself",
            ) from error
    finally:
        database.close()
    return made


@contextlib.contextmanager
def _reading(place: Path | str) -> Iterator[tuple[Dialect, Callable[..., list[Any]]]]:
    """The kind of a database, and a way to ask it."""
    if isinstance(place, Path):
        with _opened(place) as connection:
            yield SQLITE, lambda query, arguments=(): connection.execute(query, arguments).fetchall()
        return
    database = PostgresqlDatabase(place)
    try:
        yield database.dialect, database.tuples
    finally:
        database.close()


def revision(place: Path | str) -> str:
    """The alembic revision of MLflow's tables in a file or at an address; empty where there is none."""
    with _reading(place) as (dialect, ask):
        if not ask(dialect.table_query, ("alembic_version",)):
            return ""
        return next((str(row[0]) for row in ask("SELECT version_num FROM alembic_version")), "")


def needs_upgrade(place: Path | str, known: frozenset[str]) -> bool:
    """Whether the tables are of an older release; `known` are the revisions of the pinned one and those before it.

    Raises
    ------
    Conflict
        A newer release made them.
    """
    have = revision(place)
    if have == SCHEMA_REVISION:
        return False
    if have in known:
        return True
    raise Conflict(
        f"MLflow's tables have revision {have or '(none)'}, which MLflow 3.17.2 does not know: a newer release made them",
        hint="use a newer Kedge, or a copy from before the upgrade",
    )


def counted(place: Path | str) -> Counts:
    """How many rows a file or a PostgreSQL database holds."""
    with _reading(place) as (dialect, ask):
        return Counts(
            {
                table: int(ask(f"SELECT count(*) FROM {table}")[0][0])  # noqa: S608 - our names
                for table in COUNTED
                if ask(dialect.table_query, (table,))
            }
        )


def require_all(before: Counts, after: Counts) -> None:
    """Raise StorageError where an upgrade left something out."""
    lost = before.missing_from(after)
    if lost:
        told = ", ".join(f"{table} {was} became {now}" for table, (was, now) in lost.items())
        raise StorageError(f"the upgraded tables do not hold the same: {told}; nothing was taken over")


def proxied(file: Path) -> dict[str, int]:
    """Runs and logged models whose artifacts lie in the proxy's folder, by table."""
    columns = (("runs", "artifact_uri"), ("logged_models", "artifact_location"))
    with _opened(file) as connection:
        return {
            table: int(
                connection.execute(
                    f"SELECT count(*) FROM {table} WHERE {column} LIKE 'mlflow-artifacts:%'"  # noqa: S608 - names of ours
                ).fetchone()[0]
            )
            for table, column in columns
        }


def elsewhere(file: Path) -> int:
    """Runs whose artifacts do not lie in the proxy's folder; they are read where they are."""
    with _opened(file) as connection:
        query = "SELECT count(*) FROM runs WHERE artifact_uri NOT LIKE 'mlflow-artifacts:%'"
        return int(connection.execute(query).fetchone()[0])
