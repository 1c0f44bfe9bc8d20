"""Endpoints, their deployments and traffic: records and seam between web (wants) and serving (does)."""

from typing import Literal, Protocol

import msgspec

DeploymentState = Literal["pending", "loading", "live", "failed", "retired"]


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """A model version on an endpoint. One is live at a time; the previous stays live until the next is."""

    id: str
    endpoint: str
    model_name: str
    model_version: str
    source: str
    state: DeploymentState
    created_ms: int
    alias: str | None = None
    reason: str = ""
    live_ms: int | None = None
    ended_ms: int | None = None
    error: str | None = None
    mlflow_run_id: str | None = None


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A name that answers predictions; `wanted` is the deployment asked for, `live` the one that answers."""

    name: str
    created_ms: int
    wanted: str
    live: str | None = None


class TrafficMinute(msgspec.Struct, frozen=True, kw_only=True):
    """What one deployment answered in one minute of wall time; `latency_ms_counts` follow LATENCY_BUCKETS_MS."""

    endpoint: str
    deployment_id: str
    minute_ms: int
    requests: int
    rows: int
    errors: int
    latency_ms_sum: float
    latency_ms_counts: tuple[int, ...]


LATENCY_BUCKETS_MS: tuple[float, ...] = (
    0.5,
    1,
    2,
    3,
    5,
    7.5,
    10,
    15,
    20,
    30,
    50,
    75,
    100,
    150,
    200,
    300,
    500,
    1000,
    5000,
)
"""Upper edges; one more bucket above holds the rest."""


class DeploymentStore(Protocol):
    """Endpoints and deployments."""

    def deploy(self, deployment: Deployment) -> None:
        """Record a pending deployment and make it the endpoint's wanted one; creates the endpoint when new."""
        ...

    def get(self, deployment_id: str) -> Deployment:
        """Raises NotFound."""
        ...

    def mark(self, deployment_id: str, state: DeploymentState, *, error: str | None = None) -> None:
        """Move a deployment on; `live` also makes it the endpoint's live one and retires the one before, at once."""
        ...

    def endpoint(self, name: str) -> Endpoint:
        """Raises NotFound."""
        ...

    def endpoints(self) -> list[Endpoint]:
        """By name."""
        ...

    def history(self, endpoint: str, *, limit: int = 100) -> list[Deployment]:
        """Newest first."""
        ...

    def add_traffic(self, minutes: list[TrafficMinute]) -> None:
        """Add to the counts of each (endpoint, deployment, minute)."""
        ...

    def traffic(self, endpoint: str, *, since_ms: int = 0) -> list[TrafficMinute]:
        """By minute, oldest first."""
        ...
