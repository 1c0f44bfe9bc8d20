"""PostgreSQL as Kedge uses it: one writing connection a process, a few reading ones, the same SQL as for SQLite.

A transaction that writes holds a lock of Kedge's own, so that one writes at a time over all processes, as with SQLite:
what a change reads before it writes stays true until it is committed.
"""

import contextlib
import functools
import queue
import re
import sqlite3
import threading
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, LiteralString
from urllib.parse import urlsplit

from kedge.core.errors import Invalid, MissingExtra, StorageError, Unavailable
from kedge.storage.dialect import POSTGRESQL

if TYPE_CHECKING:
    import psycopg

CONNECT_S = 5
_READERS = 8
_LOCK = 0x6B65646765
"""Of the advisory lock: the letters of our name."""
_PLAIN = re.compile(r"(?:[^@/?#:\s]*(?::[^@/?#\s]*)?@)?[^@/?#\s]*")
"""User, password and place of an address, as the standard (RFC 3986) has them."""
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_NAMED = re.compile(r":([a-z_]+)")


def is_address(text: str) -> bool:
    """Whether `text` is the address of a PostgreSQL database."""
    return text.startswith(("postgresql://", "postgres://"))


def without_secret(address: str) -> str:
    """The address for messages.

    Examples
    --------
    >>> without_secret("postgresql://me:secret@db.example:5432/kedge?sslmode=require")
    'postgresql://me@db.example:5432/kedge'

    Where a password holds what an address would have to write as %XX, nobody can tell where it ends:

    >>> without_secret("postgresql://me:se/cr?et@db.example:5432/kedge")
    'postgresql://...'
    """
    authority, _, rest = address.partition("://")[2].partition("/")
    if not _PLAIN.fullmatch(authority) or "@" in rest:
        return "postgresql://..."
    parts = urlsplit(address)
    user, _, place = parts.netloc.rpartition("@")
    place = f"{user.partition(':')[0]}@{place}" if user else place
    return f"postgresql://{place}{parts.path}"


