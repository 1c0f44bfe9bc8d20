"""Requests that gather while a prediction runs are answered together, each with its own answers."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from kedge.serving import batching
from kedge.serving.batching import Batcher
from kedge.serving.signature import Inputs


def inputs(*values, dtype=np.float64):
    return Inputs(rows=len(values), matrix=np.array(values, dtype=dtype).reshape(-1, 1))


class Doubling:
    """Doubles; the first call waits for `go`; a row of -13 breaks the call."""

    def __init__(self):
        self.go = threading.Event()
        self.calls = []

    def __call__(self, rows):
        self.calls.append(rows.rows)
        assert self.go.wait(5)
        if (rows.matrix == -13).any():
            raise ValueError("-13 is refused")
        return rows.matrix[:, 0] * 2


def run(model, requests):
    """Submit the first, then, while it runs, the others; returns answers or errors."""

    async def submit_all():
        batcher = Batcher(model, executor)
        first = asyncio.create_task(batcher.submit(requests[0]))
        while not model.calls:  # noqa: ASYNC110 - it is called in another thread
            await asyncio.sleep(0.001)
        rest = [asyncio.create_task(batcher.submit(request)) for request in requests[1:]]
        await asyncio.sleep(0)
        model.go.set()
        return await asyncio.gather(first, *rest, return_exceptions=True)

    with ThreadPoolExecutor(2) as executor:
        return asyncio.run(submit_all())


def test_arrivals_during_a_prediction_are_one_batch():
    model = Doubling()
    answers = run(model, [inputs(0), *(inputs(i, i + 0.5) for i in range(1, 20))])
    assert model.calls == [1, 38]
    assert answers[0].tolist() == [0]
    for i in range(1, 20):
        assert answers[i].tolist() == [2 * i, 2 * i + 1]


def test_a_bad_request_fails_alone():
    answers = run(model := Doubling(), [inputs(0), inputs(1), inputs(-13), inputs(2, 3)])
    assert model.calls == [1, 4, 1, 1, 2]
    assert answers[1].tolist() == [2]
    assert isinstance(answers[2], ValueError)
    assert answers[3].tolist() == [4, 6]


def test_other_schemas_are_other_batches_in_order():
    model = Doubling()
    answers = run(model, [inputs(0), inputs(1), inputs(2, dtype=np.int64), inputs(3)])
    assert model.calls == [1, 2, 1]
    assert [answer.tolist() for answer in answers] == [[0], [2], [4], [6]]
    assert answers[2].dtype == np.int64


def test_batches_stop_at_the_limit(monkeypatch):
    monkeypatch.setattr(batching, "MOST_ROWS", 3)
    model = Doubling()
    run(model, [inputs(0), inputs(1, 1), inputs(2, 2), inputs(3, 3, 3, 3, 3)])
    assert model.calls == [1, 2, 2, 5]


def test_a_request_that_went_away_does_not_disturb_the_others():
    async def scenario():
        model = Doubling()
        batcher = Batcher(model, executor)
        first = asyncio.create_task(batcher.submit(inputs(1)))
        second = asyncio.create_task(batcher.submit(inputs(2)))
        while not model.calls:  # noqa: ASYNC110 - it is called in another thread
            await asyncio.sleep(0.001)
        first.cancel()
        await asyncio.sleep(0)
        model.go.set()
        assert (await second).tolist() == [4]
        with pytest.raises(asyncio.CancelledError):
            await first
        assert (await batcher.submit(inputs(3))).tolist() == [6]

    with ThreadPoolExecutor(2) as executor:
        asyncio.run(scenario())


def test_many_at_once_through_the_protocol_equal_one_by_one(server, models, make_frame):
    rows = make_frame(60, seed=5)
    requests = []
    for place in range(60):
        row = rows.iloc[place]
        tensors = [
            ("hour", "INT64", int(row["hour"])),
            ("distance", "FP64", float(row["distance"])),
            ("carrier", "BYTES", "ZZ" if place == 30 else row["carrier"]),
            ("late", "BOOL", bool(row["late"])),
        ]
        body = {
            "id": str(place),
            "inputs": [{"name": n, "shape": [1], "datatype": d, "data": [v]} for n, d, v in tensors],
        }
        requests.append(("POST", "/v2/models/flights/infer", {"json": body}))
    replies = server.ask_all(requests)
    direct = models.flights_estimator.predict_proba(rows)
    for place, reply in enumerate(replies):
        if place == 30:
            assert reply.status_code == 400
            assert "unknown categories" in reply.json()["error"]
        else:
            assert reply.json()["id"] == str(place)
            assert reply.json()["outputs"][0]["data"] == direct[place].tolist()
