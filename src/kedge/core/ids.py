"""Identifiers: 32 hexadecimal digits that sort by the time of their making (RFC 9562, UUID version 7)."""

import os
import re
import threading
import time

_ID = re.compile(r"[0-9a-f]{32}")
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,126}[A-Za-z0-9])?")


class _Ids:
    """Makes ids that grow, also within a millisecond and when the clock steps back: the last one, plus one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def next(self) -> int:
        milliseconds = time.time_ns() // 1_000_000
        random = int.from_bytes(os.urandom(10), "big")
        value = (milliseconds & (1 << 48) - 1) << 80 | 0x7 << 76 | (random >> 68 & 0xFFF) << 64
        value |= 0b10 << 62 | random & (1 << 62) - 1
        with self._lock:
            self._last = max(value, self._last + 1)
            return self._last


_ids = _Ids()


def new_id() -> str:
    """Make an id: 48 bits of milliseconds, version, 74 random bits; later ones of a process sort later."""
    return f"{_ids.next():032x}"


def is_id(text: str) -> bool:
    """Whether `text` has the form of an id."""
    return _ID.fullmatch(text) is not None


def is_name(text: str) -> bool:
    """Whether `text` may name a dataset, endpoint or monitor: letters, digits, `.`, `_`, `-`; at most 128."""
    return _NAME.fullmatch(text) is not None
