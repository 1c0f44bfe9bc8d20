"""Routes of the registry that search, rename, delete and move: each request to a plan."""

from typing import Any

from kedge.core.mlflow_error import MlflowError, invalid_parameter
from kedge.core.models import ChangeRegistryModel, DeleteRegistryVersion, MoveStage, RegistryQuery
from kedge.core.search import Ordering
from kedge.core.services import Tracking
from kedge.tracking import model_answers, rules
from kedge.tracking.fields import BOOL, INT64, STRING, STRINGS
from kedge.tracking.pages import offset_of, token_after
from kedge.tracking.plans import Fresh, Operation, Plan, Read, Write
from kedge.tracking.registry_grammar import MODELS, VERSIONS, Registry, parse_filter, parse_order
from kedge.tracking.requests import BOOLEAN, INTEGER, LIST, REQUIRED, TEXT, TEXTS, Request, Rule

STAGES = ("None", "Staging", "Production", "Archived")
_ACTIVE = ["Staging", "Production"]
_MOST_MODELS, _MOST_VERSIONS = 1000, 200_000
_NEWEST_FIRST = (
    Ordering(kind="attribute", key="last_updated_timestamp", ascending=False),
    Ordering(kind="attribute", key="name", ascending=True),
    Ordering(kind="attribute", key="version_number", ascending=False),
)

Fields = dict[str, Any]


def _at_most(limit: int) -> Rule:
    return Rule(lambda value: int(value) <= limit, of_type=False)


def _query(registry: Registry, fields: Fields, size: int) -> RegistryQuery:
    conditions = parse_filter(registry, fields.get("filter", ""))
    orderings = parse_order(registry, fields.get("order_by", []))
    return RegistryQuery(
        conditions=conditions,
        orderings=orderings or (_NEWEST_FIRST if registry.is_version else ()),
        limit=size,
        offset=offset_of(fields.get("page_token", "")),
    )


def _models(fields: Fields, _: Fresh) -> Plan:
    query = _query(MODELS, fields, fields.get("max_results", 100))

    def answer(store: Tracking) -> bytes:
        found, more = store.registered_page(query)
        return model_answers.models(found, token_after(query.offset + query.limit) if more else None)

    return Read(answer)


def _versions(fields: Fields, _: Fresh) -> Plan:
    size = fields.get("max_results", _MOST_VERSIONS)
    if size < 1:
        raise invalid_parameter(
            f"Invalid value for max_results. It must be a positive integer, but got {size}"
        )
    query = _query(VERSIONS, fields, size)

    def answer(store: Tracking) -> bytes:
        found, more = store.version_page(query)
        return model_answers.versions(found, token_after(query.offset + query.limit) if more else None)

    return Read(answer)


def _rename(fields: Fields, _: Fresh) -> Plan:
    name, new_name = fields.get("name", ""), fields.get("new_name", "")
    rules.require_model_name(new_name, "new_name")
    rules.require_model_name(name)
    return Write(ChangeRegistryModel(name=name, new_name=new_name), model_answers.model)


def _describe(fields: Fields, _: Fresh) -> Plan:
    rules.require_model_name(fields.get("name", ""))
    change = ChangeRegistryModel(name=fields.get("name", ""), description=fields.get("description", ""))
    return Write(change, model_answers.model)


def _delete(fields: Fields, _: Fresh) -> Plan:
    rules.require_model_name(fields.get("name", ""))
    return Write(ChangeRegistryModel(name=fields.get("name", ""), delete=True))


def _delete_version(fields: Fields, _: Fresh) -> Plan:
    number = rules.version_number(fields.get("version", ""))
    rules.require_model_name(fields.get("name", ""))
    return Write(DeleteRegistryVersion(name=fields.get("name", ""), version=number))


def _stage(text: str) -> str:
    """As it is written. Raises MlflowError."""
    for stage in STAGES:
        if stage.lower() == text.lower():
            return stage
    raise invalid_parameter(f"Invalid Model Version stage: {text}. Value must be one of {', '.join(STAGES)}.")


def _move_stage(fields: Fields, _: Fresh) -> Plan:
    given, archive = fields.get("stage", ""), fields.get("archive_existing_versions", False)
    stage = _stage(given)
    if archive and stage not in _ACTIVE:
        raise MlflowError(
            "INTERNAL_ERROR",
            f"Model version transition cannot archive existing model versions because '{given}' is not an Active "
            f"stage. Valid stages are {_ACTIVE}",
        )
    rules.require_model_name(fields.get("name", ""))
    number = rules.version_number(fields.get("version", ""))
    change = MoveStage(name=fields["name"], version=number, stage=stage, archive=archive)
    return Write(change, model_answers.version)


def _latest(fields: Fields, _: Fresh) -> Plan:
    name = fields.get("name", "")
    rules.require_model_name(name)
    wanted = fields.get("stages", [])

    def answer(store: Tracking) -> bytes:
        model = store.registered(name)
        stages = {_stage(stage) for stage in wanted} or set(STAGES)
        found = [store.version(name, each.version) for each in model.latest if each.stage in stages]
        return model_answers.versions(found, None)

    return Read(answer, quick=True)


def _search(most: int) -> Request:
    return Request(
        {"filter": STRING, "max_results": INT64, "order_by": STRINGS, "page_token": STRING},
        {
            "filter": (TEXT,),
            "max_results": (INTEGER, _at_most(most)),
            "order_by": (LIST, TEXTS),
            "page_token": (TEXT,),
        },
    )


_NAME = {"name": (TEXT, REQUIRED)}
_LATEST = Operation(
    Request({"name": STRING, "stages": STRINGS}, {**_NAME, "stages": (LIST, TEXTS)}), _latest, "read"
)

OPERATIONS: dict[tuple[str, str], Operation] = {
    ("GET", "registered-models/search"): Operation(_search(_MOST_MODELS), _models, "read"),
    ("GET", "model-versions/search"): Operation(_search(_MOST_VERSIONS), _versions, "read"),
    ("POST", "registered-models/rename"): Operation(
        Request({"name": STRING, "new_name": STRING}, {**_NAME, "new_name": (TEXT, REQUIRED)}),
        _rename,
        "write",
    ),
    ("PATCH", "registered-models/update"): Operation(
        Request(
            {"name": STRING, "description": STRING, "deployment_job_id": STRING},
            {**_NAME, "description": (TEXT,)},
        ),
        _describe,
        "write",
    ),
    ("DELETE", "registered-models/delete"): Operation(Request({"name": STRING}, _NAME), _delete, "write"),
    ("DELETE", "model-versions/delete"): Operation(
        Request({"name": STRING, "version": STRING}, {**_NAME, "version": (TEXT, REQUIRED)}),
        _delete_version,
        "write",
    ),
    ("POST", "model-versions/transition-stage"): Operation(
        Request(
            {"name": STRING, "version": STRING, "stage": STRING, "archive_existing_versions": BOOL},
            {
                **_NAME,
                "version": (TEXT, REQUIRED),
                "stage": (TEXT, REQUIRED),
                "archive_existing_versions": (BOOLEAN,),
            },
        ),
        _move_stage,
        "write",
    ),
    ("GET", "registered-models/get-latest-versions"): _LATEST,
    ("POST", "registered-models/get-latest-versions"): _LATEST,
}
