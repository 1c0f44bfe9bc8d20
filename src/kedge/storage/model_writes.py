"""Changes of MLflow's models, one function each, on a connection that is inside a transaction."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any, LiteralString

from kedge.core.logged import Pair
from kedge.core.mlflow_error import MlflowError, NeedsMlflow, does_not_exist, invalid_parameter
from kedge.core.models import (
    ChangeLoggedModel,
    ChangeRegistryModel,
    CreateLoggedModel,
    CreateRegistryModel,
    CreateRegistryVersion,
    DeleteRegistryVersion,
    DescribeRegistryVersion,
    LoggedModel,
    MoveAlias,
    MoveStage,
    RegistryModel,
    RegistryVersion,
    TagRegistry,
)
from kedge.storage import model_reads
from kedge.storage.statements import statements

VERSIONS_TAG = "mlflow.modelVersions"
PROMPT_TAG = "mlflow.prompt.is_prompt"
_SQL = statements("models")
_EXPERIMENTS = statements("experiments")


def _rows(connection: Any, query: LiteralString, arguments: Any) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in connection.execute(query, arguments).fetchall()]


def _asker(connection: Any) -> model_reads.Ask:
    return partial(_rows, connection)


def _create_logged(connection: Any, change: CreateLoggedModel, now_ms: int) -> LoggedModel:
    row = connection.execute(_EXPERIMENTS["one"], (change.experiment_id,)).fetchone()
    if row is None:
        raise does_not_exist(f"No Experiment with id={change.experiment_id} exists")
    if row[3] != "active":
        raise invalid_parameter(
            f"The experiment {change.experiment_id} must be in the 'active' state. Current state is {row[3]}."
        )
    place = f"{str(row[2]).rstrip('/')}/models/{change.model_id}/artifacts"
    connection.execute(
        _SQL["insert_logged"],
        (
            change.model_id,
            change.experiment_id,
            change.name,
            place,
            now_ms,
            now_ms,
            change.model_type,
            change.source_run_id,
        ),
    )
    _logged_params(connection, change.model_id, change.experiment_id, change.params)
    _logged_tags(connection, change.model_id, change.experiment_id, change.tags)
    return model_reads.logged_model(_asker(connection), change.model_id, deleted=True)


def _logged_params(connection: Any, model_id: str, experiment_id: int, params: tuple[Pair, ...]) -> None:
    for param in params:
        connection.execute(_SQL["insert_logged_param"], (model_id, experiment_id, param.key, param.value))


def _logged_tags(connection: Any, model_id: str, experiment_id: int, tags: tuple[Pair, ...]) -> None:
    for tag in tags:
        connection.execute(_SQL["upsert_logged_tag"], (model_id, experiment_id, tag.key, tag.value))


def _change_logged(connection: Any, change: ChangeLoggedModel, now_ms: int) -> LoggedModel:
    ask = _asker(connection)
    found = model_reads.logged_model(ask, change.model_id, deleted=True)
    if change.status is not None or change.delete:
        stage = "deleted" if change.delete else None
        connection.execute(_SQL["update_logged"], (change.status, stage, now_ms, change.model_id))
    _logged_tags(connection, change.model_id, found.experiment_id, change.set_tags)
    _logged_params(connection, change.model_id, found.experiment_id, change.params)
    if change.delete_tag is not None:
        deleted = connection.execute(_SQL["delete_logged_tag"], (change.model_id, change.delete_tag))
        if not deleted.rowcount:
            raise does_not_exist(
                f"No tag with key {change.delete_tag!r} found for model with ID {change.model_id!r}."
            )
    return model_reads.logged_model(ask, change.model_id, deleted=True)


def _nobody_listens(connection: Any) -> None:
    if connection.execute(_SQL["webhooks"]).fetchone() is not None:
        raise NeedsMlflow


def _plain_model(connection: Any, name: str) -> RegistryModel:
    """The model, which is no prompt: those are kept as models, under rules of their own."""
    _nobody_listens(connection)
    model = model_reads.registered(_asker(connection), name)
    if any(tag.key == PROMPT_TAG for tag in model.tags):
        raise NeedsMlflow
    return model


def _create_model(connection: Any, change: CreateRegistryModel, now_ms: int) -> RegistryModel:
    _nobody_listens(connection)
    made = connection.execute(_SQL["insert_model"], (change.name, now_ms, now_ms, change.description))
    if not made.rowcount:
        _plain_model(connection, change.name)
        raise MlflowError("RESOURCE_ALREADY_EXISTS", f"Registered Model (name={change.name}) already exists.")
    for tag in change.tags:
        connection.execute(_SQL["upsert_model_tag"], (tag.key, tag.value, change.name))
    return model_reads.registered(_asker(connection), change.name)


def _create_version(connection: Any, change: CreateRegistryVersion, now_ms: int) -> RegistryVersion:
    ask = _asker(connection)
    try:
        logged = model_reads.logged_model(ask, change.model_id, deleted=False)
    except MlflowError as error:
        raise NeedsMlflow from error
    _plain_model(connection, change.name)
    newest = connection.execute(_SQL["newest"], (change.name,)).fetchone()
    number = int(newest[0] or 0) + 1
    connection.execute(
        _SQL["insert_version"],
        (
            change.name,
            number,
            now_ms,
            now_ms,
            change.description,
            change.source,
            change.run_id or logged.source_run_id,
            change.run_link,
            logged.artifact_location,
        ),
    )
    connection.execute(_SQL["touch_model"], (now_ms, change.name))
    for tag in change.tags:
        connection.execute(_SQL["upsert_version_tag"], (tag.key, tag.value, change.name, number))
    known: list[Any] = next((json.loads(tag.value) for tag in logged.tags if tag.key == VERSIONS_TAG), [])
    listed = [*known, {"name": change.name, "version": number}]
    _logged_tags(connection, change.model_id, logged.experiment_id, (Pair(VERSIONS_TAG, json.dumps(listed)),))
    return model_reads.version(ask, change.name, number)


def _describe_version(connection: Any, change: DescribeRegistryVersion, now_ms: int) -> RegistryVersion:
    ask = _asker(connection)
    model_reads.version(ask, change.name, change.version)
    connection.execute(_SQL["describe_version"], (change.description, now_ms, change.name, change.version))
    return model_reads.version(ask, change.name, change.version)


def _tag(connection: Any, change: TagRegistry, _: int) -> None:
    if change.version is None:
        _plain_model(connection, change.name)
        if change.value is None:
            connection.execute(_SQL["delete_model_tag"], (change.name, change.key))
        else:
            connection.execute(_SQL["upsert_model_tag"], (change.key, change.value, change.name))
        return
    model_reads.version(_asker(connection), change.name, change.version)
    _plain_model(connection, change.name)
    if change.value is None:
        connection.execute(_SQL["delete_version_tag"], (change.name, change.version, change.key))
    else:
        connection.execute(
            _SQL["upsert_version_tag"], (change.key, change.value, change.name, change.version)
        )


def _move_alias(connection: Any, change: MoveAlias, _: int) -> None:
    if change.version is None:
        _plain_model(connection, change.name)
        connection.execute(_SQL["delete_alias"], (change.name, change.alias))
        return
    model_reads.version(_asker(connection), change.name, change.version)
    _plain_model(connection, change.name)
    connection.execute(_SQL["upsert_alias"], (change.alias, change.version, change.name))


def _change_model(connection: Any, change: ChangeRegistryModel, now_ms: int) -> RegistryModel | None:
    _plain_model(connection, change.name)
    if change.delete:
        for name in ("version_tags", "versions", "model_tags", "aliases", "model"):
            connection.execute(_SQL[f"delete_{name}"], (change.name,))
        return None
    if change.new_name is None:
        connection.execute(_SQL["describe_model"], (change.description, now_ms, change.name))
        return model_reads.registered(_asker(connection), change.name)
    if change.new_name != change.name and connection.execute(_SQL["model"], (change.new_name,)).fetchone():
        raise MlflowError(
            "RESOURCE_ALREADY_EXISTS",
            f"Registered Model (name={change.new_name}) already exists. "
            "Error: UNIQUE constraint failed: registered_models.workspace, registered_models.name",
        )
    connection.execute(_SQL["rename_model"], (change.new_name, now_ms, change.name))
    connection.execute(_SQL["touch_versions"], (now_ms, change.new_name))
    return model_reads.registered(_asker(connection), change.new_name)


def _delete_version(connection: Any, change: DeleteRegistryVersion, now_ms: int) -> None:
    _nobody_listens(connection)
    model_reads.version(_asker(connection), change.name, change.version)
    connection.execute(_SQL["delete_version"], (now_ms, change.name, change.version))
    connection.execute(_SQL["delete_aliases_of"], (change.name, change.version))
    connection.execute(_SQL["touch_model"], (now_ms, change.name))


def _move_stage(connection: Any, change: MoveStage, now_ms: int) -> RegistryVersion:
    _nobody_listens(connection)
    ask = _asker(connection)
    model_reads.version(ask, change.name, change.version)
    if change.archive:
        connection.execute(_SQL["archive"], (now_ms, change.name, change.version, change.stage))
    connection.execute(_SQL["move_stage"], (change.stage, now_ms, change.name, change.version))
    connection.execute(_SQL["touch_model"], (now_ms, change.name))
    return model_reads.version(ask, change.name, change.version)


MODEL_CHANGES: dict[type, Callable[[Any, Any, int], Any]] = {
    CreateLoggedModel: _create_logged,
    ChangeLoggedModel: _change_logged,
    CreateRegistryModel: _create_model,
    CreateRegistryVersion: _create_version,
    DescribeRegistryVersion: _describe_version,
    ChangeRegistryModel: _change_model,
    DeleteRegistryVersion: _delete_version,
    MoveStage: _move_stage,
    TagRegistry: _tag,
    MoveAlias: _move_alias,
}
