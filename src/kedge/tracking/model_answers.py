"""Answers about models as MLflow's JSON."""

from collections.abc import Sequence
from typing import Any

import msgspec

from kedge.core.models import LoggedModel, RegistryModel, RegistryVersion
from kedge.tracking.answers import number

STATUSES = (
    "LOGGED_MODEL_STATUS_UNSPECIFIED",
    "LOGGED_MODEL_PENDING",
    "LOGGED_MODEL_READY",
    "LOGGED_MODEL_UPLOAD_FAILED",
)

_encode = msgspec.json.Encoder().encode


def _told(**fields: Any) -> dict[str, Any]:
    """What is there: protobuf prints neither what was never set nor an empty list."""
    return {name: value for name, value in fields.items() if value is not None and value != ()}


def logged_model(found: LoggedModel) -> bytes:
    """Of logged-models, one."""
    return _encode({"model": _logged(found)})


def logged_models(found: Sequence[LoggedModel], token: str | None) -> bytes:
    """Of logged-models/search."""
    return _encode(_told(models=tuple(_logged(each) for each in found), next_page_token=token))


def _logged(found: LoggedModel) -> dict[str, Any]:
    info = _told(
        model_id=found.model_id,
        experiment_id=str(found.experiment_id),
        name=found.name,
        creation_timestamp_ms=found.created_ms,
        last_updated_timestamp_ms=found.updated_ms,
        artifact_uri=found.artifact_location,
        status=STATUSES[found.status],
        model_type=found.model_type,
        source_run_id=found.source_run_id,
        status_message=found.status_message,
        tags=found.tags,
    )
    metrics = tuple(
        _told(
            key=metric.key,
            value=number(metric.value),
            timestamp=metric.timestamp,
            step=metric.step,
            model_id=metric.model_id,
            dataset_name=metric.dataset_name or None,
            dataset_digest=metric.dataset_digest or None,
            run_id=run_id,
        )
        for metric, run_id in found.metrics
    )
    return {"info": info, "data": _told(params=found.params, metrics=metrics)}


def _version(found: RegistryVersion) -> dict[str, Any]:
    return _told(
        name=found.name,
        version=str(found.version),
        creation_timestamp=found.created_ms,
        last_updated_timestamp=found.updated_ms,
        description=found.description,
        user_id=found.user_id,
        current_stage=found.stage,
        source=found.source,
        run_id=found.run_id,
        run_link=found.run_link,
        status=found.status,
        status_message=found.status_message or None,
        tags=found.tags,
        aliases=found.aliases,
    )


def version(found: RegistryVersion) -> bytes:
    """Of model-versions, one."""
    return _encode({"model_version": _version(found)})


def model(found: RegistryModel) -> bytes:
    """Of registered-models, one."""
    return _encode({"registered_model": _model(found)})


def _model(found: RegistryModel) -> dict[str, Any]:
    return _told(
        name=found.name,
        creation_timestamp=found.created_ms,
        last_updated_timestamp=found.updated_ms or None,
        description=found.description or None,
        latest_versions=tuple(_version(each) for each in found.latest),
        tags=found.tags,
        aliases=tuple({"alias": alias, "version": str(number)} for alias, number in found.aliases),
    )


def models(found: Sequence[RegistryModel], token: str | None) -> bytes:
    """Of registered-models/search."""
    return _encode(_told(registered_models=tuple(_model(each) for each in found), next_page_token=token))


def versions(found: Sequence[RegistryVersion], token: str | None) -> bytes:
    """Of model-versions/search and registered-models/get-latest-versions."""
    return _encode(_told(model_versions=tuple(_version(each) for each in found), next_page_token=token))


def location(found: str) -> bytes:
    """Of model-versions/get-download-uri."""
    return _encode({"artifact_uri": found})
