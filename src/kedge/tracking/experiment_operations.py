"""Routes of experiments: each request to a plan."""

from typing import Any

import msgspec

from kedge.core.logged import Pair
from kedge.core.mlflow_error import NeedsMlflow, does_not_exist, invalid_parameter
from kedge.core.runs import (
    STAGES,
    CreateExperiment,
    ExperimentQuery,
    MoveExperiment,
    RenameExperiment,
    TagExperiment,
)
from kedge.core.search import Comparison, Ordering
from kedge.tracking import answers, rules
from kedge.tracking.fields import INT64, STRING, STRINGS, Field, messages
from kedge.tracking.grammar import EXPERIMENTS, parse_filter, parse_order
from kedge.tracking.pages import offset_of, require_page_size, token_after
from kedge.tracking.plans import Fresh, Operation, Plan, Read, Write
from kedge.tracking.requests import INTEGER, LIST, REQUIRED, TEXT, Request

_MOST = 50_000
_MOST_OF_DATASETS = 20
_VIEWS = Field("enum", options=("ACTIVE_ONLY", "DELETED_ONLY", "ALL"))
_BY_DEFAULT = (
    Ordering(kind="attribute", key="creation_time", ascending=False),
    Ordering(kind="attribute", key="experiment_id", ascending=True),
)
# Their values are rules of the archive of traces, which MLflow's own server keeps.
_TRACE_TAGS = "mlflow.trace.archiv"
_VIEW_TAGS = "mlflow.customView"

Fields = dict[str, Any]


def _create(fields: Fields, _: Fresh) -> Plan:
    tags = tuple(Pair(tag.get("key", ""), tag.get("value", "")) for tag in fields.get("tags", ()))
    if fields.get("artifact_location") or any(_is_special(tag.key) for tag in tags):
        raise NeedsMlflow
    rules.require_experiment_name(fields.get("name", ""))
    for tag in tags:
        rules.require_experiment_tag(tag)
    return Write(CreateExperiment(name=fields.get("name", ""), tags=tags), answers.experiment_id)


def _is_special(key: str) -> bool:
    return key.startswith((_TRACE_TAGS, _VIEW_TAGS))


def _get(fields: Fields, _: Fresh) -> Plan:
    number = rules.experiment_number(fields.get("experiment_id") or "0")
    return Read(lambda store: answers.experiment(store.experiment(number)), quick=True)


def _get_by_name(fields: Fields, _: Fresh) -> Plan:
    name = fields.get("experiment_name", "")

    def answer(store: Any) -> bytes:
        found = store.experiment_named(name)
        if found is None:
            raise does_not_exist(f"Could not find experiment with name '{name}'")
        return answers.experiment(found)

    return Read(answer, quick=True)


def _update(fields: Fields, _: Fresh) -> Plan:
    number = rules.experiment_number(fields.get("experiment_id") or "0")
    rules.require_experiment_name(fields.get("new_name", ""))
    return Write(RenameExperiment(experiment_id=number, name=fields["new_name"]))


def _delete(fields: Fields, _: Fresh) -> Plan:
    number = rules.experiment_number(fields.get("experiment_id") or "0")
    return Write(MoveExperiment(experiment_id=number, to="deleted"))


def _restore(fields: Fields, _: Fresh) -> Plan:
    number = rules.experiment_number(fields.get("experiment_id") or "0")
    return Write(MoveExperiment(experiment_id=number, to="active"))


def _set_tag(fields: Fields, _: Fresh) -> Plan:
    tag = Pair(fields.get("key", ""), fields.get("value", ""))
    if _is_special(tag.key):
        raise NeedsMlflow
    rules.require_experiment_tag(tag)
    number = rules.experiment_number(fields.get("experiment_id") or "0")
    return Write(TagExperiment(experiment_id=number, key=tag.key, value=tag.value))


def _delete_tag(fields: Fields, _: Fresh) -> Plan:
    number = rules.experiment_number(fields.get("experiment_id") or "0")
    return Write(TagExperiment(experiment_id=number, key=fields.get("key", ""), value=None))


