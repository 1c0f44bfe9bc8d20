"""`kedge demo --fast --json`, played once for the session: the shape of its answer, and that its numbers hold together."""

import itertools
import json
import subprocess

import httpx
import pytest
from tests.conftest import KEDGE, Platform, Played

pytestmark = pytest.mark.acceptance

KEYS = {"month", "rows", "drift_share", "auc", "brier", "alerts", "retrained", "promoted", "model_version"}


def test_the_table_has_six_months_that_hold_together(played: Played) -> None:
    months = played.report["months"]
    assert [row["month"] for row in months] == [f"2013-{month:02d}" for month in range(1, 7)]
    for row in months:
        assert set(row) == KEYS
        assert row["rows"] > 5000
        assert 0.5 < row["auc"] < 1
        assert 0 < row["brier"] < 0.25
        assert not row["promoted"] or row["retrained"]
        assert not row["retrained"] or row["alerts"]
    reference, live = months[:3], months[3:]
    assert all(row["drift_share"] is None for row in reference)
    assert all(0 <= row["drift_share"] <= 1 for row in live)
    assert any(row["alerts"] for row in live)
    assert any(row["retrained"] for row in live)


def test_a_promotion_changes_the_model_that_answers_next(played: Played) -> None:
    live = played.report["months"][3:]
    for before, after in itertools.pairwise(live):
        changed = before["model_version"] != after["model_version"]
        assert changed == before["promoted"]


def test_standard_output_is_one_object_and_progress_goes_elsewhere(played: Played) -> None:
    assert set(played.report) == {"months", "urls"}
    assert "2013-04 replay" in played.stderr


def test_the_platform_holds_what_the_table_says(played: Played, demo_platform: Platform) -> None:
    with httpx.Client(base_url=demo_platform.web + "/api/kedge/v1") as client:
        runs = client.get("/monitors/flights-drift/runs").json()
        assert [run["drift_share"] for run in runs] == [
            row["drift_share"] for row in played.report["months"][3:]
        ]
        assert client.get("/endpoints/flights/log").json()["rows"] == sum(
            row["rows"] for row in played.report["months"][3:]
        )
        versions = client.get("/datasets/flights").json()
        assert sorted(version["tag"] for version in versions) == [
            row["month"] for row in played.report["months"]
        ]
        retrainings = [r for r in client.get("/pipeline-runs").json() if r["pipeline"] == "flights-retrain"]
        assert len(retrainings) == sum(row["retrained"] for row in played.report["months"])
        assert [r["result"]["promoted"] for r in retrainings[::-1]] == [
            row["promoted"] for row in played.report["months"] if row["retrained"]
        ]


def test_every_address_answers(played: Played, demo_platform: Platform) -> None:
    for name, url in played.report["urls"].items():
        path = url.partition("://")[2].partition("/")[2]
        reply = httpx.get(f"{demo_platform.web}/{path}", timeout=90, follow_redirects=True)
        assert reply.status_code == 200, name


def test_a_played_home_is_not_played_over(played: Played, demo_platform: Platform) -> None:
    done = subprocess.run(
        [*KEDGE, "demo", "--home", str(played.home)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert "holds data already" in done.stderr
    assert "--again" in done.stderr


def test_the_model_and_registry_are_mlflow_s_own(demo_platform: Platform) -> None:
    body = {"name": "flights", "alias": "champion"}
    reply = httpx.get(f"{demo_platform.web}/api/2.0/mlflow/registered-models/alias", params=body, timeout=90)
    assert reply.status_code == 200, reply.text
    version = reply.json()["model_version"]
    live = httpx.get(f"{demo_platform.web}/api/kedge/v1/endpoints/flights").json()["live"]
    assert str(version["version"]) == live["model_version"]
    json.dumps(version)
