"""Windows of event time: days, weeks that begin on Monday, months, all UTC; and which of them are closed.

A window is closed when the watermark has passed its end (for labels: with the delay that they have). Windows of one period touch
each other, so "closed" is one boundary: everything that ends at or before `closed_before` is. A monitor moves forward
only: what is logged for a window after that window was evaluated stays in the log and changes no verdict.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from kedge.core.monitors import Period

DAY_MS = 86_400_000
_WEEK_MS = 7 * DAY_MS
_FIRST_MONDAY_MS = 4 * DAY_MS  # 1970-01-05


class Window(NamedTuple):
    """Event times in [start_ms, end_ms)."""

    start_ms: int
    end_ms: int


def window_of(at_ms: int, period: Period) -> Window:
    """The window that holds an event time."""
    if period == "day":
        start = at_ms // DAY_MS * DAY_MS
        return Window(start, start + DAY_MS)
    if period == "week":
        start = (at_ms - _FIRST_MONDAY_MS) // _WEEK_MS * _WEEK_MS + _FIRST_MONDAY_MS
        return Window(start, start + _WEEK_MS)
    year, month, _ = _date(at_ms // DAY_MS)
    following = (year + month // 12, month % 12 + 1)
    return Window(_first_of_month(year, month) * DAY_MS, _first_of_month(*following) * DAY_MS)


def watermark(log_ms: int | None, label_ms: int | None, label_delay_ms: int | None) -> int | None:
    """Up to when everything is known: the newest logged event, or, where labels are needed (`label_delay_ms` is not None),
    the newest label less the delay if that is earlier."""
    if label_delay_ms is None or log_ms is None:
        return log_ms
    return None if label_ms is None else min(log_ms, label_ms - label_delay_ms)


def closed_before(period: Period, watermark_ms: int | None, until_ms: int | None) -> int | None:
    """The boundary up to which windows are closed: by the watermark, or because `until_ms` says so; None when none is."""
    times = [at_ms for at_ms in (watermark_ms, until_ms) if at_ms is not None]
    return window_of(max(times), period).start_ms if times else None


def windows_over(
    spans: Iterable[tuple[int, int]], period: Period, *, after_ms: int | None, before_ms: int
) -> Iterator[Window]:
    """Windows, oldest first, that touch a span [first, last] of event times, start at or after `after_ms` and end by `before_ms`.

    `spans` come by their first time, as segments do. Gaps between the spans make no windows.
    """
    next_start = after_ms
    for first, last in spans:
        window = window_of(first if next_start is None else max(first, next_start), period)
        if next_start is not None and window.start_ms < next_start:  # the period was changed: a part is done
            window = window_of(window.end_ms, period)
        while window.start_ms <= last and window.end_ms <= before_ms:
            yield window
            next_start = window.end_ms
            window = window_of(window.end_ms, period)


def iso_date(at_ms: int) -> str:
    """The UTC date of a time, such as 2013-07-01."""
    year, month, day = _date(at_ms // DAY_MS)
    return f"{year:04d}-{month:02d}-{day:02d}"


def window_name(window: Window, period: Period) -> str:
    """How people call it: 2013-07, 2013-07-01, or `week of 2013-07-01`."""
    date = iso_date(window.start_ms)
    return {"month": date[:7], "week": f"week of {date}", "day": date}[period]


# Event times come from clients and may be anything, so dates are computed without the limits of `datetime`, by counting
# from 1 March of year 0, where leap days come last (Hinnant, "chrono-compatible low-level date algorithms").
_MARCH_OF_YEAR_0 = -719_468
_DAYS_IN_400_YEARS = 146_097


def _date(days: int) -> tuple[int, int, int]:
    """(year, month, day) of a day counted from 1970-01-01."""
    cycle, day = divmod(days - _MARCH_OF_YEAR_0, _DAYS_IN_400_YEARS)
    year = (day - day // 1460 + day // 36_524 - day // 146_096) // 365
    day -= 365 * year + year // 4 - year // 100
    since_march = (5 * day + 2) // 153
    month = (since_march + 2) % 12 + 1
    return 400 * cycle + year + (month <= 2), month, day - (153 * since_march + 2) // 5 + 1


def _first_of_month(year: int, month: int) -> int:
    """The first day of a month, counted from 1970-01-01."""
    cycle, year = divmod(year - (month <= 2), 400)
    day = (153 * ((month - 3) % 12) + 2) // 5
    return cycle * _DAYS_IN_400_YEARS + 365 * year + year // 4 - year // 100 + day + _MARCH_OF_YEAR_0
