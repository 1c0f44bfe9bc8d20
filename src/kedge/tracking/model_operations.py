"""Routes of logged models, of registered models and their versions: each request to a plan.

Prompts, which MLflow keeps among the models, and versions of sources other than a logged model go to MLflow's own server.
"""

from typing import Any

from kedge.core.logged import Pair
from kedge.core.mlflow_error import NeedsMlflow
from kedge.core.models import (
    ChangeLoggedModel,
    CreateLoggedModel,
    CreateRegistryModel,
    CreateRegistryVersion,
    DescribeRegistryVersion,
    MoveAlias,
    TagRegistry,
)
from kedge.tracking import model_answers, rules
from kedge.tracking.fields import STRING, Field, messages
from kedge.tracking.plans import Fresh, Operation, Plan, Read, Write
from kedge.tracking.registry_grammar import PROMPT_TAG
from kedge.tracking.requests import INTEGER, LIST, REQUIRED, TEXT, Request

_PAIRS = messages({"key": STRING, "value": STRING})
_STATUS = Field("enum", options=model_answers.STATUSES, first=0)

Fields = dict[str, Any]


def _pairs(listed: Any) -> tuple[Pair, ...]:
    return tuple(Pair(each.get("key", ""), each.get("value", "")) for each in listed)


def _unique(pairs: tuple[Pair, ...]) -> tuple[Pair, ...]:
    """Of several with one key, the last."""
    return tuple({pair.key: pair for pair in pairs}.values())


def _create_logged(fields: Fields, fresh: Fresh) -> Plan:
    name = fields.get("name", "")
    rules.require_logged_model_name(name)
    change = CreateLoggedModel(
        experiment_id=rules.experiment_number(fields.get("experiment_id") or "0"),
        model_id=f"m-{fresh.run_id()}",
        name=name or fresh.run_name(),
        model_type=fields.get("model_type", ""),
        source_run_id=fields.get("source_run_id", ""),
        params=_pairs(fields.get("params", ())),
        tags=_pairs(fields.get("tags", ())),
    )
    return Write(change, model_answers.logged_model)


def _get_logged(fields: Fields, _: Fresh) -> Plan:
    model_id, deleted = fields["model_id"], fields.get("allow_deleted", "").lower() == "true"
    return Read(
        lambda store: model_answers.logged_model(store.logged_model(model_id, deleted=deleted)), quick=True
    )


def _finalize(fields: Fields, _: Fresh) -> Plan:
    status = model_answers.STATUSES.index(fields.get("status", model_answers.STATUSES[0]))
    return Write(ChangeLoggedModel(model_id=fields["model_id"], status=status), model_answers.logged_model)


def _delete_logged(fields: Fields, _: Fresh) -> Plan:
    return Write(ChangeLoggedModel(model_id=fields["model_id"], delete=True))


def _tag_logged(fields: Fields, _: Fresh) -> Plan:
    return Write(ChangeLoggedModel(model_id=fields["model_id"], set_tags=_pairs(fields.get("tags", ()))))


def _untag_logged(fields: Fields, _: Fresh) -> Plan:
    return Write(ChangeLoggedModel(model_id=fields["model_id"], delete_tag=fields["tag_key"]))


def _params_logged(fields: Fields, _: Fresh) -> Plan:
    return Write(ChangeLoggedModel(model_id=fields["model_id"], params=_pairs(fields.get("params", ()))))


def _create_model(fields: Fields, _: Fresh) -> Plan:
    tags = _unique(_pairs(fields.get("tags", ())))
    if any(tag.key.startswith("mlflow.prompt") for tag in tags):
        raise NeedsMlflow
    rules.require_model_name(fields.get("name", ""))
    for tag in tags:
        rules.require_registry_tag(tag)
    change = CreateRegistryModel(
        name=fields.get("name", ""), description=fields.get("description", ""), tags=tags
    )
    return Write(change, model_answers.model)


def _get_model(fields: Fields, _: Fresh) -> Plan:
    name = fields.get("name", "")
    rules.require_model_name(name)
    return Read(lambda store: model_answers.model(store.registered(name)), quick=True)


