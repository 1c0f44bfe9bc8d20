"""Routes of runs: each request to a plan."""

import json
from typing import Any

from kedge.core.logged import Metric, Pair
from kedge.core.mlflow_error import invalid_parameter
from kedge.core.runs import (
    STAGES,
    CreateRun,
    DeleteTag,
    InputDataset,
    LogBatch,
    LogInputs,
    ModelLink,
    MoveRun,
    RecordModel,
    RunQuery,
    UpdateRun,
)
from kedge.tracking import answers, rules
from kedge.tracking.fields import DOUBLE, INT32, INT64, STRING, STRINGS, Field, messages
from kedge.tracking.grammar import RUNS, checked, parse_order, read_filter
from kedge.tracking.pages import offset_of, require_page_size, token_after
from kedge.tracking.plans import Fresh, Operation, Plan, Read, Write
from kedge.tracking.requests import INTEGER, LIST, NUMBER, REQUIRED, TEXT, TEXTS, Request, Rule
from kedge.tracking.words import shown_set

RUN_NAME = "mlflow.runName"
_VIEWS = Field("enum", options=("ACTIVE_ONLY", "DELETED_ONLY", "ALL"))
_STATUS = Field("enum", options=("RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"))
_PAIRS = messages({"key": STRING, "value": STRING})
_RUN = {"run_id": STRING, "run_uuid": STRING}
_METRIC = {
    "key": STRING,
    "value": DOUBLE,
    "timestamp": INT64,
    "step": INT64,
    "dataset_name": STRING,
    "dataset_digest": STRING,
    "model_id": STRING,
    "run_id": STRING,
}
_DATASET = {
    "tags": _PAIRS,
    "dataset": Field(
        "message",
        message={
            "name": STRING,
            "digest": STRING,
            "source_type": STRING,
            "source": STRING,
            "schema": STRING,
            "profile": STRING,
        },
    ),
}
_MOST_RUNS = 50_000

Fields = dict[str, Any]


def _at_most(limit: int) -> Rule:
    return Rule(lambda value: int(value) <= limit, of_type=False)


def _run_id(fields: Fields) -> str:
    return str(fields.get("run_id") or fields.get("run_uuid") or "")


def _pair(fields: Fields) -> Pair:
    return Pair(fields.get("key", ""), fields.get("value", ""))


def _metric(fields: Fields) -> Metric:
    return Metric(
        fields.get("key", ""),
        fields.get("value", 0.0),
        fields.get("timestamp", 0),
        fields.get("step", 0),
        fields.get("model_id") or None,
        fields.get("dataset_name") or None,
        fields.get("dataset_digest") or None,
    )


def _create(fields: Fields, fresh: Fresh) -> Plan:
    return create_run(
        fresh,
        fields.get("experiment_id", ""),
        fields.get("user_id", ""),
        fields.get("run_name", ""),
        fields.get("start_time", 0),
        [_pair(tag) for tag in fields.get("tags", ())],
    )


def create_run(  # noqa: PLR0917 - the fields of the request, in their order
    fresh: Fresh, experiment_id: str, user_id: str, given: str, start_time: int, tags: list[Pair]
) -> Plan:
    """A run with a name: the given one, or the tagged one, or one that is made up."""
    tagged = next((tag.value for tag in tags if tag.key == RUN_NAME), "")
    refusal = ""
    if given and tagged and given != tagged:
        refusal = (
            "Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values "
            f"(run_name='{given}', mlflow.runName='{tagged}')."
        )
    elif not experiment_id:
        refusal = "Missing value for required parameter 'experiment_id'."
    name = given or tagged or fresh.run_name()
    if not tagged:
        tags.append(Pair(RUN_NAME, name))
    change = CreateRun(
        experiment_id=rules.experiment_number(experiment_id or "0"),
        run_id=fresh.run_id(),
        name=name,
        user_id=user_id,
        start_time=start_time,
        tags=tuple(tags),
        refusal=refusal,
    )
    return Write(change, answers.created_run)


def _get(fields: Fields, _: Fresh) -> Plan:
    run_id = _run_id(fields)
    return Read(lambda store: answers.run(store.run(run_id)), quick=True)


def _update(fields: Fields, _: Fresh) -> Plan:
    change = UpdateRun(
        run_id=_run_id(fields),
        status=fields.get("status"),
        end_time=fields.get("end_time"),
        name=fields.get("run_name"),
    )
    return Write(change, answers.run_info)


def _delete(fields: Fields, _: Fresh) -> Plan:
    return Write(MoveRun(run_id=fields.get("run_id", ""), to="deleted"))


def _restore(fields: Fields, _: Fresh) -> Plan:
    return Write(MoveRun(run_id=fields.get("run_id", ""), to="active"))


