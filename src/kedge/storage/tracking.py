"""What Kedge reads of MLflow's tables, which stand beside its own in the same database (schema of MLflow 3.17)."""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, LiteralString
from urllib.parse import unquote, urlsplit

from kedge.core.artifacts import SCHEME
from kedge.core.errors import Invalid, NotFound
from kedge.core.tracking import MetricPoint, ModelVersion, RegisteredModel, TrackedRun
from kedge.storage.database import Database, Row
from kedge.storage.statements import chunks, placed, statements

_SQL = statements("tracking")
_SORTS = ("start", "name", "status", "experiment", "duration")
_LOGGED_MODEL = re.compile(r"models:/+(m-[0-9a-f]+)/?")
_RUN_ARTIFACT = re.compile(r"runs:/+([0-9a-f]{32})(?:/(.*))?")


class MlflowTables:
    """`TrackingReader` on MLflow's own tables."""

    def __init__(self, database: Database, artifacts: Path | None, home: Path) -> None:
        self._database = database
        self._artifacts = artifacts
        """None where they lie in no folder of this machine."""
        self._home = home

    def runs(
        self, *, search: str = "", status: str = "", sort: str = "-start", limit: int = 100, offset: int = 0
    ) -> list[TrackedRun]:
        order, metric = _order(sort)
        found = self._database.rows(
            _SQL["runs"] + order + _SQL["page"],
            {**_matching(search, status), "metric": metric, "limit": limit, "offset": offset},
        )
        return self._tracked(found)

    def count_runs(self, *, search: str = "", status: str = "") -> int:
        row = self._database.row(_SQL["count_runs"], _matching(search, status))
        return row["found"] if row else 0

    def get_run(self, run_id: str) -> TrackedRun:
        found = self._database.rows(_SQL["get_run"], (run_id,))
        if not found:
            raise NotFound(f"there is no MLflow run {run_id!r}")
        return self._tracked(found)[0]

    def metric_history(self, run_id: str, key: str) -> list[MetricPoint]:
        return [
            MetricPoint(step=row["step"], at_ms=row["timestamp"], value=_value(row))
            for row in self._database.rows(_SQL["metric_history"], (run_id, key))
        ]

    def models(self) -> list[RegisteredModel]:
        aliases: dict[str, dict[str, str]] = defaultdict(dict)
        for row in self._database.rows(_SQL["aliases"], {"name": None}):
            aliases[row["name"]][row["alias"]] = str(row["version"])
        return [
            RegisteredModel(
                name=row["name"],
                created_ms=row["creation_time"] or 0,
                updated_ms=row["last_updated_time"] or row["creation_time"] or 0,
                versions=row["versions"],
                latest=None if row["latest"] is None else str(row["latest"]),
                aliases=aliases[row["name"]],
                description=row["description"] or "",
            )
            for row in self._database.rows(_SQL["models"])
        ]

    def versions(self, name: str) -> list[ModelVersion]:
        if self._database.row(_SQL["has_model"], (name,)) is None:
            raise NotFound(
                f"there is no registered model {name!r}",
                hint="see the models with `GET /api/kedge/v1/models`, or register one with mlflow.register_model",
            )
        return self._versions(self._database.rows(_SQL["versions"], (name,)))

    def resolve(self, name: str, ref: str) -> ModelVersion:
        versions = self.versions(name)
        for version in versions:
            if ref in (version.version, *version.aliases) or ref == "latest":
                return version
        raise NotFound(
            f"model {name!r} has no version or alias {ref!r}",
            hint=f"it has versions {', '.join(v.version for v in versions[:20]) or '(none)'} "
            f"and aliases {', '.join(a for v in versions for a in v.aliases) or '(none)'}",
        )

    def versions_of_run(self, run_id: str) -> list[ModelVersion]:
        return self._versions(self._database.rows(_SQL["versions_of_run"], (run_id,)))

    def runs_of_pipeline(self, pipeline_run_id: str) -> list[TrackedRun]:
        return self._tracked(self._database.rows(_SQL["runs_of_pipeline"], (pipeline_run_id,)))

    def _tracked(self, found: Sequence[Row]) -> list[TrackedRun]:
        ids = [row["run_uuid"] for row in found]
        metrics = _by_run((r["run_uuid"], r["key"], _value(r)) for r in self._among(_SQL["metrics"], ids))
        params = _by_run((r["run_uuid"], r["key"], r["value"]) for r in self._among(_SQL["params"], ids))
        tags = _by_run((r["run_uuid"], r["key"], r["value"] or "") for r in self._among(_SQL["tags"], ids))
        return [
            TrackedRun(
                run_id=row["run_uuid"],
                experiment_id=str(row["experiment_id"]),
                experiment=row["experiment"],
                name=row["name"] or "",
                status=row["status"] or "",
                start_ms=row["start_time"],
                end_ms=row["end_time"],
                user=row["user_id"] or tags[row["run_uuid"]].get("mlflow.user", ""),
                artifact_uri=row["artifact_uri"] or "",
                metrics=metrics[row["run_uuid"]],
                params=params[row["run_uuid"]],
                tags=tags[row["run_uuid"]],
            )
            for row in found
        ]

    def _among(self, query: LiteralString, ids: list[str]) -> Iterator[Row]:
        for some in chunks(ids):
            yield from self._database.rows(placed(query, len(some)), tuple(some))

    def _versions(self, found: Sequence[Row]) -> list[ModelVersion]:
        aliases: dict[tuple[str, int], list[str]] = defaultdict(list)
        tags: dict[tuple[str, int], dict[str, str]] = defaultdict(dict)
        for name in {row["name"] for row in found}:
            for row in self._database.rows(_SQL["aliases"], {"name": name}):
                aliases[name, row["version"]].append(row["alias"])
            for row in self._database.rows(_SQL["version_tags"], (name,)):
                tags[name, row["version"]][row["key"]] = row["value"] or ""
        return [
            ModelVersion(
                name=row["name"],
                version=str(row["version"]),
                created_ms=row["creation_time"] or 0,
                run_id=row["run_id"] or None,
                location=self._location(row["storage_location"] or row["source"] or ""),
                status=row["status"] or "READY",
                aliases=tuple(aliases[row["name"], row["version"]]),
                tags=tags[row["name"], row["version"]],
                description=row["description"] or "",
            )
            for row in found
        ]

    def _location(self, uri: str) -> str:
        """The local folder that `uri` means where that lies in this data directory, else the address of what it means."""
        if logged := _LOGGED_MODEL.fullmatch(uri):
            uri = self._looked_up(_SQL["model_location"], logged[1]) or uri
        elif artifact := _RUN_ARTIFACT.fullmatch(uri):
            base = self._looked_up(_SQL["run_location"], artifact[1])
            uri = f"{base}/{artifact[2] or ''}".rstrip("/") if base else uri
        parts = urlsplit(uri)
        if parts.scheme == SCHEME:
            if self._artifacts is None:
                return uri
            folder, root = self._artifacts / unquote(parts.path).lstrip("/"), self._artifacts
        elif parts.scheme in ("", "file"):
            folder, root = Path(unquote(parts.path) if parts.scheme else uri), self._home
        else:
            return uri
        folder = folder.resolve()
        return str(folder) if folder.is_relative_to(root.resolve()) else uri

    def _looked_up(self, query: LiteralString, key: str) -> str:
        row = self._database.row(query, (key,))
        return str(row[0] or "") if row else ""


def _order(sort: str) -> tuple[LiteralString, str]:
    """The ORDER BY block and the metric's key. Raises Invalid."""
    name = sort.removeprefix("-")
    suffix: LiteralString = "_descending" if sort.startswith("-") else ""
    if name.startswith("metrics."):
        return _SQL["order_metric" + suffix], name.removeprefix("metrics.")
    for known in _SORTS:
        if name == known:
            return _SQL["order_" + known + suffix], ""
    raise Invalid(f"runs cannot be sorted by {sort!r}: use {', '.join(_SORTS)} or metrics.<key>")


def _matching(search: str, status: str) -> dict[str, Any]:
    escaped = search.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return {"status": status.upper(), "search": f"%{escaped}%" if search else ""}


def _value(row: Row) -> float:
    return math.nan if row["is_nan"] else float(row["value"])


def _by_run(triples: Iterable[tuple[str, str, Any]]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = defaultdict(dict)
    for run_id, key, value in sorted(triples, key=lambda triple: triple[1]):
        found[run_id][key] = value
    return found


if TYPE_CHECKING:
    from typing import cast

    from kedge.core.tracking import TrackingReader

    _fits: TrackingReader = cast("MlflowTables", None)