def _create_version(fields: Fields, _: Fresh) -> Plan:
    tags = _unique(_pairs(fields.get("tags", ())))
    model_id, source = fields.get("model_id", ""), fields.get("source", "")
    if (
        not model_id
        or source != f"models:/{model_id}"
        or any(t.key.startswith("mlflow.prompt") for t in tags)
    ):
        raise NeedsMlflow
    rules.require_model_name(fields.get("name", ""))
    for tag in tags:
        rules.require_registry_tag(tag)
    change = CreateRegistryVersion(
        name=fields.get("name", ""),
        model_id=model_id,
        source=source,
        run_id=fields.get("run_id", ""),
        run_link=fields.get("run_link", ""),
        description=fields.get("description", ""),
        tags=tags,
    )
    return Write(change, model_answers.version)


def _of_version(fields: Fields) -> tuple[str, int]:
    rules.require_model_name(fields.get("name", ""))
    return fields.get("name", ""), rules.version_number(fields.get("version", ""))


def _get_version(fields: Fields, _: Fresh) -> Plan:
    name, number = _of_version(fields)
    return Read(lambda store: model_answers.version(store.version(name, number)), quick=True)


def _get_location(fields: Fields, _: Fresh) -> Plan:
    name, number = _of_version(fields)
    return Read(lambda store: model_answers.location(store.location(name, number)), quick=True)


def _describe_version(fields: Fields, _: Fresh) -> Plan:
    name, number = _of_version(fields)
    change = DescribeRegistryVersion(name=name, version=number, description=fields.get("description"))
    return Write(change, model_answers.version)


def _tag_model(fields: Fields, _: Fresh) -> Plan:
    rules.require_model_name(fields.get("name", ""))
    tag = Pair(fields.get("key", ""), fields.get("value", ""))
    rules.require_registry_tag(tag)
    if tag.key == PROMPT_TAG:
        raise NeedsMlflow
    return Write(TagRegistry(name=fields["name"], version=None, key=tag.key, value=tag.value))


def _untag_model(fields: Fields, _: Fresh) -> Plan:
    rules.require_model_name(fields.get("name", ""))
    rules.require_name(fields.get("key", ""), "key")
    return Write(TagRegistry(name=fields["name"], version=None, key=fields.get("key", ""), value=None))


def _tag_version(fields: Fields, _: Fresh) -> Plan:
    name, number = _of_version(fields)
    tag = Pair(fields.get("key", ""), fields.get("value", ""))
    rules.require_registry_tag(tag)
    return Write(TagRegistry(name=name, version=number, key=tag.key, value=tag.value))


def _untag_version(fields: Fields, _: Fresh) -> Plan:
    name, number = _of_version(fields)
    rules.require_name(fields.get("key", ""), "key")
    return Write(TagRegistry(name=name, version=number, key=fields.get("key", ""), value=None))


def _set_alias(fields: Fields, _: Fresh) -> Plan:
    rules.require_model_name(fields.get("name", ""))
    rules.require_free_alias(fields.get("alias", ""))
    number = rules.version_number(fields.get("version", ""))
    return Write(MoveAlias(name=fields["name"], alias=fields["alias"], version=number))


def _delete_alias(fields: Fields, _: Fresh) -> Plan:
    rules.require_model_name(fields.get("name", ""))
    rules.require_alias(fields.get("alias", ""))
    return Write(MoveAlias(name=fields["name"], alias=fields["alias"], version=None))


def _by_alias(fields: Fields, _: Fresh) -> Plan:
    name, alias = fields.get("name", ""), fields.get("alias", "")
    rules.require_model_name(name)
    rules.require_alias(alias)
    return Read(lambda store: model_answers.version(store.version_by_alias(name, alias)), quick=True)


_NAME = {"name": (TEXT, REQUIRED)}
_VERSION = {**_NAME, "version": (TEXT, REQUIRED)}
_KEY = {"key": (TEXT, REQUIRED)}
_OF_VERSION = {"name": STRING, "version": STRING}
_ALIAS = {"name": STRING, "alias": STRING}
_ANYTHING = Request({}, {})

