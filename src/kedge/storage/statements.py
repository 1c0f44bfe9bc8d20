"""SQL lives in `sql/*.sql`: blocks headed by `-- name: what_it_is` and a line of purpose; this reads them."""

import functools
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from importlib import resources
from typing import Any, LiteralString, cast

AT_ONCE = 500
"""Values in one query: databases limit the number of arguments."""
_MOST_ROWS = 256
"""Of one INSERT: SQLite takes 32,766 arguments, PostgreSQL 65,535."""
_VALUES = re.compile(r"VALUES (\([?, ]+\))")
_HEAD = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


@functools.cache
def statements(file: str) -> dict[str, LiteralString]:
    """The named statements of `sql/<file>.sql`. Being package data, they are as literal as the source itself."""
    text = (resources.files("kedge.storage") / "sql" / f"{file}.sql").read_text()
    parts = _HEAD.split(text)
    return {name: cast("LiteralString", body) for name, body in zip(parts[1::2], parts[2::2], strict=True)}


def placed(query: LiteralString, count: int) -> LiteralString:
    """The query, which ends in IN, with room for `count` values."""
    room: LiteralString = "(" + ", ".join(["?"] * count) + ")"
    return query + room


@functools.cache
def repeated(query: LiteralString, count: int) -> LiteralString:
    """The INSERT of one row, as one of `count` rows.

    Examples
    --------
    >>> repeated("INSERT INTO t (a, b) VALUES (?, ?) ON CONFLICT DO NOTHING", 3)
    'INSERT INTO t (a, b) VALUES (?, ?), (?, ?), (?, ?) ON CONFLICT DO NOTHING'
    """
    head, row, tail = _VALUES.split(query, maxsplit=1)
    whole: LiteralString = head + "VALUES " + ", ".join([row] * count) + tail
    return whole


def insert_many(connection: Any, query: LiteralString, rows: Sequence[Sequence[Any]]) -> None:
    """Run the INSERT of one row for all rows, in few statements.

    Their sizes are powers of two, so that few different statements are ever prepared.
    """
    start = 0
    while start < len(rows):
        count = min(_MOST_ROWS, 1 << ((len(rows) - start).bit_length() - 1))
        values = list(itertools.chain.from_iterable(rows[start : start + count]))
        connection.execute(repeated(query, count), values)
        start += count


def chunks(values: Iterable[Any]) -> Iterator[list[Any]]:
    """The values in lists that one query may ask for."""
    listed = list(values)
    for start in range(0, len(listed), AT_ONCE):
        yield listed[start : start + AT_ONCE]
