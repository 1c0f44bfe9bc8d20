"""Endpoints, deployments and traffic on SQL."""

import pytest

from kedge.core.deployments import LATENCY_BUCKETS_MS, Deployment, TrafficMinute
from kedge.core.errors import NotFound
from kedge.core.ids import new_id
from kedge.storage.database import open_database
from kedge.storage.deployments import SqlDeployments


class Clock:
    """A clock that a test moves."""

    ms = 1_000

    def now_ms(self) -> int:
        return self.ms

    def monotonic_s(self) -> float:
        return self.ms / 1000

    def sleep(self, seconds: float) -> None:
        self.ms += int(seconds * 1000)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store(database_place, clock):
    database = open_database(database_place, clock)
    yield SqlDeployments(database, clock)
    database.close()


def make(endpoint: str = "delays", version: str = "1") -> Deployment:
    return Deployment(
        id=new_id(),
        endpoint=endpoint,
        model_name="flights",
        model_version=version,
        source="/models/1",
        state="pending",
        created_ms=1_000,
    )


def test_a_deployment_is_wanted_then_live_and_the_one_before_retires(store, clock):
    first, second = make(), make(version="2")
    store.deploy(first)
    assert store.endpoint("delays").wanted == first.id
    assert store.endpoint("delays").live is None
    store.mark(first.id, "loading")
    clock.ms = 2_000
    store.mark(first.id, "live")
    assert store.endpoint("delays").live == first.id
    assert store.get(first.id).live_ms == 2_000
    store.deploy(second)
    endpoint = store.endpoint("delays")
    assert (endpoint.wanted, endpoint.live) == (second.id, first.id)
    assert store.get(first.id).state == "live"
    clock.ms = 3_000
    store.mark(second.id, "live")
    assert store.endpoint("delays").live == second.id
    assert (store.get(first.id).state, store.get(first.id).ended_ms) == ("retired", 3_000)
    assert [deployment.id for deployment in store.history("delays")] == [second.id, first.id]
    assert [deployment.id for deployment in store.history("delays", limit=1)] == [second.id]


def test_a_failed_deployment_keeps_the_live_one(store):
    first, second = make(), make(version="2")
    store.deploy(first)
    store.mark(first.id, "live")
    store.deploy(second)
    store.mark(second.id, "failed", error="no such folder")
    assert store.endpoint("delays").live == first.id
    assert store.get(first.id).state == "live"
    failed = store.get(second.id)
    assert (failed.state, failed.error) == ("failed", "no such folder")


def test_what_was_never_live_is_retired_when_something_else_is_wanted(store):
    first, second = make(), make(version="2")
    store.deploy(first)
    store.deploy(second)
    assert store.get(first.id).state == "retired"
    assert store.get(second.id).state == "pending"


def test_unknown_names_are_not_found(store):
    for ask in (
        lambda: store.get("nothing"),
        lambda: store.endpoint("nothing"),
        lambda: store.mark("nothing", "live"),
    ):
        with pytest.raises(NotFound, match="nothing"):
            ask()
    assert store.endpoints() == []
    assert store.history("nothing") == []


def test_traffic_adds_up_per_minute_and_deployment(store):
    counts = tuple(1 if index == 3 else 0 for index in range(len(LATENCY_BUCKETS_MS) + 1))

    def minute(at_ms: int, deployment: str = "a") -> TrafficMinute:
        return TrafficMinute(
            endpoint="delays",
            deployment_id=deployment,
            minute_ms=at_ms,
            requests=1,
            rows=10,
            errors=0,
            latency_ms_sum=2.5,
            latency_ms_counts=counts,
        )

    store.add_traffic([minute(0), minute(60_000), minute(60_000, "b")])
    store.add_traffic([minute(60_000)])
    assert [(m.minute_ms, m.deployment_id, m.requests, m.rows) for m in store.traffic("delays")] == [
        (0, "a", 1, 10),
        (60_000, "a", 2, 20),
        (60_000, "b", 1, 10),
    ]
    assert store.traffic("delays", since_ms=60_000)[0].latency_ms_counts[3] == 2
    assert store.traffic("other") == []
