"""Dataset versions: their records and the seam to where they are kept."""

from typing import Protocol

import msgspec


class DatasetFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a version; `path` is relative, with forward slashes, and never leaves the version's folder."""

    path: str
    object_id: str
    size_bytes: int
    rows: int = 0


class ColumnProfile(msgspec.Struct, frozen=True, kw_only=True):
    """What a column holds: `bins` are `len(counts) + 1` edges of a numeric histogram, `top` the commonest values."""

    name: str
    type: str
    nulls: int = 0
    distinct: int | None = None
    minimum: float | str | None = None
    maximum: float | str | None = None
    mean: float | None = None
    bins: tuple[float, ...] = ()
    counts: tuple[int, ...] = ()
    top: tuple[tuple[str, int], ...] = ()


class NewDatasetVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A version about to be recorded; all its objects are stored already."""

    dataset: str
    files: tuple[DatasetFile, ...]
    columns: tuple[ColumnProfile, ...] = ()
    rows: int = 0
    tag: str | None = None
    message: str = ""
    pipeline_run_id: str | None = None


class DatasetVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A recorded version. `content_id` hashes the sorted (path, object) list; `number` counts from 1 per dataset."""

    id: str
    dataset: str
    number: int
    content_id: str
    created_ms: int
    rows: int
    size_bytes: int
    files: tuple[DatasetFile, ...]
    columns: tuple[ColumnProfile, ...] = ()
    tag: str | None = None
    message: str = ""
    pipeline_run_id: str | None = None


class DatasetSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A dataset in a list."""

    name: str
    versions: int
    rows: int
    size_bytes: int
    created_ms: int
    updated_ms: int
    latest_tag: str | None = None


class DatasetUse(msgspec.Struct, frozen=True, kw_only=True):
    """That a step of a pipeline run read a dataset version."""

    pipeline_run_id: str
    step: str
    dataset_version_id: str


class DatasetStore(Protocol):
    """Dataset versions. Adding the content and tag of an existing version returns that version and writes nothing."""

    def add(self, version: NewDatasetVersion) -> DatasetVersion:
        """Record a version with the next number; a tag that names another content moves to the new version."""
        ...

    def get(self, dataset: str, ref: str) -> DatasetVersion:
        """Find by tag, number, `latest`, or at least 8 digits of id or content id. Raises NotFound."""
        ...

    def get_by_id(self, version_id: str) -> DatasetVersion:
        """Raises NotFound."""
        ...

    def datasets(self) -> list[DatasetSummary]:
        """All datasets by name."""
        ...

    def versions(self, dataset: str) -> list[DatasetVersion]:
        """Newest first. Raises NotFound for an unknown dataset."""
        ...

    def record_use(self, use: DatasetUse) -> None:
        """Remember that a step read a version; repeating it changes nothing."""
        ...

    def uses_of_version(self, version_id: str) -> list[DatasetUse]:
        """Who read a version."""
        ...

    def uses_of_run(self, pipeline_run_id: str) -> list[DatasetUse]:
        """What a run read."""
        ...
