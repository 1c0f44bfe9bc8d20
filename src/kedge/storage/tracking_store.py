"""`TrackingStore` on MLflow's own tables."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, LiteralString, TypeVar

from kedge.core.clock import Clock
from kedge.core.logged import Metric, Pair
from kedge.core.mlflow_error import does_not_exist
from kedge.core.models import (
    LoggedModel,
    LoggedModelQuery,
    ModelChange,
    RegistryModel,
    RegistryQuery,
    RegistryVersion,
)
from kedge.core.runs import (
    Change,
    DatasetSummary,
    Done,
    Experiment,
    ExperimentQuery,
    InputDataset,
    LoggedRun,
    ModelLink,
    RunInfo,
    RunMetric,
    RunQuery,
)
from kedge.core.search import Comparison
from kedge.storage import model_reads
from kedge.storage.database import Database
from kedge.storage.group_commit import GroupWriter, Together
from kedge.storage.logged_search import logged_query
from kedge.storage.registry_search import models_query, versions_query
from kedge.storage.run_search import count_query, countable, experiments_query, run_queries
from kedge.storage.statements import chunks, placed, statements
from kedge.storage.tracking_writes import apply, info_of, is_plain, log_points, rows_of

_RUNS = statements("runs")
_EXPERIMENTS = statements("experiments")
_OF_ONE_RUN = tuple(
    placed(_RUNS[f"{what}_among"], 1) for what in ("latest", "run_params", "run_tags", "datasets", "models")
)
_FEW = 1000
"""As many runs are looked at one by one faster than an index of an order is walked."""
_CROWD = 20_000
"""So many points of the steps that a sample meets are not read to keep a few: many share a step."""
_FIRST, _LAST = -(2**63), 2**63 - 1

Value = TypeVar("Value")


class SqlTracking:
    """MLflow's tables in a database of Kedge's."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._writer: GroupWriter[Change | ModelChange] = GroupWriter(
            database.write,
            lambda connection, change: apply(connection, change, clock.now_ms()),
            rows_of,
            Together(is_plain, log_points),
        )

    def submit(self, change: Change | ModelChange, done: Done) -> None:
        self._writer.submit(change, done)

    def close(self) -> None:
        """Apply what waits."""
        self._writer.close()

    def experiment(self, experiment_id: int) -> Experiment:
        row = self._database.row(_EXPERIMENTS["one"], (experiment_id,))
        if row is None:
            raise does_not_exist(f"No Experiment with id={experiment_id} exists")
        return self._experiments([row])[0]

    def experiment_named(self, name: str) -> Experiment | None:
        row = self._database.row(_EXPERIMENTS["named"], (name,))
        return None if row is None else self._experiments([row])[0]

    def experiments(self, query: ExperimentQuery) -> tuple[list[Experiment], bool]:
        sql, arguments = experiments_query(query)
        rows = self._database.rows(sql, arguments)
        return self._experiments(rows[: query.limit]), len(rows) > query.limit

    def dataset_summaries(self, experiment_ids: tuple[int, ...]) -> list[DatasetSummary]:
        query = placed(_RUNS["summaries_among"], len(experiment_ids)) + "\n" + _RUNS["summaries_end"]
        return [DatasetSummary(*row) for row in self._database.tuples(query, experiment_ids)]

    def run(self, run_id: str) -> LoggedRun:
        asked = (run_id,)
        found, metrics, params, tags, datasets, links = self._database.several(
            (_RUNS["run_info"], asked), *((query, asked) for query in _OF_ONE_RUN)
        )
        if not found:
            raise does_not_exist(f"Run with id={run_id} not found")
        return LoggedRun(
            info=info_of(found[0]),
            metrics=tuple([_point(*row[1:]) for row in metrics]),
            params=tuple([Pair(row[1], row[2]) for row in params]),
            tags=tuple([Pair(row[1], row[2] or "") for row in tags]),
            datasets=tuple(_datasets(datasets).get(run_id, ())) if datasets else (),
            model_inputs=_linked(links, "RUN_INPUT"),
            model_outputs=_linked(links, "RUN_OUTPUT"),
        )

    def run_page(self, query: RunQuery) -> tuple[list[LoggedRun], bool]:
        found: list[str] = []
        for sql, arguments in run_queries(query, self._rare(query)):
            found = [row[0] for row in self._database.rows(sql, arguments)]
            if len(found) > query.limit:
                break  # the first, cheaper, query filled the page
        page = found[: query.limit]
        infos = {row[0]: info_of(row) for row in self._among(_RUNS["infos_among"], page)}
        return self._logged([infos[run_id] for run_id in page if run_id in infos]), len(found) > query.limit

    def _rare(self, query: RunQuery) -> Comparison | None:
        """The condition that holds for the fewest runs, where those are few."""
        best, fewest = None, _FEW
        for condition in query.conditions:
            if countable(condition):
                counted = self._database.tuples(*count_query(condition, fewest))[0][0]
                if counted < fewest:
                    best, fewest = condition, counted
        return best

    def history(self, run_id: str, key: str, *, limit: int | None, offset: int) -> tuple[list[Metric], bool]:
        wanted = _LAST if limit is None else limit + 1
        rows = self._database.tuples(_RUNS["history"], (run_id, key, wanted, offset))
        more = limit is not None and len(rows) > limit
        return [_point(key, *row) for row in rows[:limit]], more

    def histories(self, run_ids: tuple[str, ...], key: str, limit: int) -> list[RunMetric]:
        if not run_ids:
            return []
        query = placed(_RUNS["histories"], len(run_ids)) + "\n" + _RUNS["histories_order"]
        return [
            RunMetric(row[0], _point(key, *row[1:]))
            for row in map(tuple, self._database.rows(query, (key, *run_ids, limit)))
        ]

    def sampled(self, run_id: str, key: str, points: int, steps: tuple[int, int] | None) -> list[Metric]:
        first, last = steps or (_FIRST, _LAST)
        asked = (run_id, key, first, last)
        every = [step for (step,) in self._database.tuples(_RUNS["history_steps"], asked)]
        places = group_starts(len(every), points)
        wanted = list(dict.fromkeys(every[place] for place in places))
        crowd = sum(bisect_right(every, step) - bisect_left(every, step) for step in wanted)
        if crowd > _CROWD:
            return self._at_places(key, asked, places)
        rows: dict[int, list[Any]] = defaultdict(list)
        for some in chunks(wanted):
            query = placed(_RUNS["at_steps"], len(some)) + "\n" + _RUNS["at_steps_order"]
            for row in self._database.tuples(query, (run_id, key, *some)):
                rows[row[2]].append(row)
        # A place within its step: as far from the step's first point as the place is from the first such step.
        return [
            _point(key, *rows[every[place]][place - bisect_left(every, every[place])]) for place in places
        ]

    def _at_places(self, key: str, asked: tuple[Any, ...], places: list[int]) -> list[Metric]:
        """Points by their place in the order of all, which the database counts out."""
        found: list[Metric] = []
        for some in chunks(places):
            query = placed(_RUNS["sampled"], len(some)) + "\n" + _RUNS["sampled_order"]
            found += [_point(key, *row) for row in self._database.tuples(query, (*asked, *some))]
        return found

    def logged_model(self, model_id: str, *, deleted: bool) -> LoggedModel:
        return model_reads.logged_model(self._database.tuples, model_id, deleted=deleted)

    def logged_page(self, query: LoggedModelQuery) -> tuple[list[LoggedModel], bool]:
        ask = self._database.tuples
        ids = [row[0] for row in ask(*logged_query(query))]
        return model_reads.logged_models(ask, ids[: query.limit]), len(ids) > query.limit

    def registered(self, name: str) -> RegistryModel:
        return model_reads.registered(self._database.tuples, name)

    def version(self, name: str, version: int) -> RegistryVersion:
        return model_reads.version(self._database.tuples, name, version)

    def version_by_alias(self, name: str, alias: str) -> RegistryVersion:
        return model_reads.version_by_alias(self._database.tuples, name, alias)

    def registered_page(self, query: RegistryQuery) -> tuple[list[RegistryModel], bool]:
        ask = self._database.tuples
        names = [row[0] for row in ask(*models_query(query))]
        return [model_reads.registered(ask, name) for name in names[: query.limit]], len(names) > query.limit

    def version_page(self, query: RegistryQuery) -> tuple[list[RegistryVersion], bool]:
        ask = self._database.tuples
        rows = ask(*versions_query(query))
        found = [model_reads.plain_version(ask, name, number) for name, number in rows[: query.limit]]
        return found, len(rows) > query.limit

    def location(self, name: str, version: int) -> str:
        return model_reads.location(self._database.tuples, name, version)

    def _experiments(self, rows: Sequence[Any]) -> list[Experiment]:
        tags: dict[int, list[Pair]] = defaultdict(list)
        for row in self._among(_EXPERIMENTS["tags_among"], [row[0] for row in rows]):
            tags[row[0]].append(Pair(row[1], row[2]))
        return [
            Experiment(
                experiment_id=row[0],
                name=row[1],
                artifact_location=row[2] or "",
                lifecycle_stage=row[3],
                creation_time=row[4],
                last_update_time=row[5],
                tags=tuple(tags[row[0]]),
            )
            for row in rows
        ]

    def _logged(self, infos: list[RunInfo]) -> list[LoggedRun]:
        """The runs with all that was logged to them: six queries, however many runs."""
        ids = [info.run_id for info in infos]
        metrics = self._grouped(
            _RUNS["latest_among"], ids, lambda row: _point(row[1], row[2], row[3], row[4], row[5])
        )
        params = self._grouped(_RUNS["run_params_among"], ids, lambda row: Pair(row[1], row[2]))
        tags = self._grouped(_RUNS["run_tags_among"], ids, lambda row: Pair(row[1], row[2] or ""))
        datasets = _datasets(self._among(_RUNS["datasets_among"], ids))
        links = self._grouped(_RUNS["models_among"], ids, lambda row: row)
        return [
            LoggedRun(
                info=info,
                metrics=tuple(metrics.get(info.run_id, ())),
                params=tuple(params.get(info.run_id, ())),
                tags=tuple(tags.get(info.run_id, ())),
                datasets=tuple(datasets.get(info.run_id, ())),
                model_inputs=_linked(links.get(info.run_id, ()), "RUN_INPUT"),
                model_outputs=_linked(links.get(info.run_id, ()), "RUN_OUTPUT"),
            )
            for info in infos
        ]

    def _grouped(
        self, query: LiteralString, ids: list[str], made: Callable[[Any], Value]
    ) -> dict[str, list[Value]]:
        found: dict[str, list[Value]] = {}
        for row in self._among(query, ids):
            found.setdefault(row[0], []).append(made(row))
        return found

    def _among(self, query: LiteralString, ids: Sequence[Any]) -> Iterator[Any]:
        for some in chunks(ids):
            yield from self._database.tuples(placed(query, len(some)), tuple(some))


