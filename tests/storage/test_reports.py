"""Reports in SQL."""

import sqlite3

import pytest

from kedge.core.clock import SystemClock
from kedge.core.errors import NotFound
from kedge.core.reports import Check, Report
from kedge.storage.database import open_database
from kedge.storage.reports import SqlReports

CHECKS = (
    Check(name="auc", value=0.71, rule=">= 0.65", passed=True),
    Check(name="brier", value=None, rule="<= 0.2", passed=False, detail="the value was nan"),
)


@pytest.fixture
def store(database_place):
    database = open_database(database_place, SystemClock())
    yield SqlReports(database)
    database.close()


def report(number, **fields):
    return Report(
        id=f"{number:032x}", gate="g", subject="s", created_ms=5, passed=False, checks=CHECKS, **fields
    )


def test_what_was_added_is_what_is_read(store):
    full = report(
        1, pipeline_run_id="p", step="gate", mlflow_run_id="m", model_name="flights", model_version="3"
    )
    store.add(full)
    assert store.get(full.id) == full
    with pytest.raises(NotFound, match="nothing"):
        store.get("nothing")


def test_newest_first_even_within_a_millisecond(store):
    for number in (2, 1, 3):
        store.add(report(number))
    assert [int(each.id, 16) for each in store.reports()] == [3, 2, 1]
    assert [int(each.id, 16) for each in store.reports(limit=1)] == [3]


def test_reports_of_a_run(store):
    store.add(report(1, pipeline_run_id="p"))
    store.add(report(2, mlflow_run_id="m"))
    store.add(report(3, pipeline_run_id="p", mlflow_run_id="m"))
    found = {
        "p": store.reports(pipeline_run_id="p"),
        "m": store.reports(mlflow_run_id="m"),
        "both": store.reports(pipeline_run_id="p", mlflow_run_id="m"),
        "none": store.reports(pipeline_run_id="q"),
    }
    assert {key: [int(each.id, 16) for each in value] for key, value in found.items()} == {
        "p": [3, 1],
        "m": [3, 2],
        "both": [3],
        "none": [],
    }


def test_a_report_is_written_once(store):
    store.add(report(1))
    with pytest.raises(sqlite3.IntegrityError):
        store.add(report(1, pipeline_run_id="other"))
    assert store.get(f"{1:032x}").pipeline_run_id is None
