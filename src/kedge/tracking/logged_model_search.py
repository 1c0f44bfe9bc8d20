"""The search of logged models: its request to a plan. Its page tokens hold what was asked, and stand for nothing else."""

import base64
import binascii
import json
from typing import Any

from kedge.core.mlflow_error import invalid_parameter
from kedge.core.models import DatasetFilter, LoggedModelQuery
from kedge.core.services import Tracking
from kedge.tracking import model_answers, rules
from kedge.tracking.fields import BOOL, INT32, STRING, STRINGS, messages
from kedge.tracking.logged_grammar import parse_filter, parse_order
from kedge.tracking.plans import Fresh, Operation, Plan, Read
from kedge.tracking.requests import INTEGER, LIST, REQUIRED, TEXT, TEXTS, Request

_BY_DEFAULT, _FOR_ZERO = 50, 100
_ASKED = (
    ("experiment_ids", "Experiment IDs", "experiment IDs"),
    ("filter_string", "Filter string", "filter string"),
    ("order_by", "Order by", "order by"),
)

Fields = dict[str, Any]


def _search(fields: Fields, _: Fresh) -> Plan:
    datasets = fields.get("datasets", [])
    if not all(each.get("dataset_name") for each in datasets):
        raise invalid_parameter("`dataset_name` in the `datasets` clause must be specified.")
    orders = [
        {
            "field_name": each.get("field_name", ""),
            "ascending": each.get("ascending", True),
            "dataset_name": each.get("dataset_name") or None,
            "dataset_digest": each.get("dataset_digest") or None,
        }
        for each in fields.get("order_by", [])
    ]
    asked = {
        "experiment_ids": fields.get("experiment_ids", []),
        "filter_string": fields.get("filter") or None,
        "order_by": orders or None,
    }
    size = fields.get("max_results", _BY_DEFAULT) or _FOR_ZERO
    if size < 0:
        raise invalid_parameter(f"Invalid value {size} for parameter 'max_results' supplied.")
    offset = _offset_of(fields.get("page_token", ""), asked)
    query = LoggedModelQuery(
        conditions=parse_filter(fields.get("filter", "")),
        experiment_ids=tuple(rules.experiment_number(each) for each in asked["experiment_ids"]),
        orderings=parse_order(orders),
        datasets=tuple(
            DatasetFilter(each["dataset_name"], each.get("dataset_digest") or None) for each in datasets
        ),
        limit=size,
        offset=offset,
    )

    def answer(store: Tracking) -> bytes:
        found, more = store.logged_page(query)
        return model_answers.logged_models(found, _token(asked, offset + size) if more else None)

    return Read(answer)


def _token(asked: Fields, offset: int) -> str:
    return base64.b64encode(json.dumps(asked | {"offset": offset}).encode()).decode()


def _offset_of(token: str, asked: Fields) -> int:
    """Where the token's page begins. Raises MlflowError where it is of another search."""
    if not token:
        return 0
    try:
        decoded = base64.b64decode(token.encode()).decode()
    except (binascii.Error, ValueError) as error:
        raise invalid_parameter(f"Invalid page token: {token}. {error}") from error
    try:
        held = json.loads(decoded)
    except ValueError as error:
        raise invalid_parameter(f"Invalid page token: {token}. {error}") from error
    if not isinstance(held, dict):
        raise invalid_parameter(f"Invalid page token: {token}.")
    for name, first, within in _ASKED:
        told = held.get(name) if name == "experiment_ids" else held.get(name) or None
        if told != asked[name]:
            raise invalid_parameter(
                f"{first} in the page token {'does' if name != 'experiment_ids' else 'do'} not match the requested "
                f"{within}. Expected: {asked[name]}. Found: {told}"
            )
    offset = held.get("offset") or 0
    if not isinstance(offset, int) or not 0 <= offset < 2**62:
        raise invalid_parameter(f"Invalid page token: {token}.")
    return offset


OPERATIONS: dict[tuple[str, str], Operation] = {
    ("POST", "logged-models/search"): Operation(
        Request(
            {
                "experiment_ids": STRINGS,
                "filter": STRING,
                "datasets": messages({"dataset_name": STRING, "dataset_digest": STRING}),
                "max_results": INT32,
                "order_by": messages(
                    {
                        "field_name": STRING,
                        "ascending": BOOL,
                        "dataset_name": STRING,
                        "dataset_digest": STRING,
                    }
                ),
                "page_token": STRING,
            },
            {
                "experiment_ids": (LIST, TEXTS, REQUIRED),
                "filter": (TEXT,),
                "datasets": (LIST,),
                "max_results": (INTEGER,),
                "order_by": (LIST,),
                "page_token": (TEXT,),
            },
        ),
        _search,
        "read",
    ),
}
