"""Changes of MLflow's tables that share a commit, in both databases."""

import threading
from pathlib import Path

import pytest

from kedge.core.clock import SystemClock
from kedge.core.logged import Metric
from kedge.core.runs import CreateRun, LogBatch
from kedge.storage.database import open_database
from kedge.storage.tracking_store import SqlTracking

pytestmark = pytest.mark.slow
CLOCK = SystemClock()


def test_changes_of_a_group_are_refused_alone(database_place):
    database = open_database(database_place, CLOCK)
    store = SqlTracking(database, CLOCK)
    store.submit(
        CreateRun(experiment_id=0, run_id="a" * 32, name="r", user_id="u", start_time=1, tags=()),
        lambda _: None,
    )
    outcomes: dict[int, object] = {}
    heard = threading.Semaphore(0)

    def done(place: int):
        def told(outcome: object) -> None:
            outcomes[place] = outcome
            heard.release()

        return told

    with database.write():  # all wait behind this one, and so for one commit
        for place in range(9):
            run_id = "a" * 32 if place % 3 else "nobody"
            key = "nul\0" if place == 4 else "m"
            change = LogBatch(run_id=run_id, metrics=(Metric(key, float(place), place, place),))
            store.submit(change, done(place))
    for _ in range(9):
        assert heard.acquire(timeout=20)
    refused = [place for place, outcome in sorted(outcomes.items()) if isinstance(outcome, Exception)]
    # What PostgreSQL cannot hold breaks the statement that all share; then each is applied alone.
    assert refused == ([0, 3, 6] if isinstance(database_place, Path) else [0, 3, 4, 6])
    points, _ = store.history("a" * 32, "m", limit=None, offset=0)
    assert [point.step for point in points] == [1, 2, 5, 7, 8]
    assert [(point.key, point.value) for point in store.run("a" * 32).metrics if point.key == "m"] == [
        ("m", 8.0)
    ]
    store.close()
    database.close()