def _search(fields: Fields, _: Fresh) -> Plan:
    size = fields.get("max_results", 1000)
    require_page_size(size, _MOST_RUNS)
    read = read_filter(RUNS, fields.get("filter", ""))
    orderings = parse_order(RUNS, fields.get("order_by", []))
    conditions = tuple(checked(RUNS, each) for each in read)
    offset = offset_of(fields.get("page_token", ""))
    query = RunQuery(
        experiment_ids=tuple(rules.experiment_number(each) for each in fields.get("experiment_ids", ())),
        stages=STAGES[fields.get("run_view_type", "ACTIVE_ONLY")],
        conditions=conditions,
        orderings=orderings,
        limit=size,
        offset=offset,
    )

    def answer(store: Any) -> bytes:
        found, more = store.run_page(query)
        return answers.runs(found, token_after(offset + size) if more else None)

    return Read(answer)


def log_metric(run_id: str, metric: Metric) -> Plan:
    """One point."""
    rules.require_whole_dataset(metric)
    rules.require_metric(metric)
    return Write(LogBatch(run_id=run_id, metrics=(metric,)))


def _log_metric(fields: Fields, _: Fresh) -> Plan:
    return log_metric(_run_id(fields), _metric(fields))


def _log_param(fields: Fields, _: Fresh) -> Plan:
    param = rules.accepted_param(_pair(fields))
    return Write(LogBatch(run_id=_run_id(fields), params=(param,), single_param=True))


def _set_tag(fields: Fields, _: Fresh) -> Plan:
    return Write(LogBatch(run_id=_run_id(fields), tags=(rules.accepted_tag(_pair(fields)),)))


def _delete_tag(fields: Fields, _: Fresh) -> Plan:
    return Write(DeleteTag(run_id=fields.get("run_id", ""), key=fields.get("key", "")))


def log_batch(run_id: str, metrics: list[Metric], params: list[Pair], tags: list[Pair]) -> Plan:
    """All or nothing."""
    for metric in metrics:
        rules.require_whole_dataset(metric)
    rules.require_run_id(run_id)
    for place, metric in enumerate(metrics):
        rules.require_metric(metric, f"metrics[{place}]")
    params = [rules.accepted_param(param, f"params[{place}]") for place, param in enumerate(params)]
    tags = [rules.accepted_tag(tag, f"tags[{place}]") for place, tag in enumerate(tags)]
    rules.require_batch(metrics, params, tags)
    return Write(LogBatch(run_id=run_id, metrics=tuple(metrics), params=tuple(params), tags=tuple(tags)))


def _log_batch(fields: Fields, _: Fresh) -> Plan:
    return log_batch(
        fields.get("run_id", ""),
        [_metric(each) for each in fields.get("metrics", ())],
        [_pair(each) for each in fields.get("params", ())],
        [_pair(each) for each in fields.get("tags", ())],
    )


def _log_inputs(fields: Fields, _: Fresh) -> Plan:
    rules.require_run_id(fields.get("run_id", ""))
    datasets = []
    for each in fields.get("datasets", ()):
        told = each.get("dataset", {})
        dataset = InputDataset(
            name=told.get("name", ""),
            digest=told.get("digest", ""),
            source_type=told.get("source_type", ""),
            source=told.get("source", ""),
            schema=told.get("schema"),
            profile=told.get("profile"),
            tags=tuple(_pair(tag) for tag in each.get("tags", ())),
        )
        rules.require_input(dataset)
        datasets.append(dataset)
    models = tuple(ModelLink(model_id=each.get("model_id", "")) for each in fields.get("models", ()))
    return Write(LogInputs(run_id=fields["run_id"], datasets=tuple(datasets), models=models))


def _log_outputs(fields: Fields, _: Fresh) -> Plan:
    models = tuple(
        ModelLink(model_id=each.get("model_id", ""), step=each.get("step", 0))
        for each in fields.get("models", ())
    )
    return Write(LogInputs(run_id=fields.get("run_id", ""), models=models, made=True))


def _log_model(fields: Fields, _: Fresh) -> Plan:
    """What clients before MLflow 3 tell of a model: kept as a tag, without what may be large."""
    text = fields.get("model_json", "")
    try:
        model = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise invalid_parameter(f"Malformed model info. \n {text} \n is not a valid JSON.") from error
    flavors = model.get("flavors") if isinstance(model, dict) else ""
    if not isinstance(flavors, dict | None):
        raise invalid_parameter("Model json must be an object whose flavors are objects by name.")
    missing = {"artifact_path", "flavors", "utc_time_created", "run_id"} - set(model)
    if missing:
        raise invalid_parameter(f"Model json is missing mandatory fields: {shown_set(frozenset(missing))}")
    entry = {name: model[name] for name in ("run_id", "artifact_path") if model[name] is not None}
    entry["utc_time_created"] = str(model["utc_time_created"] or "")
    entry["model_uuid"] = model.get("model_uuid")
    entry["flavors"] = {
        name: {k: v for k, v in flavor.items() if k != "config"} if isinstance(flavor, dict) else flavor
        for name, flavor in (flavors or {}).items()
    }
    return Write(RecordModel(run_id=fields.get("run_id", ""), entry=entry))


