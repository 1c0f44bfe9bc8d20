"""Tables as the page's address says: sorted by a column, rows that hold a text, page by page. Every state has an address."""

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec

from kedge.ui.blocks import Cell, Columns, Field, Heading, Page, Table

_FROM_ROWS = 10
"""Shorter tables are read faster than filtered."""
_ROWS_A_PAGE = 200
"""More are neither read nor drawn at once."""


def arranged(page: Page, path: str, query: Mapping[str, str]) -> Page:
    """The page with its tables sorted by `sort.<table>` (`-` for descending), filtered by `find.<table>`, at `page.<table>`.

    Tables that sort themselves, because they show one page of many, stay as they are.
    """
    taken: set[str] = set()
    return msgspec.structs.replace(
        page, blocks=tuple(_block(block, path, query, taken) for block in page.blocks)
    )


def _block(block: Any, path: str, query: Mapping[str, str], taken: set[str]) -> Any:
    if isinstance(block, Columns):
        inner = tuple(_block(each, path, query, taken) for each in block.blocks)
        return msgspec.structs.replace(block, blocks=inner)
    if not isinstance(block, Table) or any(heading.href for heading in block.headings):
        return block
    name = _name(block, taken)
    taken.add(name)
    return _table(block, name, path, query) if block.rows else block


def _table(table: Table, name: str, path: str, query: Mapping[str, str]) -> Table:
    wanted, text = query.get(f"sort.{name}", ""), query.get(f"find.{name}", "")[:200]
    columns = [_column(heading.text) for heading in table.headings]
    rows = [row for row in table.rows if not text or _holds(row, text.casefold())]
    key = wanted.removeprefix("-")
    if key and key in columns:
        rows = _sorted(rows, columns.index(key), descending=wanted.startswith("-"))
    else:
        wanted = ""

    turned = {key: value for key, value in query.items() if key != f"page.{name}"}

    def href(order: str) -> str:
        return f"{path}?{urlencode({**turned, f'sort.{name}': order})}"

    heads = tuple(_heading(head, table, wanted, href) for head in table.headings)
    here = _place(query.get(f"page.{name}", ""), len(rows))
    links = tuple(
        Cell(text=word, href=f"{path}?{urlencode({**turned, f'page.{name}': number})}")
        for word, number in (("previous page", here - 1), ("next page", here + 1))
        if 1 <= number <= _pages(len(rows)) and number != here
    )
    note = (
        f"{table.note} Page {here} of {_pages(len(rows))}, {len(rows):,} rows.".strip()
        if links
        else table.note
    )
    finder = _finder(name, text, query) if text or len(table.rows) >= _FROM_ROWS else ()
    empty = f"No row holds {text!r}." if text and not rows else table.empty
    return msgspec.structs.replace(
        table,
        headings=heads,
        rows=tuple(rows[(here - 1) * _ROWS_A_PAGE : here * _ROWS_A_PAGE]),
        links=(*table.links, *links),
        note=note,
        finder=finder,
        empty=empty,
        command="" if text else table.command,
    )


def _pages(rows: int) -> int:
    return max(1, -(-rows // _ROWS_A_PAGE))


def _place(text: str, rows: int) -> int:
    """The page that is meant, the first or last where there is no such."""
    wanted = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 1
    return min(max(1, wanted), _pages(rows))


def _finder(name: str, text: str, query: Mapping[str, str]) -> tuple[Field, ...]:
    kept = [
        Field(name=key, label="", value=value, hidden=True)
        for key, value in query.items()
        if key not in (f"find.{name}", f"page.{name}")
    ]
    return (*kept, Field(name=f"find.{name}", label="Filter", value=text))


def _heading(head: Heading, table: Table, current: str, href: Callable[[str], str]) -> Heading:
    key = _column(head.text)
    if not key or len(table.rows) < 2:
        return head
    place = next(i for i, each in enumerate(table.headings) if _column(each.text) == key)
    first = f"-{key}" if any(row[place].order is not None for row in table.rows) else key
    other = key if first.startswith("-") else f"-{key}"
    word = (
        "" if current.removeprefix("-") != key else "descending" if current.startswith("-") else "ascending"
    )
    return msgspec.structs.replace(head, href=href(other if current == first else first), sorted=word)


def _sorted(rows: list[tuple[Cell, ...]], place: int, *, descending: bool) -> list[tuple[Cell, ...]]:
    """Numbers before texts; what is empty comes last either way."""
    full = [row for row in rows if row[place].text or row[place].order is not None]
    numbers = [row for row in full if row[place].order is not None]
    texts = [row for row in full if row[place].order is None]
    numbers.sort(key=lambda row: row[place].order or 0.0, reverse=descending)
    texts.sort(key=lambda row: _natural(row[place].text), reverse=descending)
    return [*numbers, *texts, *(row for row in rows if not (row[place].text or row[place].order is not None))]


def _natural(text: str) -> list[tuple[int, int, str]]:
    """`v9` before `v10`."""
    parts = re.split(r"([0-9]+)", text.casefold())
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part]


def _holds(row: tuple[Cell, ...], text: str) -> bool:
    return any(text in cell.text.casefold() for cell in row)


def _name(table: Table, taken: set[str]) -> str:
    """A word for the table, the same whatever it holds now."""
    base = "-".join(re.findall(r"[a-z]+", table.title.casefold())) or "rows"
    number, name = 1, base
    while name in taken:
        number += 1
        name = f"{base}-{number}"
    return name


def _column(text: str) -> str:
    return "-".join(re.findall(r"[a-z0-9]+", text.casefold()))
