"""Segments and labels on SQL."""

import math
from pathlib import Path

import pytest

from kedge.core.clock import SystemClock
from kedge.core.errors import Invalid
from kedge.core.ids import new_id
from kedge.core.inference import InferenceSegment, Label
from kedge.storage.database import open_database
from kedge.storage.inference import SqlInference


@pytest.fixture
def store(tmp_path: Path, database_place):
    database = open_database(database_place, SystemClock())
    yield SqlInference(database, tmp_path / "inference")
    database.close()


def segment(store: SqlInference, first_ms: int, last_ms: int, rows: int = 10) -> InferenceSegment:
    identifier = new_id()
    return InferenceSegment(
        id=identifier,
        endpoint="delays",
        deployment_id="d",
        path=str(store.folder("delays") / f"{identifier}.parquet"),
        rows=rows,
        first_at_ms=first_ms,
        last_at_ms=last_ms,
        created_ms=5,
    )


def test_segments_overlapping_a_window_are_found_with_absolute_paths(store):
    early, late = segment(store, 0, 100), segment(store, 100, 300)
    store.add_segment(late)
    store.add_segment(early)
    assert store.segments("delays", start_ms=0, end_ms=1000) == [early, late]
    assert store.segments("delays", start_ms=0, end_ms=100) == [early]
    assert store.segments("delays", start_ms=101, end_ms=200) == [late]
    assert store.segments("delays", start_ms=301, end_ms=400) == []
    assert store.watermark_ms("delays") == 300
    assert store.rows("delays") == 20
    assert store.watermark_ms("other") is None
    assert store.rows("other") == 0


def test_a_folder_name_that_leaves_the_root_is_refused(store):
    for name in ("..", "a/b", "", "a\x00b"):
        with pytest.raises(Invalid, match="cannot name an endpoint"):
            store.folder(name)


def test_labels_are_idempotent_and_replaceable(store):
    labels = [Label(request_id="r", row=row, label=float(row), at_ms=50 + row) for row in range(3)]
    assert store.add_labels("delays", labels) == 3
    assert store.add_labels("delays", labels) == 0
    assert store.labels("delays", ["r", "r", "unknown"]) == labels
    assert store.add_labels("delays", [Label(request_id="r", row=0, label=9.0, at_ms=10)]) == 0
    assert store.labels("delays", ["r"])[0].label == 9.0
    assert store.label_watermark_ms("delays") == 52
    assert store.labels("other", ["r"]) == []
    assert store.label_watermark_ms("other") is None


def test_labels_are_stored_all_or_none(store):
    good = Label(request_id="r", row=0, label=1.0, at_ms=1)
    for bad in (
        Label(request_id="r", row=1, label=math.nan, at_ms=1),
        Label(request_id="r", row=-1, label=1.0, at_ms=1),
        Label(request_id="r", row=1, label=1.0, at_ms=2**63),
    ):
        with pytest.raises(Invalid, match="request 'r'"):
            store.add_labels("delays", [good, bad])
    assert store.labels("delays", ["r"]) == []