def group_starts(count: int, groups: int) -> list[int]:
    """Where the groups begin into which NTILE divides `count` rows, and the last row instead of or after the last.

    Examples
    --------
    >>> group_starts(10, 4), group_starts(3, 4), group_starts(10, 1)
    ([0, 3, 6, 9], [0, 1, 2], [9])
    """
    groups = max(1, groups)
    if count <= groups:
        return list(range(count))
    size, larger = divmod(count, groups)
    starts = [place * size + min(place, larger) for place in range(groups)]
    starts[-1] = count - 1
    return starts


def _datasets(found: Iterable[Any]) -> dict[str, list[InputDataset]]:
    """Datasets by run, from rows of `datasets_among`."""
    rows: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for row in found:
        rows[row[0], row[1]].append(row)
    read: dict[str, list[InputDataset]] = defaultdict(list)
    for (run_id, _), same in rows.items():
        _, _, name, digest, source_type, source, schema, profile, _, _ = same[0]
        read[run_id].append(
            InputDataset(
                name=name,
                digest=digest,
                source_type=source_type,
                source=source,
                schema=schema,
                profile=profile,
                tags=tuple(Pair(row[8], row[9]) for row in same if row[8] is not None),
            )
        )
    return read


def _linked(rows: Iterable[Any], kind: str) -> tuple[ModelLink, ...]:
    return tuple(
        ModelLink(model_id=model, step=step if kind == "RUN_OUTPUT" else None)
        for _, of_kind, model, step in rows
        if of_kind == kind
    )


def _point(key: str, value: float, timestamp: int, step: int, is_nan: Any) -> Metric:
    return Metric(key, float("nan") if is_nan else value, timestamp, step)


if TYPE_CHECKING:
    from typing import cast

    from kedge.core.runs import TrackingStore

    _fits: TrackingStore = cast("SqlTracking", None)
