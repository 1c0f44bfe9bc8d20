"""What pages are made of: frozen values that the one template knows how to draw."""

from typing import Any

import msgspec


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """Text in a table or list; `tone` is ok, bad, warn, busy or quiet, `spark` the points of a small line, `order` what
    a column of such cells sorts by instead of the text, and `action` makes it a button that posts there."""

    text: str = ""
    href: str = ""
    title: str = ""
    tone: str = ""
    badge: bool = False
    mono: bool = False
    number: bool = False
    spark: str = ""
    testid: str = ""
    order: float | None = None
    action: str = ""


class Heading(msgspec.Struct, frozen=True, kw_only=True):
    """A column's head; with `href` it sorts, `sorted` is ascending, descending or empty."""

    text: str
    number: bool = False
    href: str = ""
    sorted: str = ""


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """An input of a filter: text, or a choice where `options` are (value, label)."""

    name: str
    label: str
    value: str = ""
    options: tuple[tuple[str, str], ...] = ()
    hidden: bool = False


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of cells; `empty` says what to do when there are none, `finder` are the inputs that filter its rows."""

    kind: str = "table"
    title: str = ""
    headings: tuple[Heading, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()
    empty: str = ""
    command: str = ""
    links: tuple[Cell, ...] = ()
    note: str = ""
    finder: tuple[Field, ...] = ()


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """A form that changes the page's URL."""

    kind: str = "filter"
    action: str
    fields: tuple[Field, ...]


class Tile(msgspec.Struct, frozen=True, kw_only=True):
    """A figure worth a glance."""

    label: str
    value: str
    href: str = ""
    tone: str = ""
    note: str = ""


class Tiles(msgspec.Struct, frozen=True, kw_only=True):
    """A row of figures."""

    kind: str = "tiles"
    tiles: tuple[Tile, ...]


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """Names and values."""

    kind: str = "facts"
    title: str = ""
    rows: tuple[tuple[str, Cell], ...] = ()


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """Lines over time or steps, drawn by uPlot from `data` (JSON); `summary` says it in words."""

    kind: str = "chart"
    title: str
    data: str
    summary: str = ""
    note: str = ""


class HeatCell(msgspec.Struct, frozen=True, kw_only=True):
    """A column in a window."""

    href: str
    level: int
    drift: bool
    text: str
    title: str
    chosen: bool = False


class Heat(msgspec.Struct, frozen=True, kw_only=True):
    """Columns by windows."""

    kind: str = "heat"
    title: str
    windows: tuple[str, ...]
    rows: tuple[tuple[str, tuple[HeatCell | None, ...]], ...]
    note: str = ""


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """A bar of a distribution, in the units of its drawing."""

    x: float
    y: float
    width: float
    height: float
    which: str
    title: str


class Distribution(msgspec.Struct, frozen=True, kw_only=True):
    """Reference and current beside each other on the same bins."""

    kind: str = "distribution"
    title: str
    width: float
    height: float
    bars: tuple[Bar, ...]
    labels: tuple[tuple[float, str], ...]
    note: str = ""


class GraphNode(msgspec.Struct, frozen=True, kw_only=True):
    """A step in the drawing of a run."""

    x: float
    y: float
    width: float
    height: float
    name: str
    state: str
    note: str
    href: str
    chosen: bool = False


class Graph(msgspec.Struct, frozen=True, kw_only=True):
    """Steps and what flows between them."""

    kind: str = "graph"
    title: str
    width: float
    height: float
    nodes: tuple[GraphNode, ...]
    edges: tuple[str, ...]


class Chain(msgspec.Struct, frozen=True, kw_only=True):
    """What came from what: (what, link) from left to right."""

    kind: str = "chain"
    title: str
    links: tuple[tuple[str, Cell], ...]


class Code(msgspec.Struct, frozen=True, kw_only=True):
    """Text as it is."""

    kind: str = "code"
    title: str
    text: str
    note: str = ""


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence that matters."""

    kind: str = "notice"
    tone: str
    text: str
    hint: str = ""


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """A button that changes something; it asks first when `confirm` is a question."""

    kind: str = "action"
    label: str
    action: str
    confirm: str = ""
    tone: str = ""


class Columns(msgspec.Struct, frozen=True, kw_only=True):
    """Blocks beside each other where there is room."""

    kind: str = "columns"
    blocks: tuple[Any, ...]


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A page: `section` is the place in the navigation, `live` has it refreshed while something runs."""

    title: str
    section: str = ""
    crumbs: tuple[Cell, ...] = ()
    lead: str = ""
    tags: tuple[Cell, ...] = ()
    actions: tuple[Action, ...] = ()
    blocks: tuple[Any, ...] = ()
    live: bool = False
