"""Searches of registered models and their versions: each request to a plan."""

from typing import Any

from kedge.core.mlflow_error import invalid_parameter
from kedge.core.models import RegistryQuery
from kedge.core.search import Ordering
from kedge.core.services import Tracking
from kedge.tracking import model_answers
from kedge.tracking.fields import INT64, STRING, STRINGS
from kedge.tracking.pages import offset_of, token_after
from kedge.tracking.plans import Fresh, Operation, Plan, Read
from kedge.tracking.registry_grammar import MODELS, VERSIONS, Registry, parse_filter, parse_order
from kedge.tracking.requests import INTEGER, LIST, TEXT, TEXTS, Request, Rule

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


OPERATIONS: dict[tuple[str, str], Operation] = {
    ("GET", "registered-models/search"): Operation(_search(_MOST_MODELS), _models, "read"),
    ("GET", "model-versions/search"): Operation(_search(_MOST_VERSIONS), _versions, "read"),
}
