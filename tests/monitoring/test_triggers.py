"""Which alerts a trigger owes a firing; `fire` itself is tested on a real home in test_evaluate."""

import itertools

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from kedge.core.monitors import Alert, MonitorRun, Trigger
from kedge.monitoring.triggers import filled, owed

TRIGGER = Trigger(
    name="retrain", monitor="m", entry="f.py:train", project="/p", pipeline="train", params={}, created_ms=100
)
RUN = MonitorRun(
    id="r",
    monitor="m",
    endpoint="e",
    kind="drift",
    window_start_ms=1_372_636_800_000,
    window_end_ms=1_375_315_200_000,
    rows=1,
    verdict="drift",
    created_ms=1,
    duration_ms=1,
)


def alert(event_ms, *, created_ms=100, monitor="m", identifier=None):
    return Alert(
        id=identifier or f"a{event_ms}",
        monitor=monitor,
        monitor_run_id="r",
        endpoint="e",
        message="",
        state="open",
        created_ms=created_ms,
        event_ms=event_ms,
    )


def events(alerts):
    return [found.event_ms for found in alerts]


def test_alerts_of_others_and_from_before_are_not_owed():
    assert events(owed(TRIGGER, [alert(1), alert(2, monitor="other"), alert(3, created_ms=99)])) == [1]
    assert owed(replace(TRIGGER, enabled=False), [alert(1)]) == []


def test_the_cooldown_is_in_event_time():
    trigger = replace(TRIGGER, cooldown_ms=10)
    assert events(owed(trigger, [alert(30), alert(9), alert(0), alert(10), alert(19), alert(20)])) == [
        0,
        10,
        20,
        30,
    ]
    assert events(owed(replace(trigger, last_fired_ms=20), [alert(20), alert(29), alert(31)])) == [31]


def test_two_alerts_of_one_event_fire_once():
    assert events(owed(TRIGGER, [alert(5, identifier="x"), alert(5, identifier="y")])) == [5]


@given(st.lists(st.integers(0, 1000), max_size=30), st.integers(0, 300), st.none() | st.integers(0, 1000))
def test_firings_keep_their_distance_and_firing_one_by_one_is_the_same(times, cooldown_ms, last_ms):
    alerts = [alert(at, identifier=f"{place}") for place, at in enumerate(times)]
    trigger = replace(TRIGGER, cooldown_ms=cooldown_ms, last_fired_ms=last_ms)
    at_once = events(owed(trigger, alerts))
    all_firings = ([last_ms] if last_ms is not None else []) + at_once
    assert all(later - earlier >= max(cooldown_ms, 1) for earlier, later in itertools.pairwise(all_firings))
    one_by_one = []
    while due := owed(trigger, alerts):
        one_by_one.append(due[0].event_ms)
        trigger = replace(trigger, last_fired_ms=due[0].event_ms)
    assert one_by_one == at_once


def test_words_are_filled_in_at_any_depth():
    params = {
        "until": "$window_end",
        "months": ["$window_start", 3],
        "deep": {"why": "alert $alert_id"},
        "n": 1.5,
    }
    assert filled(params, alert(5), RUN) == {
        "until": "2013-08-01",
        "months": ["2013-07-01", 3],
        "deep": {"why": "alert a5"},
        "n": 1.5,
    }
