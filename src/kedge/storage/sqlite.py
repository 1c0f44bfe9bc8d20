"""SQLite as Kedge uses it: WAL, synchronous FULL, one writing connection a process, a reading one a thread."""

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, LiteralString

from kedge.core.errors import Invalid, StorageError, Unavailable
from kedge.storage.dialect import SQLITE

BUSY_TIMEOUT_S = 20.0
_TOO_MUCH = (
    "too many SQL variables",
    "Expression tree is too large",
    "parser stack overflow",
    "at most 64 tables",
)


class SqliteDatabase:
    """One file. `write` is a transaction, serialised within the process; reading never waits for writers."""

    dialect = SQLITE

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._path = path
        self._writing = threading.RLock()
        self._local = threading.local()
        with _translated(self.name):
            self._writer = _connect(path)

    @contextlib.contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction that is committed, and durable, when the block ends, and undone when it raises."""
        with self._writing, _translated(self.name):
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
        with _translated(self.name):
            return self._reader().execute(query, arguments).fetchall()

    def tuples(self, query: LiteralString, arguments: Any = ()) -> list[tuple[Any, ...]]:
        """All rows of a query as plain tuples: half the cost of rows with names."""
        with _translated(self.name):
            cursor = self._reader().cursor()
            cursor.row_factory = None
            found: list[tuple[Any, ...]] = cursor.execute(query, arguments).fetchall()
            return found

    def several(self, *asked: tuple[LiteralString, Any]) -> list[list[tuple[Any, ...]]]:
        """The rows of several queries, each with its arguments, as one snapshot: its locks are taken once."""
        with _translated(self.name):
            reader = self._reader()
            cursor = reader.cursor()
            cursor.row_factory = None
            cursor.execute("BEGIN")
            try:
                return [cursor.execute(query, arguments).fetchall() for query, arguments in asked]
            finally:
                cursor.execute("COMMIT")

    def row(self, query: LiteralString, arguments: Any = ()) -> sqlite3.Row | None:
        """The first row of a query."""
        with _translated(self.name):
            found: sqlite3.Row | None = self._reader().execute(query, arguments).fetchone()
            return found

    def data_version(self) -> int:
        """A number that changes when another connection commits (a few microseconds to ask)."""
        return int(self._reader().execute("PRAGMA data_version").fetchone()[0])

    def complaint(self) -> str:
        """What SQLite finds wrong with the file; empty where nothing is."""
        found = str(self.tuples("PRAGMA quick_check")[0][0])
        return "" if found == "ok" else found

    def _reader(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = _connect(self._path)
            connection.execute("PRAGMA query_only = ON")
        return connection

    def close(self) -> None:
        """Close the writing connection and this thread's reading one."""
        self._writer.close()
        if getattr(self._local, "connection", None) is not None:
            self._local.connection.close()
            self._local.connection = None


@contextlib.contextmanager
def _translated(name: str) -> Iterator[None]:
    """Turn driver errors into ours: the one place where that happens."""
    try:
        yield
    except OverflowError as error:
        raise Invalid(f"the database takes no such value: {error}") from error
    except (sqlite3.OperationalError, sqlite3.DatabaseError) as error:
        if isinstance(error, (sqlite3.IntegrityError, sqlite3.ProgrammingError)):
            raise
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise Unavailable(f"the database {name} is held by another process", hint="try again") from error
        if str(error).startswith(_TOO_MUCH):
            raise Invalid(f"it asks for more at once than the database can: {error}") from error
        raise StorageError(f"the database {name} refused: {error}", hint="run `kedge doctor`") from error


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
