"""The inference log and the counts a minute."""

import logging

import numpy as np
import pyarrow.parquet as pq
import pytest

from kedge.core.errors import StorageError
from kedge.core.inference import LOG_COLUMNS
from kedge.serving import recorder as recording
from kedge.serving.recorder import Answered
from kedge.serving.signature import Inputs


def logged(stores, endpoint):
    segments = stores.inference.segments(endpoint, start_ms=0, end_ms=2**60)
    return segments, [row for segment in segments for row in pq.read_table(segment.path).to_pylist()]


def test_every_answered_row_is_logged_with_its_inputs(server, stores):
    body = {
        "id": "seven",
        "parameters": {"event_time_ms": 1_356_998_400_000},
        "inputs": [
            {"name": "hour", "shape": [2], "datatype": "INT64", "data": [1, 20]},
            {"name": "distance", "shape": [2], "datatype": "FP64", "data": [1.5, None]},
            {"name": "carrier", "shape": [2], "datatype": "BYTES", "data": ["AA", "UA"]},
            {"name": "late", "shape": [2], "datatype": "BOOL", "data": [True, False]},
        ],
    }
    answer = server.ask("POST", "/v2/models/flights/infer", json=body).json()["outputs"][0]["data"]
    assert server.ask("POST", "/v2/models/flights/infer", json={"inputs": []}).status_code == 400
    server.ask("POST", "/endpoints/line/invocations", json={"instances": [[1, 2, 3]]})
    server.recorder.flush()
    [segment], rows = logged(stores, "flights")
    assert (segment.rows, segment.first_at_ms, segment.last_at_ms) == (
        2,
        1_356_998_400_000,
        1_356_998_400_000,
    )
    assert tuple(rows[0])[: len(LOG_COLUMNS)] == LOG_COLUMNS
    assert [(row["request_id"], row["row"], row["at_ms"]) for row in rows] == [
        ("seven", 0, 1_356_998_400_000),
        ("seven", 1, 1_356_998_400_000),
    ]
    assert [row["prediction"] for row in rows] == answer[1::2]
    assert [row["model_version"] for row in rows] == ["1", "1"]
    assert rows[0]["input.hour"] == 1
    assert np.isnan(rows[1]["input.distance"])
    assert [row["input.carrier"] for row in rows] == ["AA", "UA"]
    assert [row["input.late"] for row in rows] == [True, False]
    _, [line] = logged(stores, "line")
    assert (line["input.0"], line["input.2"], line["prediction"]) == (1.0, 3.0, pytest.approx(6.0))
    [minute] = stores.deployments.traffic("flights")
    assert (minute.requests, minute.rows, minute.errors) == (2, 2, 1)
    assert sum(minute.latency_ms_counts) == 2
    assert not list(stores.home.rglob("*.tmp"))


def answered(make_deployment, rows=10, request_id="r"):
    return Answered(
        deployment=make_deployment("delays", "/m"),
        request_id=request_id,
        at_ms=5,
        inputs=Inputs(rows=rows, columns={"x": np.arange(rows), "s": np.full(rows, None, dtype=object)}),
        answers=np.arange(rows) / 2,
    )


def test_text_predictions_are_logged_as_text(server, stores, make_deployment):
    answer = answered(make_deployment, 2)
    server.recorder.answered(
        Answered(
            deployment=answer.deployment,
            request_id="t",
            at_ms=1,
            inputs=answer.inputs,
            answers=np.array(["late", "early"], dtype=object),
        )
    )
    server.recorder.flush()
    assert [row["prediction"] for row in logged(stores, "delays")[1]] == ["late", "early"]


def test_overflow_drops_counts_and_reports(server, make_deployment, monkeypatch, caplog):
    monkeypatch.setattr(recording, "MOST_ROWS", 25)
    for _ in range(4):
        server.recorder.answered(answered(make_deployment))
    assert server.ask("GET", "/health").json()["dropped_log_rows"] == 20
    with caplog.at_level(logging.ERROR):
        server.recorder.flush()
    assert "rows dropped" in caplog.text


def test_what_the_disk_refuses_is_kept_and_written_later(server, stores, make_deployment, monkeypatch):
    def refuse(segment):
        raise StorageError("full")

    with monkeypatch.context() as patched:
        patched.setattr(stores.inference, "add_segment", refuse)
        server.recorder.answered(answered(make_deployment))
        server.recorder.flush()
    assert stores.inference.rows("delays") == 0
    assert list(stores.home.rglob("*.parquet")) == []
    server.recorder.flush()
    assert stores.inference.rows("delays") == 10
