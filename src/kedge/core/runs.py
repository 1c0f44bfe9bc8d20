"""The seam of experiment tracking: MLflow's records, the changes to them as values, and the store that keeps both.

A change is applied in whole or not at all, and `done` hears of it only after the commit that holds it; changes that wait
together share a commit, and one that is refused does not touch its neighbours.
"""

from collections.abc import Callable
from typing import Any, Literal, Protocol

import msgspec

from kedge.core.logged import Metric, Pair
from kedge.core.models import ModelChange
from kedge.core.search import Comparison, Ordering

Stage = Literal["active", "deleted"]
STAGES: dict[str, tuple[Stage, ...]] = {
    "ACTIVE_ONLY": ("active",),
    "DELETED_ONLY": ("deleted",),
    "ALL": ("active", "deleted"),
}


class Experiment(msgspec.Struct, frozen=True, kw_only=True):
    """An experiment."""

    experiment_id: int
    name: str
    artifact_location: str
    lifecycle_stage: str
    creation_time: int | None
    last_update_time: int | None
    tags: tuple[Pair, ...] = ()


class RunInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A run without what was logged to it."""

    run_id: str
    name: str | None
    experiment_id: int
    user_id: str | None
    status: str
    start_time: int | None
    end_time: int | None
    lifecycle_stage: str
    artifact_uri: str | None


class InputDataset(msgspec.Struct, frozen=True, kw_only=True):
    """A dataset that a run read."""

    name: str
    digest: str
    source_type: str
    source: str
    schema: str | None
    profile: str | None
    tags: tuple[Pair, ...] = ()


class ModelLink(msgspec.Struct, frozen=True, kw_only=True):
    """A logged model that a run read or made."""

    model_id: str
    step: int | None = None


class LoggedRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run with all that is shown of it; `metrics` are the latest values."""

    info: RunInfo
    metrics: tuple[Metric, ...] = ()
    params: tuple[Pair, ...] = ()
    tags: tuple[Pair, ...] = ()
    datasets: tuple[InputDataset, ...] = ()
    model_inputs: tuple[ModelLink, ...] = ()
    model_outputs: tuple[ModelLink, ...] = ()


class DatasetSummary(msgspec.Struct, frozen=True):
    """A dataset that runs of an experiment read, and as what."""

    experiment_id: int
    name: str
    digest: str
    context: str | None


class RunMetric(msgspec.Struct, frozen=True, gc=False):
    """A point of a history that spans runs."""

    run_id: str
    metric: Metric


class CreateExperiment(msgspec.Struct, frozen=True, kw_only=True):
    """Gives the new id; without a location it lies below the store's root."""

    name: str
    artifact_location: str = ""
    tags: tuple[Pair, ...] = ()


class RenameExperiment(msgspec.Struct, frozen=True, kw_only=True):
    """Only active ones can be renamed."""

    experiment_id: int
    name: str


class MoveExperiment(msgspec.Struct, frozen=True, kw_only=True):
    """Delete or restore, with all its runs."""

    experiment_id: int
    to: Stage


class TagExperiment(msgspec.Struct, frozen=True, kw_only=True):
    """Set a tag, or delete it where `value` is None."""

    experiment_id: int
    key: str
    value: str | None


class CreateRun(msgspec.Struct, frozen=True, kw_only=True):
    """Gives the LoggedRun; `refusal` is told where the experiment would take it."""

    experiment_id: int
    run_id: str
    name: str
    user_id: str
    start_time: int
    tags: tuple[Pair, ...]
    refusal: str = ""


class UpdateRun(msgspec.Struct, frozen=True, kw_only=True):
    """Gives the RunInfo; what is None stays."""

    run_id: str
    status: str | None = None
    end_time: int | None = None
    name: str | None = None


class MoveRun(msgspec.Struct, frozen=True, kw_only=True):
    """Delete or restore."""

    run_id: str
    to: Stage


class LogBatch(msgspec.Struct, frozen=True, kw_only=True):
    """Metrics, parameters and tags of a run; `single_param` has a conflict told as for one parameter."""

    run_id: str
    metrics: tuple[Metric, ...] = ()
    params: tuple[Pair, ...] = ()
    tags: tuple[Pair, ...] = ()
    single_param: bool = False


class LogInputs(msgspec.Struct, frozen=True, kw_only=True):
    """Datasets and logged models that a run read, or models that it made."""

    run_id: str
    datasets: tuple[InputDataset, ...] = ()
    models: tuple[ModelLink, ...] = ()
    made: bool = False


class RecordModel(msgspec.Struct, frozen=True, kw_only=True):
    """One more entry, as JSON holds it, in the list of models that older clients keep as a tag of the run.

    One that does not say when it was made was made now.
    """

    run_id: str
    entry: dict[str, Any]


class DeleteTag(msgspec.Struct, frozen=True, kw_only=True):
    """Of a run."""

    run_id: str
    key: str


Change = (
    CreateExperiment
    | RenameExperiment
    | MoveExperiment
    | TagExperiment
    | CreateRun
    | UpdateRun
    | MoveRun
    | LogBatch
    | DeleteTag
    | LogInputs
    | RecordModel
)
Outcome = Any
Done = Callable[[Outcome | BaseException], None]


class RunQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which runs, in which order; one more than `limit` is not fetched, `more` of the page says whether there is."""

    experiment_ids: tuple[int, ...]
    stages: tuple[Stage, ...] = ("active",)
    conditions: tuple[Comparison, ...] = ()
    orderings: tuple[Ordering, ...] = ()
    limit: int = 1000
    offset: int = 0


class ExperimentQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which experiments, in which order."""

    stages: tuple[Stage, ...] = ("active",)
    conditions: tuple[Comparison, ...] = ()
    orderings: tuple[Ordering, ...] = ()
    limit: int = 1000
    offset: int = 0


class TrackingStore(Protocol):
    """MLflow's tables. Reads see every change whose `done` was called; threads may share one store.

    What MLflow refuses is raised as MlflowError in its words; a store that cannot be reached, as StorageError.
    """

    def submit(self, change: Change | ModelChange, done: Done) -> None:
        """Apply soon; `done` is called from another thread with the outcome, or with the exception."""
        ...

    def experiment(self, experiment_id: int) -> Experiment:
        """Deleted or not. Raises MlflowError RESOURCE_DOES_NOT_EXIST."""
        ...

    def experiment_named(self, name: str) -> Experiment | None: ...

    def experiments(self, query: ExperimentQuery) -> tuple[list[Experiment], bool]:
        """The page and whether there is more."""
        ...

    def dataset_summaries(self, experiment_ids: tuple[int, ...]) -> list[DatasetSummary]:
        """Each once, at most 1000, in no order."""
        ...

    def run(self, run_id: str) -> LoggedRun:
        """Deleted or not. Raises MlflowError RESOURCE_DOES_NOT_EXIST."""
        ...

    def run_page(self, query: RunQuery) -> tuple[list[LoggedRun], bool]:
        """The page and whether there is more."""
        ...

    def history(self, run_id: str, key: str, *, limit: int | None, offset: int) -> tuple[list[Metric], bool]:
        """Points by timestamp, step, value; the page and whether there is more."""
        ...

    def histories(self, run_ids: tuple[str, ...], key: str, limit: int) -> list[RunMetric]:
        """Points by run, timestamp, step, value; the first `limit` of all."""
        ...

    def sampled(self, run_id: str, key: str, points: int, steps: tuple[int, int] | None) -> list[Metric]:
        """At most `points` of a history by step, the first of evenly sized groups and the very last."""
        ...
