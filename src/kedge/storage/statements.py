"""SQL lives in `sql/*.sql`: blocks headed by `-- name: what_it_is` and a line of purpose; this reads them."""

import functools
import re
from collections.abc import Iterable, Iterator
from importlib import resources
from typing import Any, LiteralString, cast

AT_ONCE = 500
"""Values in one query: databases limit the number of arguments."""
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


def chunks(values: Iterable[Any]) -> Iterator[list[Any]]:
    """The values in lists that one query may ask for."""
    listed = list(values)
    for start in range(0, len(listed), AT_ONCE):
        yield listed[start : start + AT_ONCE]
