"""Endpoints, deployments and their traffic in SQL."""

from typing import TYPE_CHECKING

import msgspec

from kedge.core.clock import Clock
from kedge.core.deployments import Deployment, DeploymentState, Endpoint, TrafficMinute
from kedge.core.errors import NotFound
from kedge.storage.database import Database, Row
from kedge.storage.statements import statements

_SQL = statements("deployments")


class SqlDeployments:
    """`DeploymentStore` on SQL; every call is one transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def deploy(self, deployment: Deployment) -> None:
        now = {"now_ms": self._clock.now_ms(), "endpoint": deployment.endpoint, "id": deployment.id}
        with self._database.write() as connection:
            connection.execute(_SQL["supersede"], now)
            connection.execute(_SQL["insert"], msgspec.structs.asdict(deployment))
            connection.execute(_SQL["want"], now)

    def get(self, deployment_id: str) -> Deployment:
        row = self._database.row(_SQL["get"], (deployment_id,))
        if row is None:
            raise NotFound(f"there is no deployment {deployment_id!r}", hint="see `kedge endpoints`")
        return _deployment(row)

    def mark(self, deployment_id: str, state: DeploymentState, *, error: str | None = None) -> None:
        endpoint = self.get(deployment_id).endpoint
        values = {
            "id": deployment_id,
            "endpoint": endpoint,
            "state": state,
            "error": error,
            "now_ms": self._clock.now_ms(),
        }
        with self._database.write() as connection:
            connection.execute(_SQL["mark"], values)
            if state == "live":
                connection.execute(_SQL["retire_others"], values)
                connection.execute(_SQL["set_live"], values)
            else:
                connection.execute(_SQL["unset_live"], values)

    def endpoint(self, name: str) -> Endpoint:
        row = self._database.row(_SQL["endpoint"], (name,))
        if row is None:
            raise NotFound(
                f"there is no endpoint {name!r}",
                hint="see `kedge endpoints`, or make it with `kedge deploy NAME --model M`",
            )
        return _endpoint(row)

    def endpoints(self) -> list[Endpoint]:
        return [_endpoint(row) for row in self._database.rows(_SQL["endpoints"])]

    def history(self, endpoint: str, *, limit: int = 100) -> list[Deployment]:
        return [_deployment(row) for row in self._database.rows(_SQL["history"], (endpoint, limit))]

    def add_traffic(self, minutes: list[TrafficMinute]) -> None:
        with self._database.write() as connection:
            for minute in minutes:
                key = (minute.endpoint, minute.minute_ms, minute.deployment_id)
                known = connection.execute(_SQL["minute"], key).fetchone()
                total = minute if known is None else _sum(_traffic(known), minute)
                values = msgspec.structs.asdict(total)
                values["latency_ms_counts"] = msgspec.json.encode(total.latency_ms_counts).decode()
                connection.execute(_SQL["set_minute"], values)

    def traffic(self, endpoint: str, *, since_ms: int = 0) -> list[TrafficMinute]:
        return [_traffic(row) for row in self._database.rows(_SQL["traffic"], (endpoint, since_ms))]


def _deployment(row: Row) -> Deployment:
    return Deployment(**dict(row))


def _endpoint(row: Row) -> Endpoint:
    return Endpoint(**dict(row))


def _traffic(row: Row) -> TrafficMinute:
    values = dict(row)
    values["latency_ms_counts"] = msgspec.json.decode(values["latency_ms_counts"], type=tuple[int, ...])
    return TrafficMinute(**values)


def _sum(one: TrafficMinute, two: TrafficMinute) -> TrafficMinute:
    return msgspec.structs.replace(
        one,
        requests=one.requests + two.requests,
        rows=one.rows + two.rows,
        errors=one.errors + two.errors,
        latency_ms_sum=one.latency_ms_sum + two.latency_ms_sum,
        latency_ms_counts=tuple(
            a + b for a, b in zip(one.latency_ms_counts, two.latency_ms_counts, strict=True)
        ),
    )


if TYPE_CHECKING:
    from typing import cast

    from kedge.core.deployments import DeploymentStore

    _fits: DeploymentStore = cast("SqlDeployments", None)