def _search(fields: Fields, _: Fresh) -> Plan:
    size = fields.get("max_results", 0)
    require_page_size(size, _MOST)
    conditions = tuple(_numbered(each) for each in parse_filter(EXPERIMENTS, fields.get("filter", "")))
    orderings = parse_order(EXPERIMENTS, fields.get("order_by", [])) or _BY_DEFAULT
    if not any(ordering.key == "experiment_id" for ordering in orderings):
        orderings = (*orderings, Ordering(kind="attribute", key="experiment_id", ascending=False))
    offset = offset_of(fields.get("page_token", ""))
    query = ExperimentQuery(
        stages=STAGES[fields.get("view_type", "ACTIVE_ONLY")],
        conditions=conditions,
        orderings=orderings,
        limit=size,
        offset=offset,
    )

    def answer(store: Any) -> bytes:
        found, more = store.experiments(query)
        return answers.experiments(found, token_after(offset + size) if more else None)

    return Read(answer)


def _search_datasets(fields: Fields, _: Fresh) -> Plan:
    listed = fields.get("experiment_ids", [])
    if not listed:
        raise invalid_parameter("SearchDatasets request must specify at least one experiment_id.")
    if len(listed) > _MOST_OF_DATASETS:
        raise invalid_parameter(
            f"SearchDatasets request cannot specify more than {_MOST_OF_DATASETS} experiment_ids. "
            f"Received {len(listed)} experiment_ids."
        )
    numbers = tuple(rules.experiment_number(each) for each in listed)
    return Read(lambda store: answers.dataset_summaries(store.dataset_summaries(numbers)))


def _numbered(condition: Comparison) -> Comparison:
    """Ids are written as texts and stored as numbers."""
    if condition.kind != "attribute" or condition.key != "experiment_id":
        return condition
    listed = condition.value if isinstance(condition.value, tuple) else (condition.value,)
    numbers = tuple(rules.experiment_number(str(each)) for each in listed)
    value: Any = numbers if isinstance(condition.value, tuple) else numbers[0]
    return msgspec.structs.replace(condition, value=value)


_OF_ONE = {"experiment_id": (REQUIRED, TEXT)}
_SEARCH = Operation(
    Request(
        {
            "max_results": INT64,
            "page_token": STRING,
            "filter": STRING,
            "order_by": STRINGS,
            "view_type": _VIEWS,
        },
        {
            "view_type": (INTEGER,),
            "max_results": (INTEGER,),
            "order_by": (LIST,),
            "filter": (TEXT,),
            "page_token": (TEXT,),
        },
    ),
    _search,
    "read",
)

OPERATIONS: dict[tuple[str, str], Operation] = {
    ("POST", "experiments/create"): Operation(
        Request(
            {
                "name": STRING,
                "artifact_location": STRING,
                "tags": messages({"key": STRING, "value": STRING}),
            },
            {"name": (REQUIRED, TEXT), "artifact_location": (TEXT,), "tags": (LIST,)},
        ),
        _create,
        "write",
    ),
    ("GET", "experiments/get"): Operation(Request({"experiment_id": STRING}, _OF_ONE), _get, "read"),
    ("GET", "experiments/get-by-name"): Operation(
        Request({"experiment_name": STRING}, {"experiment_name": (REQUIRED, TEXT)}), _get_by_name, "read"
    ),
    ("POST", "experiments/update"): Operation(
        Request({"experiment_id": STRING, "new_name": STRING}, {**_OF_ONE, "new_name": (TEXT, REQUIRED)}),
        _update,
        "write",
    ),
    ("POST", "experiments/delete"): Operation(Request({"experiment_id": STRING}, _OF_ONE), _delete, "write"),
    ("POST", "experiments/restore"): Operation(
        Request({"experiment_id": STRING}, _OF_ONE), _restore, "write"
    ),
    ("POST", "experiments/set-experiment-tag"): Operation(
        Request(
            {"experiment_id": STRING, "key": STRING, "value": STRING},
            {**_OF_ONE, "key": (REQUIRED, TEXT), "value": (TEXT,)},
        ),
        _set_tag,
        "write",
    ),
    ("POST", "experiments/delete-experiment-tag"): Operation(
        Request({"experiment_id": STRING, "key": STRING}, {**_OF_ONE, "key": (REQUIRED, TEXT)}),
        _delete_tag,
        "write",
    ),
    ("POST", "experiments/search-datasets"): Operation(
        Request({"experiment_ids": STRINGS}, {}), _search_datasets, "read"
    ),
    ("POST", "experiments/search"): _SEARCH,
    ("GET", "experiments/search"): _SEARCH,
}
