"""Sequences of requests that hypothesis makes up, to MLflow's own server and to Kedge: every answer, and what is left.

`pytest tests/tracking/test_sequences.py --sequences 2000` plays as many, new ones each time.
"""

import asyncio
import json
import logging
import random
import shutil
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from tests.tracking.both import ask
from tests.tracking.sequences import BEGINNING, SEQUENCES
from tests.tracking.twins import Twins

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # MLflow's own
PLAYED = 40
WRITERS = 6


@pytest.fixture(params=["sqlite", "postgresql"])
def twins(request: pytest.FixtureRequest, tmp_path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Twins]:
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    logging.disable(logging.CRITICAL)
    if request.param == "sqlite":
        theirs, ours = tmp_path / "mlflow.db", tmp_path / "kedge.db"
        shutil.copy(request.getfixturevalue("mlflow_database"), theirs)
    else:
        cluster = request.getfixturevalue("cluster")
        theirs, ours = cluster.of_mlflow(), cluster.new()
    pair = Twins(theirs, ours, monkeypatch)
    yield pair
    pair.close()
    logging.disable(logging.NOTSET)


def test_sequences_of_requests(twins: Twins, request: pytest.FixtureRequest) -> None:
    wanted = request.config.getoption("--sequences")

    @settings(
        max_examples=wanted or PLAYED,
        deadline=None,
        derandomize=not wanted,
        database=None,
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    @given(SEQUENCES)
    def play(steps: list) -> None:
        twins.clear()
        twins.play(steps)

    play()


def writes(writer: int, chance: random.Random) -> list[tuple[str, dict]]:
    """What one of several writers asks; whatever order they are carried out in, the same is left."""
    asked: list[tuple[str, dict]] = []
    for place in range(6):
        step = place * WRITERS + writer
        metric = {
            "key": chance.choice("ab"),
            "value": chance.choice([1, 0.5, "NaN", -3]),
            "timestamp": step,
            "step": step,
        }
        several = [{**metric, "key": f"k{number % 7}", "value": number} for number in range(40)]
        asked += [
            ("runs/log-metric", {"run_id": "<r0>", **metric}),
            ("runs/log-batch", {"run_id": "<r1>", "metrics": several, "tags": [{"key": f"w{writer}", "value": str(place)}]}),
            ("runs/log-parameter", {"run_id": "<r0>", "key": f"p{place}", "value": "same"}),
            ("runs/set-tag", {"run_id": "<r0>", "key": f"w{writer}", "value": str(place)}),
            ("runs/log-batch", {"run_id": "<r0>", "metrics": [{**metric, "key": "../no"}], "params": [{"key": "no", "value": "1"}]}),
            ("runs/log-batch", {"run_id": "<r0>", "params": [{"key": "p0", "value": "same"}], "metrics": [metric]}),
        ]  # fmt: skip
    asked.append(("model-versions/create", {"name": "a", "source": "models:/<m0>", "model_id": "<m0>"}))
    asked.append(("runs/log-metric", {"run_id": "nope", "key": "a", "value": 1, "timestamp": 1}))
    return asked


def test_writers_at_once_leave_what_writers_in_turn_leave(twins: Twins) -> None:
    """MLflow is asked by one after the other, Kedge by all at once: their changes share commits."""
    twins.clear()
    twins.play(BEGINNING)
    chance = random.Random(5)
    every = [writes(writer, chance) for writer in range(WRITERS)]

    async def one(asked: list[tuple[str, dict]]) -> list[int]:
        statuses = []
        for path, given_body in asked:
            body = twins._filled(json.dumps(given_body), 1).encode()
            answer = await ask(twins.ours, "POST", f"/api/2.0/mlflow/{path}", body, "", "application/json")
            statuses.append(answer[0])
        return statuses

    async def all_at_once() -> list[list[int]]:
        return await asyncio.gather(*(one(asked) for asked in every))

    found = twins.loop.run_until_complete(all_at_once())
    wanted = [
        [twins._ask_theirs("POST", path, twins._filled(json.dumps(given_body), 0), "", "application/json")[0] for path, given_body in asked]
        for asked in every
    ]  # fmt: skip
    assert found == wanted
    theirs, ours = twins.held()
    for table, rows in theirs.items():
        assert ours[table] == rows, table
    assert len(theirs["model_versions"]) == WRITERS + 1
