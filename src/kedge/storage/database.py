"""The database that a store asks: SQLite in the data directory, or PostgreSQL. `open_database` chooses, and migrates.

Migrations are numbered files, forward only, in one transaction with the record that they ran. A database that was
migrated by a newer Kedge is refused before anything is written.
"""

import functools
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, LiteralString, Protocol

from kedge.core.clock import Clock
from kedge.core.errors import Conflict, Invalid
from kedge.storage import mlflow_schema
from kedge.storage.dialect import Dialect
from kedge.storage.postgresql import PostgresqlDatabase, is_address
from kedge.storage.sqlite import SqliteDatabase


class Row(Protocol):
    """A row whose columns are asked for by place or name."""

    def __getitem__(self, key: Any, /) -> Any: ...

    def __iter__(self) -> Iterator[Any]: ...

    def keys(self) -> list[str]:
        """Names of the columns."""
        ...


class Connection(Protocol):
    """A connection inside a transaction."""

    def execute(self, query: Any, arguments: Any = (), /) -> Any:
        """Run a statement; what is returned has `fetchone`, `fetchall` and `rowcount`."""
        ...

    def executemany(self, query: Any, arguments: Any, /) -> Any:
        """Run a statement once for each of the arguments."""
        ...


class Database(Protocol):
    """One database; one writes at a time, over all processes of Kedge."""

    name: str
    """How messages call it, without secrets."""
    dialect: Dialect

    def write(self) -> AbstractContextManager[Any]:
        """A transaction that is committed, and durable, when the block ends, and undone when it raises."""
        ...

    def rows(self, query: LiteralString, arguments: Any = ()) -> Sequence[Row]:
        """All rows of a query, as one snapshot."""
        ...

    def tuples(self, query: LiteralString, arguments: Any = ()) -> list[tuple[Any, ...]]:
        """All rows of a query as plain tuples."""
        ...

    def several(self, *asked: tuple[LiteralString, Any]) -> list[list[tuple[Any, ...]]]:
        """The rows of several queries, each with its arguments, as one snapshot."""
        ...

    def row(self, query: LiteralString, arguments: Any = ()) -> Row | None:
        """The first row of a query."""
        ...

    def data_version(self) -> int:
        """A number that changes when another connection commits."""
        ...

    def complaint(self) -> str:
        """What the database finds wrong with itself; empty where nothing is."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


@functools.cache
def migrations() -> tuple[tuple[int, str], ...]:
    """(number, SQL) of every migration, in order."""
    folder = resources.files("kedge.storage") / "migrations"
    files = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return tuple((int(name[:4]), (folder / name).read_text()) for name in files)


def schema_version(database: Database) -> int:
    """The number of the newest migration that the database holds; 0 for a new one."""
    if not database.tuples(database.dialect.table_query, ("kedge_migration",)):
        return 0
    newest = database.row("SELECT max(number) FROM kedge_migration")
    return int(newest[0] or 0) if newest else 0


def open_database(place: Path | str, clock: Clock) -> Database:
    """Open and migrate.

    Parameters
    ----------
    place
        A file of SQLite's, or the address of a PostgreSQL database: ``postgresql://user@host/name``.

    Raises
    ------
    Conflict
        A newer Kedge, or another release of MLflow, wrote the database.
    StorageError
        It is no database.
    Unavailable
        It cannot be reached.
    """
    database: Database
    if isinstance(place, Path):
        database = SqliteDatabase(place)
    elif is_address(place):
        database = PostgresqlDatabase(place)
    else:
        raise Invalid(
            "the address of a database must begin with postgresql://",
            hint="postgresql://user@host:5432/kedge",
        )
    have, newest = schema_version(database), migrations()[-1][0]
    if have > newest:
        database.close()
        raise Conflict(
            f"the data in {database.name} has schema {have}; this Kedge knows schemas up to {newest}",
            hint="install the newer Kedge that wrote it, or use another --home",
        )
    if have < newest:
        _migrate(database, clock)
    return database


def _migrate(database: Database, clock: Clock) -> None:
    dialect = database.dialect
    with database.write() as connection:
        for statement in dialect.statements(
            "CREATE TABLE IF NOT EXISTS kedge_migration (number INTEGER PRIMARY KEY, applied_ms INTEGER NOT NULL) STRICT;"
        ):
            connection.execute(statement)
        # Our indexes stand on MLflow's tables, which must be there first.
        revision = mlflow_schema.revision_of(connection, dialect)
        mlflow_schema.require_known(revision, database.name)
        if revision is None:
            mlflow_schema.make(connection, dialect, clock.now_ms())
        # Asked again inside the transaction: another process may have migrated meanwhile.
        have = connection.execute("SELECT coalesce(max(number), 0) FROM kedge_migration").fetchone()[0]
        for number, script in migrations():
            if number <= have:
                continue
            for statement in dialect.statements(script):
                connection.execute(statement)
            connection.execute("INSERT INTO kedge_migration VALUES (?, ?)", (number, clock.now_ms()))


if TYPE_CHECKING:
    from typing import cast

    _fits: Database = cast("SqliteDatabase", None)
    _fits_too: Database = cast("PostgresqlDatabase", None)
