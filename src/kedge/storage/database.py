"""SQLite as Kedge uses it: WAL, synchronous FULL, one writing connection a process, a reading one a thread.

`open_database` migrates: numbered files, forward only, each in one transaction with the record that it ran. A database
that was migrated by a newer Kedge is refused before anything is written.
"""

import contextlib
import functools
import sqlite3
import threading
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any, LiteralString

from kedge.core.clock import Clock
from kedge.core.errors import Conflict, StorageError
from kedge.storage import mlflow_schema

BUSY_TIMEOUT_S = 20.0


class Database:
    """One SQLite file. `write` is a transaction, serialised within the process; `read` never waits for writers."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writing = threading.RLock()
        self._writer = _connect(path)
        self._local = threading.local()

    @contextlib.contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction that is committed, and durable, when the block ends, and undone when it raises."""
        with self._writing, translated(self.path):
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                # A full disk makes SQLite end the transaction itself; a commit that fails leaves it open.
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

    def rows(self, query: LiteralString, arguments: Any = ()) -> list[sqlite3.Row]:
        """All rows of a query, as one snapshot."""
        with translated(self.path):
            return self._reader().execute(query, arguments).fetchall()

    def tuples(self, query: LiteralString, arguments: Any = ()) -> list[tuple[Any, ...]]:
        """All rows of a query as plain tuples: half the cost of rows with names."""
        with translated(self.path):
            cursor = self._reader().cursor()
            cursor.row_factory = None
            found: list[tuple[Any, ...]] = cursor.execute(query, arguments).fetchall()
            return found

    def row(self, query: LiteralString, arguments: Any = ()) -> sqlite3.Row | None:
        """The first row of a query."""
        with translated(self.path):
            found: sqlite3.Row | None = self._reader().execute(query, arguments).fetchone()
            return found

    def data_version(self) -> int:
        """A number that changes when another connection commits (a few microseconds to ask)."""
        return int(self._reader().execute("PRAGMA data_version").fetchone()[0])

    def _reader(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = _connect(self.path)
            connection.execute("PRAGMA query_only = ON")
        return connection

    def close(self) -> None:
        """Close the writing connection and this thread's reading one."""
        self._writer.close()
        if getattr(self._local, "connection", None) is not None:
            self._local.connection.close()
            self._local.connection = None


@contextlib.contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn driver errors into StorageError: the one place where that happens."""
    try:
        yield
    except (sqlite3.OperationalError, sqlite3.DatabaseError) as error:
        if isinstance(error, (sqlite3.IntegrityError, sqlite3.ProgrammingError)):
            raise
        raise StorageError(f"the database {path} refused: {error}", hint="run `kedge doctor`") from error


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False, cached_statements=512
    )
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA case_sensitive_like = ON")  # as MLflow's own connections have it
    return connection


@functools.cache
def migrations() -> tuple[tuple[int, str], ...]:
    """(number, SQL) of every migration, in order."""
    folder = resources.files("kedge.storage") / "migrations"
    files = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return tuple((int(name[:4]), (folder / name).read_text()) for name in files)


def schema_version(database: Database) -> int:
    """The number of the newest migration that the database holds; 0 for a new one."""
    table = database.row("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'kedge_migration'")
    if table is None:
        return 0
    newest = database.row("SELECT max(number) FROM kedge_migration")
    return int(newest[0] or 0) if newest else 0


def open_database(path: Path, clock: Clock) -> Database:
    """Open and migrate. Raises Conflict when a newer Kedge wrote the database, StorageError when it is not one."""
    with translated(path):
        database = Database(path)
        have = schema_version(database)
    newest = migrations()[-1][0]
    if have > newest:
        database.close()
        raise Conflict(
            f"the data in {path} has schema {have}; this Kedge knows schemas up to {newest}",
            hint="install the newer Kedge that wrote it, or use another --home",
        )
    if have < newest:
        _migrate(database, clock)
    return database


def _migrate(database: Database, clock: Clock) -> None:
    with database.write() as connection:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS kedge_migration (number INTEGER PRIMARY KEY, applied_ms INTEGER NOT NULL) STRICT"
        )
        # Our indexes stand on MLflow's tables, which must be there first.
        revision = mlflow_schema.revision_of(connection)
        mlflow_schema.require_known(revision, database.path)
        if revision is None:
            mlflow_schema.make(connection, clock.now_ms())
        # Asked again inside the transaction: another process may have migrated meanwhile.
        have = connection.execute("SELECT coalesce(max(number), 0) FROM kedge_migration").fetchone()[0]
        for number, script in migrations():
            if number <= have:
                continue
            for statement in _statements(script):
                connection.execute(statement)
            connection.execute("INSERT INTO kedge_migration VALUES (?, ?)", (number, clock.now_ms()))


def _statements(script: str) -> Iterator[str]:
    """Split at semicolons that end a statement (`executescript` would commit the transaction)."""
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
