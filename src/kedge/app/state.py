"""What a data directory's supervisor runs at the moment, from outside."""

import fcntl
import time
import urllib.error
import urllib.request
from typing import Any

import msgspec

from kedge.core.home import Home

_TIMEOUT_S = 2.0
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Our own addresses are on this machine, whatever proxy leads to others."""


def holder(home: Home) -> int | None:
    """The pid of the supervisor that holds the directory, None when nobody does."""
    try:
        with home.lock.open("r") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                text = lock.read().strip()
                return int(text) if text.isdigit() else None
    except OSError:
        return None
    return None


def running(home: Home) -> dict[str, Any] | None:
    """The supervisor's own account, None when none holds the directory."""
    if holder(home) is None:
        return None
    try:
        state: dict[str, Any] = msgspec.json.decode(home.state.read_bytes())
    except (OSError, msgspec.DecodeError):
        return None
    return state


def probe(url: str) -> tuple[bool, float]:
    """Whether a GET gives 200, and how long it took in milliseconds."""
    begun = time.perf_counter()
    try:
        with _DIRECT.open(url, timeout=_TIMEOUT_S) as reply:
            good = reply.status == 200
    except (OSError, urllib.error.URLError):
        good = False
    return good, (time.perf_counter() - begun) * 1000
