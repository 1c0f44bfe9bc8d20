"""Ask for a model version on an endpoint, and go back to the one before."""

from pathlib import Path

from kedge.core.artifacts import ArtifactStore, path_of
from kedge.core.deployments import Deployment
from kedge.core.errors import Conflict, Invalid
from kedge.core.ids import is_name, new_id
from kedge.core.services import Services
from kedge.core.tracking import ModelVersion


def deploy(services: Services, endpoint: str, model: str, ref: str, reason: str = "") -> Deployment:
    """Want a registered model version on an endpoint; the endpoint is made when new.

    The serving process loads it and swaps it in; until then, and when that fails, the live deployment stays.

    Parameters
    ----------
    services
        The platform.
    endpoint
        Letters, digits, `.`, `_`, `-`; at most 128.
    model
        Name of the registered model.
    ref
        Version number, alias, or `latest`; resolved now, so a later move of the alias changes nothing.
    reason
        Shown in the history.

    Raises
    ------
    Invalid
        The name breaks the rule, or the version's files do not lie in this data directory.
    NotFound
        There is no such model or version.
    Conflict
        The version is not ready.
    """
    if not is_name(endpoint):
        raise Invalid(
            f"{endpoint!r} cannot name an endpoint: letters, digits, `.`, `_`, `-`, at most 128 of them"
        )
    version = services.tracking.resolve(model, ref)
    check_deployable(version, services.artifacts)
    alias = ref if ref in version.aliases else None
    deployment = Deployment(
        id=new_id(),
        endpoint=endpoint,
        model_name=version.name,
        model_version=version.version,
        source=version.location,
        state="pending",
        created_ms=services.clock.now_ms(),
        alias=alias,
        reason=reason,
        mlflow_run_id=version.run_id,
    )
    services.deployments.deploy(deployment)
    return deployment


def check_deployable(version: ModelVersion, artifacts: ArtifactStore) -> None:
    """Raise where a version cannot be served at all."""
    what = f"model {version.name!r} version {version.version}"
    if version.status != "READY":
        raise Conflict(f"{what} has status {version.status}: only a READY version can be deployed")
    place = version.location
    if (path := path_of(place)) is not None:
        found = any(entry.path.endswith("/MLmodel") for entry in artifacts.children(path))
    elif Path(place).is_absolute():
        found = (Path(place) / "MLmodel").is_file()
    else:
        raise Invalid(
            f"{what} lies at {place!r}, which is not in this data directory",
            hint="log and register the model through this platform",
        )
    if not found:
        raise Invalid(
            f"{what} lies at {place}, which has no MLmodel file", hint="were its artifacts deleted?"
        )


def rollback(services: Services, endpoint: str, reason: str = "") -> Deployment:
    """Want the deployment that was live before the present one. Raises NotFound, or Conflict when there is none."""
    live_id = services.deployments.endpoint(endpoint).live
    history = services.deployments.history(endpoint)
    before = previous(history, live_id)
    if before is None:
        raise Conflict(
            f"endpoint {endpoint!r} has nothing to go back to: no other deployment was ever live",
            hint=f"see the history with `kedge endpoints {endpoint}`",
        )
    deployment = Deployment(
        id=new_id(),
        endpoint=endpoint,
        model_name=before.model_name,
        model_version=before.model_version,
        source=before.source,
        state="pending",
        created_ms=services.clock.now_ms(),
        reason=reason or f"rollback to version {before.model_version}",
        mlflow_run_id=before.mlflow_run_id,
    )
    services.deployments.deploy(deployment)
    return deployment


def previous(history: list[Deployment], live_id: str | None) -> Deployment | None:
    """Of a history (newest first), the newest that was live before the live one and holds another model version.

    Without a live deployment, the newest that was ever live.
    """
    was_live = sorted(
        (deployment for deployment in history if deployment.live_ms is not None),
        key=lambda deployment: (deployment.live_ms or 0, deployment.id),
        reverse=True,
    )
    live = next((deployment for deployment in was_live if deployment.id == live_id), None)
    if live is None:
        return was_live[0] if was_live else None
    for deployment in was_live[was_live.index(live) + 1 :]:
        if (deployment.model_name, deployment.model_version) != (live.model_name, live.model_version):
            return deployment
    return None
