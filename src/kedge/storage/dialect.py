"""What SQLite and PostgreSQL say differently. All other SQL of Kedge's is the same text for both."""

import re
import sqlite3
from collections.abc import Iterator
from typing import Any, Literal, LiteralString

import msgspec

_TYPES = {"INTEGER": "BIGINT", "REAL": "DOUBLE PRECISION", "BLOB": "BYTEA"}
_TYPE = re.compile(r"\b(INTEGER|REAL|BLOB)\b")
_ENDING = re.compile(r"\) STRICT(, WITHOUT ROWID)?;?\s*$")


class Dialect(msgspec.Struct, frozen=True):
    """A kind of database: its name as in MLflow's addresses, and how it lists its tables."""

    name: Literal["sqlite", "postgresql"]
    table_query: LiteralString

    def has_table(self, connection: Any, table: str) -> bool:
        """Whether the table is there."""
        return connection.execute(self.table_query, (table,)).fetchone() is not None

    def statements(self, script: str) -> Iterator[str]:
        """The statements of one of our scripts, which are written for SQLite, in the words of this database.

        Examples
        --------
        >>> list(POSTGRESQL.statements("CREATE TABLE a (b INTEGER PRIMARY KEY) STRICT;"))
        ['CREATE TABLE a (b BIGINT PRIMARY KEY);']
        """
        pending = ""
        for line in script.splitlines(keepends=True):
            pending += line
            if sqlite3.complete_statement(pending):
                yield pending if self.name == "sqlite" else _postgresql(pending)
                pending = ""


def _postgresql(statement: str) -> str:
    return _TYPE.sub(lambda found: _TYPES[found[0]], _ENDING.sub(");", statement))


SQLITE = Dialect(name="sqlite", table_query="SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?")
POSTGRESQL = Dialect(
    name="postgresql",
    table_query="SELECT 1 FROM pg_catalog.pg_tables WHERE schemaname = current_schema() AND tablename = ?",
)
