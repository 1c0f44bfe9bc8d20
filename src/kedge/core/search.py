"""Conditions and orders of a search, parsed: what a store turns into SQL."""

import msgspec


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """One condition: `kind` is attribute, metric, parameter, tag or dataset; the comparator is upper case."""

    kind: str
    key: str
    comparator: str
    value: str | float | int | tuple[str, ...] | None


class Ordering(msgspec.Struct, frozen=True, kw_only=True):
    """One key of an order."""

    kind: str
    key: str
    ascending: bool
