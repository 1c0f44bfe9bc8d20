import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from kedge.monitoring.windows import (
    Window,
    closed_before,
    iso_date,
    watermark,
    window_name,
    window_of,
    windows_over,
)

PERIODS = st.sampled_from(["day", "week", "month"])
TIMES = st.integers(-2_000_000_000_000, 5_000_000_000_000)
DAY = 86_400_000


def ms(text: str) -> int:
    return int(dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC).timestamp() * 1000)


def test_the_windows_of_a_known_day():
    at = ms("2013-07-31T23:59:59.999")
    assert window_of(at, "day") == (ms("2013-07-31"), ms("2013-08-01"))
    assert window_of(at, "week") == (ms("2013-07-29"), ms("2013-08-05"))
    assert window_of(at, "month") == (ms("2013-07-01"), ms("2013-08-01"))
    assert window_of(at + 1, "month").start_ms == ms("2013-08-01")
    assert window_of(ms("2012-12-31"), "month") == (ms("2012-12-01"), ms("2013-01-01"))


def test_names():
    assert window_name(window_of(ms("2013-07-31"), "month"), "month") == "2013-07"
    assert window_name(window_of(ms("2013-07-31"), "week"), "week") == "week of 2013-07-29"
    assert (
        window_name(window_of(ms("2013-07-31"), "day"), "day") == iso_date(ms("2013-07-31")) == "2013-07-31"
    )


@given(TIMES, PERIODS)
def test_windows_hold_their_times_and_touch(at_ms, period):
    window = window_of(at_ms, period)
    assert window.start_ms <= at_ms < window.end_ms
    assert window_of(window.start_ms, period) == window_of(window.end_ms - 1, period) == window
    assert window_of(window.end_ms, period).start_ms == window.end_ms
    start = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(milliseconds=window.start_ms)
    assert start.time() == dt.time(0)
    if period == "week":
        assert start.weekday() == 0
    if period == "month":
        assert start.day == 1
    at = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(milliseconds=at_ms)
    assert iso_date(at_ms) == at.date().isoformat()
    if period == "month":
        assert (at.year, at.month) == (start.year, start.month)


@given(st.integers(-(2**63), 2**63 - 1), PERIODS)
def test_any_time_has_a_window(at_ms, period):
    window = window_of(at_ms, period)
    assert window.start_ms <= at_ms < window.end_ms
    assert window_of(window.start_ms, period) == window_of(window.end_ms - 1, period) == window


@given(
    TIMES,
    PERIODS,
    st.none() | TIMES,
    st.none() | TIMES,
    st.none() | st.integers(0, 40 * DAY),
    st.none() | TIMES,
)
def test_closed_is_what_the_watermarks_or_until_have_passed(
    at_ms, period, log_ms, label_ms, delay_ms, until_ms
):
    window = window_of(at_ms, period)
    by_log = log_ms is not None and log_ms >= window.end_ms
    by_labels = delay_ms is None or (label_ms is not None and label_ms >= window.end_ms + delay_ms)
    by_until = until_ms is not None and until_ms >= window.end_ms
    boundary = closed_before(period, watermark(log_ms, label_ms, delay_ms), until_ms)
    assert (boundary is not None and window.end_ms <= boundary) == ((by_log and by_labels) or by_until)


@given(
    st.lists(st.tuples(st.integers(0, 400 * DAY), st.integers(0, 20 * DAY)), max_size=8),
    PERIODS,
    st.none() | st.integers(0, 400 * DAY),
    st.integers(0, 450 * DAY),
)
def test_windows_over_spans_are_those_found_day_by_day(starts_and_lengths, period, after_ms, before_ms):
    spans = sorted((first, first + length) for first, length in starts_and_lengths)
    found = list(windows_over(spans, period, after_ms=after_ms, before_ms=before_ms))
    expected = set()
    for first, last in spans:
        for at_ms in [*range(first, last, DAY), last]:
            window = window_of(at_ms, period)
            if window.end_ms <= before_ms and (after_ms is None or window.start_ms >= after_ms):
                expected.add(window)
    assert found == sorted(expected)


def test_evaluated_windows_are_not_found_again():
    spans = [(0, 10 * DAY)]
    first = list(windows_over(spans, "day", after_ms=None, before_ms=5 * DAY))
    assert first == [Window(day * DAY, (day + 1) * DAY) for day in range(5)]
    assert list(windows_over(spans, "day", after_ms=5 * DAY, before_ms=5 * DAY)) == []
    assert list(windows_over(spans, "day", after_ms=5 * DAY, before_ms=6 * DAY)) == [(5 * DAY, 6 * DAY)]