OPERATIONS: dict[tuple[str, str], Operation] = {
    ("POST", "logged-models"): Operation(
        Request(
            {
                "experiment_id": STRING,
                "name": STRING,
                "model_type": STRING,
                "source_run_id": STRING,
                "params": _PAIRS,
                "tags": _PAIRS,
            },
            {
                "experiment_id": (TEXT, REQUIRED),
                "name": (TEXT,),
                "model_type": (TEXT,),
                "source_run_id": (TEXT,),
                "params": (LIST,),
                "tags": (LIST,),
            },
        ),
        _create_logged,
        "write",
    ),
    ("GET", "logged-models/{model_id}"): Operation(
        Request({"allow_deleted": STRING}, {}), _get_logged, "read"
    ),
    ("PATCH", "logged-models/{model_id}"): Operation(
        Request(
            {"model_id": STRING, "status": _STATUS},
            {"model_id": (TEXT, REQUIRED), "status": (INTEGER, REQUIRED)},
        ),
        _finalize,
        "write",
    ),
    ("DELETE", "logged-models/{model_id}"): Operation(_ANYTHING, _delete_logged, "write"),
    ("PATCH", "logged-models/{model_id}/tags"): Operation(
        Request({"tags": _PAIRS}, {"tags": (LIST,)}), _tag_logged, "write"
    ),
    ("DELETE", "logged-models/{model_id}/tags/{tag_key}"): Operation(_ANYTHING, _untag_logged, "write"),
    ("POST", "logged-models/{model_id}/params"): Operation(
        Request({"model_id": STRING, "params": _PAIRS}, {"model_id": (TEXT, REQUIRED), "params": (LIST,)}),
        _params_logged,
        "write",
    ),
    ("POST", "registered-models/create"): Operation(
        Request(
            {"name": STRING, "tags": _PAIRS, "description": STRING, "deployment_job_id": STRING},
            {**_NAME, "tags": (LIST,), "description": (TEXT,)},
        ),
        _create_model,
        "write",
    ),
    ("GET", "registered-models/get"): Operation(Request({"name": STRING}, _NAME), _get_model, "read"),
    ("POST", "registered-models/set-tag"): Operation(
        Request({"name": STRING, "key": STRING, "value": STRING}, {**_NAME, **_KEY, "value": (TEXT,)}),
        _tag_model,
        "write",
    ),
    ("DELETE", "registered-models/delete-tag"): Operation(
        Request({"name": STRING, "key": STRING}, {**_NAME, **_KEY}), _untag_model, "write"
    ),
    ("POST", "registered-models/alias"): Operation(
        Request(
            {**_ALIAS, "version": STRING}, {**_NAME, "alias": (TEXT, REQUIRED), "version": (TEXT, REQUIRED)}
        ),
        _set_alias,
        "write",
    ),
    ("DELETE", "registered-models/alias"): Operation(
        Request(_ALIAS, {**_NAME, "alias": (TEXT, REQUIRED)}), _delete_alias, "write"
    ),
    ("GET", "registered-models/alias"): Operation(
        Request(_ALIAS, {**_NAME, "alias": (TEXT, REQUIRED)}), _by_alias, "read"
    ),
    ("POST", "model-versions/create"): Operation(
        Request(
            {
                "name": STRING,
                "source": STRING,
                "run_id": STRING,
                "tags": _PAIRS,
                "run_link": STRING,
                "description": STRING,
                "model_id": STRING,
            },
            {
                **_NAME,
                "source": (TEXT, REQUIRED),
                "run_id": (TEXT,),
                "tags": (LIST,),
                "run_link": (TEXT,),
                "description": (TEXT,),
                "model_id": (TEXT,),
            },
        ),
        _create_version,
        "write",
    ),
    ("GET", "model-versions/get"): Operation(Request(_OF_VERSION, _VERSION), _get_version, "read"),
    ("GET", "model-versions/get-download-uri"): Operation(Request(_OF_VERSION, {}), _get_location, "read"),
    ("PATCH", "model-versions/update"): Operation(
        Request({**_OF_VERSION, "description": STRING}, {**_VERSION, "description": (TEXT,)}),
        _describe_version,
        "write",
    ),
    ("POST", "model-versions/set-tag"): Operation(
        Request({**_OF_VERSION, "key": STRING, "value": STRING}, {**_VERSION, **_KEY, "value": (TEXT,)}),
        _tag_version,
        "write",
    ),
    ("DELETE", "model-versions/delete-tag"): Operation(
        Request({**_OF_VERSION, "key": STRING}, {**_VERSION, **_KEY}), _untag_version, "write"
    ),
}
