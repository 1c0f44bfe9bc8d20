"""Runs, steps, code and cache in SQL; writes under a job that is no longer held are refused."""

import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from kedge.core.clock import SystemClock
from kedge.core.errors import NotFound
from kedge.core.pipelines import CachedStep, CodeSnapshot, PipelineRun, StepOutput, StepRun
from kedge.storage.database import Database, open_database
from kedge.storage.jobs import SqlJobs
from kedge.storage.pipelines import SqlPipelines

OUTPUT = StepOutput(object_id="a" * 64, format="json", size_bytes=3, summary="[1]")


def a_run(run_id: str = "r1", **changes: Any) -> PipelineRun:
    values: dict[str, Any] = {
        "id": run_id,
        "pipeline": "train",
        "entry": "/p/train.py:train",
        "project": "/p",
        "params": {"alpha": 0.5, "names": ["ä", None]},
        "state": "queued",
        "created_ms": 10,
    }
    return PipelineRun(**{**values, **changes})


def a_step(name: str, index: int, **changes: Any) -> StepRun:
    values: dict[str, Any] = {
        "run_id": "r1",
        "name": name,
        "index": index,
        "function": f"m.{name}",
        "state": "pending",
    }
    return StepRun(**{**values, **changes})


@pytest.fixture
def database(database_place) -> Iterator[Database]:
    opened = open_database(database_place, SystemClock())
    yield opened
    opened.close()


@pytest.fixture
def store(database: Database) -> SqlPipelines:
    return SqlPipelines(database)


def test_a_run_comes_back_as_it_was_given(store: SqlPipelines) -> None:
    run = a_run(error="it's 'quoted'", result={"auc": 0.5, "rows": [1, 2]}, started_ms=11, job_id="j")
    store.create_run(run)
    assert store.get_run("r1") == run
    changed = replace(run, state="failed", ended_ms=12, result=None, error=None)
    assert store.update_run(changed)
    assert store.get_run("r1") == changed


def test_unknown_runs_are_named(store: SqlPipelines) -> None:
    with pytest.raises(NotFound, match="'nope'"):
        store.get_run("nope")
    with pytest.raises(NotFound, match="'nope'"):
        store.update_run(a_run("nope"))
    assert store.steps("nope") == []


def test_runs_are_listed_newest_first_and_by_pipeline(store: SqlPipelines) -> None:
    for n, name in enumerate(["train", "score", "train"]):
        store.create_run(a_run(f"r{n}", pipeline=name, created_ms=n))
    assert [run.id for run in store.runs()] == ["r2", "r1", "r0"]
    assert [run.id for run in store.runs(pipeline="train", limit=1)] == ["r2"]


def test_open_runs_are_those_that_have_not_ended(store: SqlPipelines) -> None:
    for n, state in enumerate(["failed", "running", "queued", "succeeded", "cancelled"]):
        store.create_run(a_run(f"r{n}", state=state, created_ms=n))
    assert [run.id for run in store.open_runs()] == ["r1", "r2"]


def test_steps_are_replaced_by_name_and_listed_by_index(store: SqlPipelines) -> None:
    store.create_run(a_run())
    store.save_steps([a_step("b", 1, depends_on=("a",)), a_step("a", 0)])
    done = a_step("a", 0, state="succeeded", attempt=2, output=OUTPUT, cache_note="why", log_object="b" * 64)
    store.save_steps([done])
    assert store.steps("r1") == [done, a_step("b", 1, depends_on=("a",))]


def test_a_batch_of_steps_is_all_or_none(store: SqlPipelines) -> None:
    store.create_run(a_run())
    with pytest.raises(sqlite3.IntegrityError, match=r"(?i)not.null"):
        store.save_steps([a_step("a", 0), a_step("b", 1, function=None)])
    assert store.steps("r1") == []


def test_what_is_written_under_a_job_needs_its_fence(database: Database, store: SqlPipelines) -> None:
    jobs = SqlJobs(database, SystemClock())
    store.create_run(a_run())
    jobs.enqueue("pipeline", {})
    late = jobs.claim("late", kinds=("pipeline",), lease_ms=-1)
    assert late is not None
    assert store.save_steps([a_step("a", 0)], under=late)
    current = jobs.claim("eager", kinds=("pipeline",), lease_ms=60_000)
    assert current is not None
    assert not store.save_steps([a_step("a", 0, state="failed")], under=late)
    assert not store.update_run(a_run(state="failed"), under=late)
    assert store.steps("r1") == [a_step("a", 0)]
    assert store.get_run("r1").state == "queued"
    assert store.update_run(a_run(state="succeeded"), under=current)
    jobs.cancel(current.id)
    assert not store.update_run(a_run(state="failed"), under=current)
    assert store.get_run("r1").state == "succeeded"


def test_code_and_cache_come_back(store: SqlPipelines) -> None:
    code = CodeSnapshot(id="c", entry="e", files={"a.py": "0" * 64}, git_commit="f00", git_dirty=True)
    store.save_code(code)
    store.save_code(code)
    assert store.get_code("c") == code
    with pytest.raises(NotFound, match="'d'"):
        store.get_code("d")
    assert store.cached("k") is None
    assert store.last_cached("m.f") is None
    first = CachedStep(key="k", function="m.f", output=OUTPUT, run_id="r1", parts={"code": "1"}, created_ms=1)
    second = replace(first, key="k2", created_ms=2)
    store.remember(first)
    store.remember(second)
    assert store.cached("k") == first
    assert store.last_cached("m.f") == second
