"""SqlMonitors on a real database file."""

import math
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from kedge.core.clock import SystemClock
from kedge.core.errors import NotFound
from kedge.core.ids import new_id
from kedge.core.monitors import Alert, ColumnResult, Monitor, MonitorRun, Trigger
from kedge.storage.database import open_database
from kedge.storage.monitors import SqlMonitors

MONITOR = Monitor(
    name="drift",
    endpoint="flights",
    kind="drift",
    period="month",
    created_ms=5,
    reference=("a" * 32,),
    detectors={"*numeric": [{"name": "KolmogorovSmirnov", "alpha": 0.01}]},
    alert_when={"drift_share": 0.5},
)


def run_of(window: int = 0, **changes) -> MonitorRun:
    run = MonitorRun(
        id=new_id(),
        monitor="drift",
        endpoint="flights",
        kind="drift",
        window_start_ms=window * 100,
        window_end_ms=window * 100 + 100,
        rows=7,
        verdict="ok",
        created_ms=9,
        duration_ms=3,
        reference=("a" * 32,),
        metrics={"missing.temp": 0.25},
        detectors=("KolmogorovSmirnov",),
    )
    return replace(run, **changes)


def alert_of(run: MonitorRun, **changes) -> Alert:
    alert = Alert(
        id=new_id(),
        monitor=run.monitor,
        monitor_run_id=run.id,
        endpoint=run.endpoint,
        message="drift",
        state="open",
        created_ms=11,
        event_ms=run.window_end_ms,
    )
    return replace(alert, **changes)


@pytest.fixture
def store(database_place: Path | str) -> Iterator[SqlMonitors]:
    database = open_database(database_place, SystemClock())
    yield SqlMonitors(database)
    database.close()


def test_monitor_is_replaced_by_name(store):
    store.save_monitor(MONITOR)
    changed = replace(MONITOR, period="week", endpoint="trains")
    store.save_monitor(changed)
    assert store.get_monitor("drift") == changed
    assert store.monitors() == [changed]
    assert store.monitors(endpoint="flights") == []
    assert store.monitors(endpoint="trains") == [changed]


def test_unknown_things_are_not_found(store):
    with pytest.raises(NotFound, match="'nothing'"):
        store.get_monitor("nothing")
    with pytest.raises(NotFound):
        store.get_run("0" * 32)
    with pytest.raises(NotFound):
        store.get_alert("0" * 32)
    with pytest.raises(NotFound):
        store.update_alert(alert_of(run_of()))
    with pytest.raises(NotFound):
        store.record_firing("retrain", "0" * 32, "1" * 32)
    assert store.detector_state("nothing") is None


def test_a_run_is_kept_whole(store):
    store.save_monitor(MONITOR)
    run = run_of(drift_share=0.5, model_name="m", model_version="2", note="é")
    results = [
        ColumnResult(
            column="temp",
            detector="PopulationStabilityIndex",
            params={"bins": 10},
            statistic=0.31,
            threshold=0.2,
            drift=True,
            bins=(0.0, 1.0, 2.0),
            reference=(0.5, 0.5),
            current=(0.1, 0.9),
        ),
        ColumnResult(
            column="carrier",
            detector="ChiSquare",
            params={},
            statistic=math.inf,
            threshold=None,
            drift=False,
            p_value=1e-300,
            bins=("AA", "UA"),
            reference=(0.5, 0.5),
            current=(0.5, 0.5),
        ),
    ]
    alert = alert_of(run)
    assert store.save_run(run, results, [alert], b"state")
    assert store.get_run(run.id) == run
    assert store.results(run.id) == [results[1], results[0]]
    assert store.results(run.id, column="temp") == [results[0]]
    assert store.alerts() == [alert]
    assert store.detector_state("drift") == b"state"
    assert store.heat("drift") == [
        (run.id, 0, "carrier", "ChiSquare", math.inf, False),
        (run.id, 0, "temp", "PopulationStabilityIndex", 0.31, True),
    ]


def test_a_second_run_of_a_window_writes_nothing(store):
    store.save_monitor(MONITOR)
    first = run_of()
    assert store.save_run(first, [], [], b"one")
    again = run_of()
    assert not store.save_run(again, [], [alert_of(again)], b"two")
    assert store.runs() == [first]
    assert store.alerts() == []
    assert store.detector_state("drift") == b"one"


def test_a_failing_save_leaves_nothing(store):
    store.save_monitor(MONITOR)
    run = run_of()
    twice = ColumnResult(column="a", detector="x", params={}, statistic=0.0, threshold=None, drift=False)
    with pytest.raises(sqlite3.IntegrityError, match=r"(?i)unique"):
        store.save_run(run, [twice, twice], [alert_of(run)], b"state")
    assert store.runs() == []
    assert store.alerts() == []
    assert store.detector_state("drift") is None


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(windows=st.lists(st.integers(0, 50), unique=True, min_size=1, max_size=8), limit=st.integers(1, 10))
def test_runs_are_the_newest_oldest_first(tmp_path_factory, windows, limit):
    store = SqlMonitors(open_database(tmp_path_factory.mktemp("db") / "kedge.db", SystemClock()))
    for window in windows:
        assert store.save_run(run_of(window), [], [], None)
    ordered = sorted(windows)
    assert [run.window_start_ms // 100 for run in store.runs(monitor="drift", limit=limit)] == ordered[
        -limit:
    ]
    assert store.windows("drift") == [(window * 100, window * 100 + 100) for window in ordered]
    assert store.runs(endpoint="other") == []


def test_alerts_keep_what_is_recorded(store):
    run = run_of()
    alert = alert_of(run)
    store.save_run(run, [], [alert], None)
    store.save_trigger(
        Trigger(
            name="retrain",
            monitor="drift",
            entry="flows.py:train",
            project="/p",
            pipeline="train",
            params={},
            created_ms=1,
        )
    )
    store.update_alert(replace(alert, state="acknowledged", acknowledged_ms=20))
    store.record_firing("retrain", alert.id, "r" * 32)
    # Written by someone who still holds the first snapshot: nothing recorded may be lost.
    store.update_alert(alert)
    store.record_firing("retrain", alert.id, "s" * 32)
    kept = store.get_alert(alert.id)
    assert kept == replace(alert, state="acknowledged", acknowledged_ms=20, pipeline_run_id="r" * 32)
    assert [trigger.last_fired_ms for trigger in store.triggers(monitor="drift")] == [alert.event_ms]
    assert store.alerts(state="open") == []
    assert store.alerts(state="acknowledged", endpoint="flights") == [kept]


def test_a_trigger_never_forgets_its_last_firing(store):
    trigger = Trigger(
        name="retrain",
        monitor="drift",
        entry="flows.py:train",
        project="/p",
        pipeline="train",
        params={"a": "$window_end"},
        created_ms=1,
    )
    store.save_trigger(replace(trigger, last_fired_ms=100))
    store.save_trigger(replace(trigger, params={"a": 2}))
    assert store.triggers() == [replace(trigger, params={"a": 2}, last_fired_ms=100)]
    assert store.triggers(monitor="other") == []
