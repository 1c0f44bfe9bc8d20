"""Identifiers: 32 hexadecimal digits that sort by the time of their making (RFC 9562, UUID version 7)."""

import os
import re
import time

_ID = re.compile(r"[0-9a-f]{32}")
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,126}[A-Za-z0-9])?")


_newest = [0]


def new_id() -> str:
    """Make an id: 48 bits of milliseconds, version, 74 random bits; later ones of a process sort later."""
    milliseconds = time.time_ns() // 1_000_000 & (1 << 48) - 1
    random = int.from_bytes(os.urandom(14), "big")
    # Within a millisecond, and while the clock is set back, a random step up (RFC 9562, 6.2, method 2): records made in
    # one breath keep their order, and forked processes, which step from the same id, part.
    stepped = _newest[0] + 1 + (random & 0xFFFF_FFFF)
    value = _newest[0] = max(milliseconds << 74 | random >> 38, stepped)
    high, low = value >> 62, value & (1 << 62) - 1
    return f"{high >> 12:012x}7{high & 0xFFF:03x}{0b10 << 62 | low:016x}"


def is_id(text: str) -> bool:
    """Whether `text` has the form of an id."""
    return _ID.fullmatch(text) is not None


def is_name(text: str) -> bool:
    """Whether `text` may name a dataset, endpoint or monitor: letters, digits, `.`, `_`, `-`; at most 128."""
    return _NAME.fullmatch(text) is not None
