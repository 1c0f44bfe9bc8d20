"""What Kedge reads of MLflow's tables: runs, models, versions."""

from typing import Protocol

import msgspec


class TrackedRun(msgspec.Struct, frozen=True, kw_only=True):
    """An MLflow run; metrics are the latest values."""

    run_id: str
    experiment_id: str
    experiment: str
    name: str
    status: str
    start_ms: int | None
    end_ms: int | None
    user: str = ""
    artifact_uri: str = ""
    metrics: dict[str, float] = {}
    params: dict[str, str] = {}
    tags: dict[str, str] = {}


class MetricPoint(msgspec.Struct, frozen=True, kw_only=True):
    """One logged value."""

    step: int
    at_ms: int
    value: float


class ModelVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A registered model version; `location` is where its artifacts lie (`mlflow-artifacts:/...` or a path)."""

    name: str
    version: str
    created_ms: int
    run_id: str | None
    location: str
    status: str = "READY"
    aliases: tuple[str, ...] = ()
    tags: dict[str, str] = {}
    description: str = ""


class RegisteredModel(msgspec.Struct, frozen=True, kw_only=True):
    """A registered model in a list."""

    name: str
    created_ms: int
    updated_ms: int
    versions: int
    latest: str | None
    aliases: dict[str, str] = {}
    description: str = ""


class TrackingReader(Protocol):
    """Reads MLflow's tables; before MLflow made them, everything is empty and nothing is found."""

    def runs(
        self, *, search: str = "", status: str = "", sort: str = "-start", limit: int = 100, offset: int = 0
    ) -> list[TrackedRun]:
        """Active runs; `search` matches name, experiment, run id or a tag value; `sort` is start, name, status,
        experiment, duration or `metrics.<key>`, with `-` for descending."""
        ...

    def count_runs(self, *, search: str = "", status: str = "") -> int: ...
    def get_run(self, run_id: str) -> TrackedRun:
        """Raises NotFound."""
        ...

    def metric_history(self, run_id: str, key: str) -> list[MetricPoint]: ...
    def models(self) -> list[RegisteredModel]: ...
    def versions(self, name: str) -> list[ModelVersion]:
        """Newest first. Raises NotFound for an unknown model."""
        ...

    def resolve(self, name: str, ref: str) -> ModelVersion:
        """Find by version number, alias, or `latest`. Raises NotFound."""
        ...

    def versions_of_run(self, run_id: str) -> list[ModelVersion]: ...
    def runs_of_pipeline(self, pipeline_run_id: str) -> list[TrackedRun]:
        """Runs tagged `kedge.pipeline_run` with the id."""
        ...
