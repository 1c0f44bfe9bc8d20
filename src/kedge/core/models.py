"""The seam of models: logged models of runs, registered models and their versions, as MLflow keeps them."""

from typing import Protocol

import msgspec

from kedge.core.logged import Metric, Pair
from kedge.core.search import Comparison, Ordering


class LoggedModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model that a run logged; `status` is MLflow's number: 1 pending, 2 ready, 3 failed."""

    model_id: str
    experiment_id: int
    name: str
    artifact_location: str
    created_ms: int
    updated_ms: int
    status: int
    model_type: str | None
    source_run_id: str | None
    status_message: str | None
    tags: tuple[Pair, ...] = ()
    params: tuple[Pair, ...] = ()
    metrics: tuple[tuple[Metric, str], ...] = ()


class RegistryVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a registered model."""

    name: str
    version: int
    created_ms: int
    updated_ms: int | None
    description: str | None
    user_id: str | None
    stage: str | None
    source: str | None
    run_id: str | None
    run_link: str | None
    status: str | None
    status_message: str | None
    tags: tuple[Pair, ...] = ()
    aliases: tuple[str, ...] = ()


class RegistryModel(msgspec.Struct, frozen=True, kw_only=True):
    """A registered model with the newest version of each stage."""

    name: str
    created_ms: int | None
    updated_ms: int | None
    description: str | None
    latest: tuple[RegistryVersion, ...] = ()
    tags: tuple[Pair, ...] = ()
    aliases: tuple[tuple[str, int], ...] = ()


class CreateLoggedModel(msgspec.Struct, frozen=True, kw_only=True):
    """Gives the LoggedModel."""

    experiment_id: int
    model_id: str
    name: str
    model_type: str
    source_run_id: str
    params: tuple[Pair, ...] = ()
    tags: tuple[Pair, ...] = ()


class ChangeLoggedModel(msgspec.Struct, frozen=True, kw_only=True):
    """Gives the LoggedModel: a new status, deletion, tags set or one deleted, parameters added."""

    model_id: str
    status: int | None = None
    delete: bool = False
    set_tags: tuple[Pair, ...] = ()
    delete_tag: str | None = None
    params: tuple[Pair, ...] = ()


class CreateRegistryModel(msgspec.Struct, frozen=True, kw_only=True):
    """Gives the RegistryModel."""

    name: str
    description: str
    tags: tuple[Pair, ...] = ()


class CreateRegistryVersion(msgspec.Struct, frozen=True, kw_only=True):
    """Of a logged model. Gives the RegistryVersion; the logged model is tagged with it."""

    name: str
    model_id: str
    source: str
    run_id: str
    run_link: str
    description: str
    tags: tuple[Pair, ...] = ()


class DescribeRegistryVersion(msgspec.Struct, frozen=True, kw_only=True):
    """Gives the RegistryVersion."""

    name: str
    version: int
    description: str | None


class ChangeRegistryModel(msgspec.Struct, frozen=True, kw_only=True):
    """Another name or description, or none of it any more. Gives the RegistryModel, or None where it is deleted."""

    name: str
    new_name: str | None = None
    description: str | None = None
    delete: bool = False


class DeleteRegistryVersion(msgspec.Struct, frozen=True, kw_only=True):
    """Its number is never given again; its aliases go with it."""

    name: str
    version: int


class MoveStage(msgspec.Struct, frozen=True, kw_only=True):
    """Into a stage; `archive` has those that are in it leave it. Gives the RegistryVersion."""

    name: str
    version: int
    stage: str
    archive: bool


class TagRegistry(msgspec.Struct, frozen=True, kw_only=True):
    """Set a tag of a model, or of a version of it; or delete it where `value` is None."""

    name: str
    version: int | None
    key: str
    value: str | None


class MoveAlias(msgspec.Struct, frozen=True, kw_only=True):
    """Let an alias name a version, or nothing where that is None."""

    name: str
    alias: str
    version: int | None


ModelChange = (
    CreateLoggedModel
    | ChangeLoggedModel
    | CreateRegistryModel
    | CreateRegistryVersion
    | DescribeRegistryVersion
    | ChangeRegistryModel
    | DeleteRegistryVersion
    | MoveStage
    | TagRegistry
    | MoveAlias
)


class RegistryQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which registered models, or versions, in which order."""

    conditions: tuple[Comparison, ...] = ()
    orderings: tuple[Ordering, ...] = ()
    limit: int
    offset: int = 0


class DatasetFilter(msgspec.Struct, frozen=True):
    """Metrics on this dataset; without a digest, on one that was logged without."""

    name: str
    digest: str | None


class LoggedOrdering(msgspec.Struct, frozen=True, kw_only=True):
    """By a column of logged models, or by a metric's latest value, of all or of one dataset."""

    kind: str
    key: str
    ascending: bool
    dataset_name: str = ""
    dataset_digest: str = ""


class LoggedModelQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which logged models that are not deleted, in which order; `datasets` are those that metrics may be on."""

    experiment_ids: tuple[int, ...]
    conditions: tuple[Comparison, ...] = ()
    orderings: tuple[LoggedOrdering, ...] = ()
    datasets: tuple[DatasetFilter, ...] = ()
    limit: int
    offset: int = 0


class ModelReader(Protocol):
    """Reads MLflow's models; what is not there is MlflowError RESOURCE_DOES_NOT_EXIST in its words. Threads may share it."""

    def logged_model(self, model_id: str, *, deleted: bool) -> LoggedModel:
        """Deleted ones only where asked for."""
        ...

    def logged_page(self, query: LoggedModelQuery) -> tuple[list[LoggedModel], bool]:
        """The page and whether there is more."""
        ...

    def registered(self, name: str) -> RegistryModel: ...
    def version(self, name: str, version: int) -> RegistryVersion: ...
    def version_by_alias(self, name: str, alias: str) -> RegistryVersion:
        """`latest` is the newest version, whatever its stage."""
        ...

    def registered_page(self, query: RegistryQuery) -> tuple[list[RegistryModel], bool]:
        """The page, without prompts, and whether there is more."""
        ...

    def version_page(self, query: RegistryQuery) -> tuple[list[RegistryVersion], bool]:
        """The page, without prompts and without aliases, and whether there is more."""
        ...

    def location(self, name: str, version: int) -> str:
        """Where the artifacts of a version lie."""
        ...