class NamedRow:
    """A row whose columns are asked for by place or name."""

    __slots__ = ("_places", "_values")

    def __init__(self, values: Sequence[Any], places: dict[str, int]) -> None:
        self._values = values
        self._places = places

    def __getitem__(self, key: Any, /) -> Any:
        return self._values[self._places[key] if isinstance(key, str) else key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def keys(self) -> list[str]:
        """Names of the columns."""
        return list(self._places)


class Writing:
    """A connection inside a transaction, asked in the words that all of our SQL uses."""

    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        self._connection = connection

    def execute(self, query: str, arguments: Any = ()) -> Any:
        """Run a statement, or, without arguments, a script. Raises sqlite3.IntegrityError where a row breaks a rule."""
        with _refusals():
            return self._connection.execute(translated(query) if arguments else query, arguments or None)

    def executemany(self, query: str, arguments: Any) -> Any:
        """Run a statement once for each of the arguments."""
        with _refusals():
            cursor = self._connection.cursor()
            cursor.executemany(translated(query), arguments)
            return cursor


class PostgresqlDatabase:
    """One database of a server, named by its address. A connection that broke is made anew by the next who asks."""

    dialect = POSTGRESQL

    def __init__(self, address: str) -> None:
        try:
            import psycopg
            import psycopg.rows
        except ImportError as error:
            raise MissingExtra("psycopg is not installed", hint='pip install "kedge[postgresql]"') from error
        self.name = without_secret(address)
        if _BAD_ESCAPE.search(address):  # the driver would tell the password in its complaint
            raise Invalid(
                f"the address of the database ({self.name}) holds a % that begins no escape",
                hint="write a % of a user name or password as %25",
            )
        self._address = address
        self._psycopg = psycopg
        self._tuples = psycopg.rows.tuple_row
        self._writing = threading.RLock()
        with self._translated():
            self._writer = self._connect()
        self._idle: queue.LifoQueue[psycopg.Connection[Any]] = queue.LifoQueue()
        self._room = threading.BoundedSemaphore(_READERS)

    @contextlib.contextmanager
    def write(self) -> Iterator[Writing]:
        """A transaction that is committed, and durable, when the block ends, and undone when it raises."""
        with self._writing, self._translated():
            connection = self._begun()
            try:
                yield Writing(connection)
                connection.execute("COMMIT")
            except BaseException:
                if not connection.closed:
                    connection.execute("ROLLBACK")
                raise

    def rows(self, query: str, arguments: Any = ()) -> list[NamedRow]:
        """All rows of a query, as one snapshot."""
        return self._read(query, arguments, _named)

    def tuples(self, query: str, arguments: Any = ()) -> list[tuple[Any, ...]]:
        """All rows of a query as plain tuples."""
        return self._read(query, arguments, None)

    def row(self, query: str, arguments: Any = ()) -> NamedRow | None:
        """The first row of a query."""
        return next(iter(self.rows(query, arguments)), None)

    def run_alone(self, statement: LiteralString, *names: str) -> None:
        """Run a statement that no transaction may hold; `{}` stands for a name."""
        from psycopg import sql

        with self._writing, self._translated():
            self._writer.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def data_version(self) -> int:
        """A number that changes when a transaction ends."""
        return zlib.crc32(self.tuples("SELECT CAST(pg_current_snapshot() AS TEXT)")[0][0].encode())

    def complaint(self) -> str:
        """Why it cannot be written; empty where it can."""
        return "it takes no writes" if self.tuples("SELECT pg_is_in_recovery()")[0][0] else ""

    def close(self) -> None:
        """Let go of all connections."""
        self._forget_idle()
        self._writer.close()

    def several(self, *asked: tuple[str, Any]) -> list[list[tuple[Any, ...]]]:
        """The rows of several queries, each with its arguments, as one snapshot, in one exchange with the server."""

        def read(connection: Any) -> list[list[tuple[Any, ...]]]:
            with connection.pipeline(), connection.transaction():
                connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                cursors = [connection.cursor(row_factory=self._tuples) for _ in asked]
                for cursor, (query, arguments) in zip(cursors, asked, strict=True):
                    cursor.execute(translated(query), arguments or None)
            return [cursor.fetchall() for cursor in cursors]

        return self._reading(read)

    def _read(self, query: str, arguments: Any, row_factory: Any) -> list[Any]:
        text = translated(query)
        return self._reading(lambda connection: self._fetched(connection, text, arguments, row_factory))

    def _reading(self, read: Callable[[Any], list[Any]]) -> list[Any]:
        with self._translated():
            with self._reader() as connection:
                try:
                    return read(connection)
                except self._psycopg.OperationalError:
                    if not connection.closed:
                        raise
            self._forget_idle()  # the server went away: whatever else waits here is dead too
            with self._reader() as connection:
                return read(connection)

    @contextlib.contextmanager
    def _reader(self) -> "Iterator[psycopg.Connection[Any]]":
        with self._room:
            try:
                connection = self._idle.get_nowait()
            except queue.Empty:
                connection = self._connect()
            try:
                yield connection
            finally:
                if not connection.closed:
                    self._idle.put(connection)

    def _forget_idle(self) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                self._idle.get_nowait().close()

    def _fetched(self, connection: Any, text: str, arguments: Any, row_factory: Any) -> list[Any]:
        cursor = connection.cursor(row_factory=row_factory or self._tuples)
        found: list[Any] = cursor.execute(text, arguments or None).fetchall()
        return found

    def _begun(self) -> "psycopg.Connection[Any]":
        begin = f"BEGIN; SELECT pg_advisory_xact_lock({_LOCK})"
        if not self._writer.closed:
            with contextlib.suppress(self._psycopg.OperationalError):  # nothing was written yet
                self._writer.execute(begin)
            if not self._writer.closed:
                return self._writer
        self._writer = self._connect()
        self._writer.execute(begin)
        return self._writer

    def _connect(self) -> "psycopg.Connection[Any]":
        return self._psycopg.connect(self._address, row_factory=_named, **_settings())

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn driver errors into ours: the one place where that happens."""
        try:
            yield
        except self._psycopg.DataError as error:
            raise Invalid(f"the database takes no such value: {_first_line(error)}") from error
        except self._psycopg.errors.DiskFull as error:
            raise StorageError(f"the database {self.name} is full: {_first_line(error)}") from error
        except self._psycopg.OperationalError as error:
            raise Unavailable(
                f"the database {self.name} does not answer: {_first_line(error)}",
                hint="try again; `kedge doctor` tells whether it is reached",
            ) from error
        except self._psycopg.Error as error:
            raise StorageError(
                f"the database {self.name} refused: {_first_line(error)}", hint="run `kedge doctor`"
            ) from error


@functools.lru_cache(maxsize=4096)
def translated(query: str) -> str:
    """A query with its places for arguments as psycopg writes them.

    Examples
    --------
    >>> translated("SELECT a FROM b WHERE c = ? AND d LIKE '%'"), translated("SELECT :name")
    ("SELECT a FROM b WHERE c = %s AND d LIKE '%%'", 'SELECT %(name)s')
    """
    return _NAMED.sub(r"%(\1)s", query.replace("%", "%%")).replace("?", "%s")


def _settings() -> dict[str, Any]:
    return {"autocommit": True, "connect_timeout": CONNECT_S, "options": "-c synchronous_commit=on"}


def _named(cursor: Any) -> Callable[[Sequence[Any]], NamedRow]:
    """Psycopg's row factory: what makes rows of a cursor's values."""
    places = {column.name: place for place, column in enumerate(cursor.description or ())}
    return lambda values: NamedRow(values, places)


@contextlib.contextmanager
def _refusals() -> Iterator[None]:
    from psycopg import IntegrityError

    try:
        yield
    except IntegrityError as error:
        raise sqlite3.IntegrityError(_first_line(error)) from error


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
