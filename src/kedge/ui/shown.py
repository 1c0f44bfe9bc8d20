"""Values as people read them: times, durations, numbers, states, ids."""

import datetime as dt
from urllib.parse import quote, urlencode

from kedge.ui.blocks import Cell

_TONES = {
    "succeeded": "ok",
    "finished": "ok",
    "live": "ok",
    "ready": "ok",
    "ok": "ok",
    "passed": "ok",
    "cached": "cached",
    "running": "busy",
    "loading": "busy",
    "pending": "quiet",
    "queued": "quiet",
    "scheduled": "quiet",
    "skipped": "quiet",
    "retired": "quiet",
    "cancelled": "quiet",
    "acknowledged": "quiet",
    "too_few": "quiet",
    "failed": "bad",
    "killed": "bad",
    "not passed": "bad",
    "drift": "bad",
    "degraded": "bad",
    "open": "bad",
}
_STEPS = ((60, "s", 1), (3600, "min", 60), (86_400, "h", 3600), (2_592_000, "d", 86_400))


def state(text: str) -> Cell:
    """A state as a coloured word."""
    return Cell(text=text.lower().replace("_", " "), tone=_TONES.get(text.lower(), ""), badge=True)


def moment(at_ms: int | None) -> str:
    """A time as text, UTC."""
    if at_ms is None:
        return ""
    try:
        return dt.datetime.fromtimestamp(at_ms / 1000, dt.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (OverflowError, OSError, ValueError):
        return f"{at_ms} ms"


def day(at_ms: int) -> str:
    """The date of a time."""
    return moment(at_ms)[:10]


def ago(at_ms: int | None, now_ms: int) -> Cell:
    """How long ago, with the time itself as title."""
    if at_ms is None:
        return Cell(text="")
    seconds = max(0.0, (now_ms - at_ms) / 1000)
    for limit, unit, size in _STEPS:
        if seconds < limit:
            return Cell(text=f"{int(seconds // size)} {unit} ago", title=moment(at_ms), order=at_ms)
    return Cell(text=day(at_ms), title=moment(at_ms), order=at_ms)


def span(start_ms: int | None, end_ms: int | None) -> Cell:
    """How long something took."""
    if start_ms is None or end_ms is None:
        return Cell(number=True)
    return Cell(text=seconds((end_ms - start_ms) / 1000), number=True, order=end_ms - start_ms)


def seconds(value: float) -> str:
    """A duration."""
    if value < 1:
        return f"{value * 1000:.0f} ms"
    if value < 60:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def figure(value: float | None, digits: int = 4) -> Cell:
    """A number in a table."""
    if value is None or value != value:  # noqa: PLR0124 - NaN
        return Cell(text="-", number=True, tone="quiet")
    if isinstance(value, int) or (abs(value) >= 1000 and value == int(value)):
        return Cell(text=f"{int(value):,}", number=True, order=value)
    text = f"{value:.{digits}g}"
    return Cell(text=text, number=True, title=repr(value), order=value)


def count(value: int) -> Cell:
    """A whole number in a table."""
    return Cell(text=f"{value:,}", number=True, order=value)


def size(value: int) -> Cell:
    """Bytes."""
    amount = float(value)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            text = f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
            return Cell(text=text, number=True, order=value)
        amount /= 1000
    return Cell(text=f"{amount:.1f} TB", number=True, order=value)


def to(*parts: object, **query: object) -> str:
    """The address of a page: each part and value quoted, for names may hold anything.

    Examples
    --------
    >>> to("models", "50 % off?", run=3)
    '/models/50%20%25%20off%3F?run=3'
    """
    path = "/" + "/".join(quote(str(part), safe="") for part in parts)
    return f"{path}?{urlencode(query)}" if query else path


def link(text: str, href: str, *, testid: str = "", mono: bool = False, title: str = "") -> Cell:
    """A link."""
    return Cell(text=text, href=href, testid=testid, mono=mono, title=title)


def short(identifier: str, href: str = "", *, testid: str = "") -> Cell:
    """The last digits of an id, which differ most, the whole as title."""
    return Cell(text=identifier[-10:], href=href, title=identifier, mono=True, testid=testid)
