"""Logged and registered models, read from MLflow's tables: the same for who asks and for who has just written."""

from collections import defaultdict
from typing import Any, LiteralString, Protocol

from kedge.core.logged import Metric, Pair
from kedge.core.mlflow_error import MlflowError, does_not_exist
from kedge.core.models import LoggedModel, RegistryModel, RegistryVersion
from kedge.storage.statements import chunks, placed, statements

_SQL = statements("models")


class Ask(Protocol):
    """Rows of a query: of a reading connection, or of the one that writes."""

    def __call__(self, query: LiteralString, arguments: Any) -> list[tuple[Any, ...]]: ...


def _pairs(rows: list[tuple[Any, ...]]) -> tuple[Pair, ...]:
    return tuple(Pair(row[0], row[1] or "") for row in rows)


def logged_model(ask: Ask, model_id: str, *, deleted: bool) -> LoggedModel:
    """Raises MlflowError where it is not there."""
    rows = ask(placed(_SQL["logged_among"], 1), (model_id,))
    if not rows or (rows[0][10] == "deleted" and not deleted):
        raise does_not_exist(f"Logged model with ID '{model_id}' not found.")
    return _logged(ask, rows)[0]


def logged_models(ask: Ask, model_ids: list[str]) -> list[LoggedModel]:
    """Those that are there, in the order of the ids."""
    found: dict[str, LoggedModel] = {}
    for some in chunks(model_ids):
        for model in _logged(ask, ask(placed(_SQL["logged_among"], len(some)), some)):
            found[model.model_id] = model
    return [found[model_id] for model_id in model_ids if model_id in found]


def _logged(ask: Ask, rows: list[tuple[Any, ...]]) -> list[LoggedModel]:
    """What the rows of `logged_among` tell, with what belongs to each: three queries, however many."""
    ids = [row[0] for row in rows]
    tags, params, metrics = (
        _by_model(ask(placed(_SQL[name], len(ids)), ids))
        for name in ("logged_tags_among", "logged_params_among", "logged_metrics_among")
    )
    return [
        LoggedModel(
            model_id=row[0],
            experiment_id=row[1],
            name=row[2],
            artifact_location=row[3],
            created_ms=row[4],
            updated_ms=row[5],
            status=row[6],
            model_type=row[7],
            source_run_id=row[8],
            status_message=row[9],
            tags=_pairs(tags[row[0]]),
            params=_pairs(params[row[0]]),
            metrics=tuple(
                (Metric(key, value, at_ms, step, row[0], dataset, digest), run_id)
                for key, value, at_ms, step, dataset, digest, run_id in metrics[row[0]]
            ),
        )
        for row in rows
    ]


def _by_model(rows: list[tuple[Any, ...]]) -> dict[str, list[tuple[Any, ...]]]:
    found: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for model_id, *rest in rows:
        found[model_id].append(tuple(rest))
    return found


def registered(ask: Ask, name: str) -> RegistryModel:
    """Raises MlflowError where it is not there."""
    rows = ask(_SQL["model"], (name,))
    if not rows:
        raise does_not_exist(f"Registered Model with name={name} not found")
    _, created_ms, updated_ms, description = rows[0]
    return RegistryModel(
        name=name,
        created_ms=created_ms,
        updated_ms=updated_ms,
        description=description,
        latest=tuple(_version(ask, row, aliases=()) for row in ask(_SQL["latest"], (name,))),
        tags=_pairs(ask(_SQL["model_tags"], (name,))),
        aliases=tuple((row[0], row[1]) for row in ask(_SQL["aliases"], (name,))),
    )


def version(ask: Ask, name: str, number: int) -> RegistryVersion:
    """Raises MlflowError where it is not there."""
    rows = ask(_SQL["version"], (name, number))
    if not rows:
        raise does_not_exist(f"Model Version (name={name}, version={number}) not found")
    aliases = tuple(alias for alias, of in ask(_SQL["aliases"], (name,)) if of == number)
    return _version(ask, rows[0], aliases=aliases)


def plain_version(ask: Ask, name: str, number: int) -> RegistryVersion:
    """One version as lists tell of it: without its aliases."""
    return _version(ask, ask(_SQL["version"], (name, number))[0], aliases=())


def version_by_alias(ask: Ask, name: str, alias: str) -> RegistryVersion:
    """Raises MlflowError where it is not there."""
    model = registered(ask, name)
    if alias.lower() == "latest":
        if not model.latest:
            raise does_not_exist(f"Latest version not found for model {name}.")
        return version(ask, name, max(each.version for each in model.latest))
    found = ask(_SQL["alias"], (name, alias))
    if not found:
        raise MlflowError("INVALID_PARAMETER_VALUE", f"Registered model alias {alias} not found.")
    return version(ask, name, found[0][0])


def location(ask: Ask, name: str, number: int) -> str:
    """Raises MlflowError where it is not there."""
    rows = ask(_SQL["location"], (name, number))
    if not rows:
        raise does_not_exist(f"Model Version (name={name}, version={number}) not found")
    return str(rows[0][0] or "")


def _version(ask: Ask, row: tuple[Any, ...], *, aliases: tuple[str, ...]) -> RegistryVersion:
    return RegistryVersion(
        name=row[0],
        version=row[1],
        created_ms=row[2] or 0,
        updated_ms=row[3],
        description=row[4],
        user_id=row[5],
        stage=row[6],
        source=row[7],
        run_id=row[8],
        run_link=row[9],
        status=row[10],
        status_message=row[11],
        tags=_pairs(ask(_SQL["version_tags"], (row[0], row[1]))),
        aliases=aliases,
    )