def _present(what: str, *names: str) -> Rule:
    """Every entry of a list has these."""

    def missing(entries: Any) -> str:
        for place, entry in enumerate(entries):
            if not isinstance(entry, dict):
                return f"Invalid value for parameter '{what}[{place}]' supplied: it must be an object."
            for name in names:
                if entry.get(name) is None or entry.get(name) == "":
                    return f"Missing value for required parameter '{what}[{place}].{name}'."
        return ""

    return Rule(lambda entries: not missing(entries), of_type=False, message=missing)


_OF_RUN = {"run_id": (REQUIRED, TEXT)}
_KEYED = {**_OF_RUN, "key": (REQUIRED, TEXT), "value": (TEXT,)}

OPERATIONS: dict[tuple[str, str], Operation] = {
    ("POST", "runs/create"): Operation(
        Request(
            {
                "experiment_id": STRING,
                "user_id": STRING,
                "run_name": STRING,
                "start_time": INT64,
                "tags": _PAIRS,
            },
            {"experiment_id": (TEXT,), "start_time": (INTEGER,), "run_name": (TEXT,)},
        ),
        _create,
        "write",
    ),
    ("GET", "runs/get"): Operation(Request(_RUN, _OF_RUN), _get, "read"),
    ("POST", "runs/update"): Operation(
        Request(
            {**_RUN, "status": _STATUS, "end_time": INT64, "run_name": STRING},
            {**_OF_RUN, "end_time": (INTEGER,), "status": (TEXT,), "run_name": (TEXT,)},
        ),
        _update,
        "write",
    ),
    ("POST", "runs/delete"): Operation(Request({"run_id": STRING}, _OF_RUN), _delete, "write"),
    ("POST", "runs/restore"): Operation(Request({"run_id": STRING}, _OF_RUN), _restore, "write"),
    ("POST", "runs/search"): Operation(
        Request(
            {
                "experiment_ids": STRINGS,
                "filter": STRING,
                "run_view_type": _VIEWS,
                "max_results": INT32,
                "order_by": STRINGS,
                "page_token": STRING,
            },
            {
                "experiment_ids": (LIST,),
                "filter": (TEXT,),
                "max_results": (INTEGER, _at_most(_MOST_RUNS)),
                "order_by": (LIST, TEXTS),
            },
        ),
        _search,
        "read",
    ),
    ("POST", "runs/log-metric"): Operation(
        Request(
            {**_RUN, **_METRIC},
            {
                **_OF_RUN,
                "key": (REQUIRED, TEXT),
                "value": (REQUIRED, NUMBER),
                "timestamp": (INTEGER, REQUIRED),
                "step": (INTEGER,),
                "model_id": (TEXT,),
                "dataset_name": (TEXT,),
                "dataset_digest": (TEXT,),
            },
        ),
        _log_metric,
        "write",
    ),
    ("POST", "runs/log-parameter"): Operation(
        Request({**_RUN, "key": STRING, "value": STRING}, _KEYED), _log_param, "write"
    ),
    ("POST", "runs/set-tag"): Operation(
        Request({**_RUN, "key": STRING, "value": STRING}, _KEYED), _set_tag, "write"
    ),
    ("POST", "runs/delete-tag"): Operation(
        Request({"run_id": STRING, "key": STRING}, {**_OF_RUN, "key": (REQUIRED, TEXT)}), _delete_tag, "write"
    ),
    ("POST", "runs/log-inputs"): Operation(
        Request(
            {"run_id": STRING, "datasets": messages(_DATASET), "models": messages({"model_id": STRING})},
            {**_OF_RUN, "datasets": (LIST,), "models": (LIST,)},
        ),
        _log_inputs,
        "write",
    ),
    ("POST", "runs/outputs"): Operation(
        Request(
            {"run_id": STRING, "models": messages({"model_id": STRING, "step": INT64})},
            {**_OF_RUN, "models": (REQUIRED, LIST)},
        ),
        _log_outputs,
        "write",
    ),
    ("POST", "runs/log-model"): Operation(
        Request(
            {"run_id": STRING, "model_json": STRING},
            {"run_id": (TEXT, REQUIRED), "model_json": (TEXT, REQUIRED)},
        ),
        _log_model,
        "write",
    ),
    ("POST", "runs/log-batch"): Operation(
        Request(
            {"run_id": STRING, "metrics": messages(_METRIC), "params": _PAIRS, "tags": _PAIRS},
            {
                "run_id": (TEXT, REQUIRED),
                "metrics": (LIST, _present("metrics", "key", "value", "timestamp")),
                "params": (LIST, _present("params", "key")),
                "tags": (LIST, _present("tags", "key")),
            },
        ),
        _log_batch,
        "write",
    ),
}
