"""Deploying and rolling back: decisions and records."""

import pytest

from kedge.core.deployments import Deployment
from kedge.core.errors import Conflict, Invalid, NotFound
from kedge.deployments.deploy import deploy, previous, rollback


def test_a_version_is_resolved_when_it_is_deployed(services, register):
    register()
    version = register(aliases=("champion",))
    deployment = deploy(services, "delays", "flights", "champion", "better")
    assert services.deployments.get(deployment.id) == deployment
    assert (deployment.model_version, deployment.alias, deployment.source) == (
        "2",
        "champion",
        version.location,
    )
    assert (deployment.state, deployment.reason, deployment.mlflow_run_id) == ("pending", "better", "r")
    assert deploy(services, "delays", "flights", "1").alias is None
    assert deploy(services, "delays", "flights", "latest").model_version == "2"


def test_what_cannot_be_deployed_is_refused_and_nothing_is_written(services, register, tmp_path):
    register(location="s3://bucket/model")
    register(status="PENDING_REGISTRATION")
    register(location=str(tmp_path / "gone"))
    register()
    for error, endpoint, model, ref, message in (
        (Invalid, "a/b", "flights", "4", "'a/b' cannot name an endpoint"),
        (NotFound, "delays", "flights", "9", "no version or alias '9'"),
        (NotFound, "delays", "nothing", "1", "'nothing'"),
        (Invalid, "delays", "flights", "1", "s3://bucket/model"),
        (Conflict, "delays", "flights", "2", "status PENDING_REGISTRATION"),
        (Invalid, "delays", "flights", "3", "no MLmodel file"),
    ):
        with pytest.raises(error, match=message):
            deploy(services, endpoint, model, ref)
    assert services.deployments.endpoints() == []


def test_rollback_goes_to_the_version_that_was_live_before(services, register):
    register()
    register()
    with pytest.raises(NotFound):
        rollback(services, "delays")
    first = deploy(services, "delays", "flights", "1")
    services.deployments.mark(first.id, "live")
    with pytest.raises(Conflict, match="nothing to go back to"):
        rollback(services, "delays")
    second = deploy(services, "delays", "flights", "2")
    services.deployments.mark(second.id, "live")
    back = rollback(services, "delays", "too slow")
    assert (back.model_version, back.reason, back.state) == ("1", "too slow", "pending")
    assert services.deployments.endpoint("delays").wanted == back.id
    services.deployments.mark(back.id, "live")
    assert rollback(services, "delays").model_version == "2"


def made(number: int, version: str, live_ms: int | None) -> Deployment:
    return Deployment(
        id=str(number),
        endpoint="delays",
        model_name="flights",
        model_version=version,
        source="/m",
        state="retired",
        created_ms=number,
        live_ms=live_ms,
    )


def test_previous_skips_what_was_never_live_or_is_the_same_version():
    history = [made(5, "2", 50), made(4, "3", None), made(3, "2", 30), made(2, "1", 20), made(1, "0", 10)]
    assert previous(history, "5").id == "2"
    assert previous(history, "2").id == "1"
    assert previous(history, "1") is None
    assert previous(history, None).id == "5"
    assert previous([], None) is None
