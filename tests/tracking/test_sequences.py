"""Sequences of requests that hypothesis makes up, to MLflow's own server and to Kedge: every answer, and what is left.

`pytest tests/tracking/test_sequences.py --sequences 2000` plays as many, new ones each time.
"""

import logging
import shutil
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from tests.tracking.sequences import SEQUENCES
from tests.tracking.twins import Twins

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # MLflow's own
PLAYED = 40


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
