"""Dataset versions in SQL."""

from typing import TYPE_CHECKING

import msgspec
from blake3 import blake3

from kedge.core.clock import Clock
from kedge.core.datasets import (
    ColumnProfile,
    DatasetFile,
    DatasetSummary,
    DatasetUse,
    DatasetVersion,
    NewDatasetVersion,
)
from kedge.core.errors import NotFound
from kedge.core.ids import new_id
from kedge.storage.database import Database, Row
from kedge.storage.statements import statements

_SQL = statements("datasets")
_SHORTEST_PREFIX = 8


class SqlDatasets:
    """`DatasetStore` on SQL; every call is one transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def add(self, version: NewDatasetVersion) -> DatasetVersion:
        content_id = _content_id(version.files)
        with self._database.write() as connection:
            wanted = {"dataset": version.dataset, "content_id": content_id, "tag": version.tag}
            same = connection.execute(_SQL["same"], wanted).fetchone()
            if same is not None:
                return _version(same)
            if version.tag is not None:
                connection.execute(_SQL["untag"], (version.dataset, version.tag))
            number = connection.execute(_SQL["next_number"], (version.dataset,)).fetchone()[0]
            made = DatasetVersion(
                id=new_id(),
                number=number,
                content_id=content_id,
                created_ms=self._clock.now_ms(),
                size_bytes=sum(file.size_bytes for file in version.files),
                **msgspec.structs.asdict(version),
            )
            values = msgspec.structs.asdict(made)
            values["files"] = msgspec.json.encode(made.files).decode()
            values["columns"] = msgspec.json.encode(made.columns).decode()
            connection.execute(_SQL["insert"], values)
        return made

    def get(self, dataset: str, ref: str) -> DatasetVersion:
        row = self._database.row(_SQL["tagged"], (dataset, ref))
        if row is None and ref == "latest":
            row = self._database.row(_SQL["versions"], (dataset,))
        if row is None and ref.isascii() and ref.isdigit() and len(ref) < 10:
            row = self._database.row(_SQL["by_number"], (dataset, int(ref)))
        if row is None and len(ref) >= _SHORTEST_PREFIX:
            found = self._database.rows(
                _SQL["by_prefix"], {"dataset": dataset, "prefix": ref, "length": len(ref)}
            )
            row = found[0] if len(found) == 1 else None
        if row is None:
            self.versions(dataset)  # an unknown dataset is the better complaint
            raise NotFound(
                f"dataset {dataset!r} has no version {ref!r}", hint=f"see `kedge data show {dataset}`"
            )
        return _version(row)

    def get_by_id(self, version_id: str) -> DatasetVersion:
        row = self._database.row(_SQL["by_id"], (version_id,))
        if row is None:
            raise NotFound(f"there is no dataset version {version_id!r}", hint="see `kedge data list`")
        return _version(row)

    def datasets(self) -> list[DatasetSummary]:
        return [DatasetSummary(**dict(row)) for row in self._database.rows(_SQL["datasets"])]

    def versions(self, dataset: str) -> list[DatasetVersion]:
        rows = self._database.rows(_SQL["versions"], (dataset,))
        if not rows:
            raise NotFound(f"there is no dataset {dataset!r}", hint="see `kedge data list`")
        return [_version(row) for row in rows]

    def record_use(self, use: DatasetUse) -> None:
        self.get_by_id(use.dataset_version_id)
        with self._database.write() as connection:
            connection.execute(_SQL["use"], msgspec.structs.asdict(use))

    def uses_of_version(self, version_id: str) -> list[DatasetUse]:
        return [
            DatasetUse(**dict(row)) for row in self._database.rows(_SQL["uses_of_version"], (version_id,))
        ]

    def uses_of_run(self, pipeline_run_id: str) -> list[DatasetUse]:
        return [
            DatasetUse(**dict(row)) for row in self._database.rows(_SQL["uses_of_run"], (pipeline_run_id,))
        ]


def _content_id(files: tuple[DatasetFile, ...]) -> str:
    hasher = blake3()
    for file in sorted(files, key=lambda each: each.path):
        hasher.update(msgspec.json.encode((file.path, file.object_id)))
    return hasher.hexdigest()


def _version(row: Row) -> DatasetVersion:
    values = dict(row)
    values["files"] = msgspec.json.decode(values["files"], type=tuple[DatasetFile, ...])
    values["columns"] = msgspec.json.decode(values["columns"], type=tuple[ColumnProfile, ...])
    return DatasetVersion(**values)


if TYPE_CHECKING:
    from typing import cast

    from kedge.core.datasets import DatasetStore

    _fits: DatasetStore = cast("SqlDatasets", None)
