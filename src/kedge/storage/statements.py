"""SQL lives in `sql/*.sql`: blocks headed by `-- name: what_it_is` and a line of purpose; this reads them."""

import functools
import re
from importlib import resources
from typing import LiteralString, cast

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
