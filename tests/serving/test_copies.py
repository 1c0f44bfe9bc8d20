"""Models that lie on another machine: copied once a deployment, kept while it is wanted, asked for again while it is away."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from kedge.core.errors import Unavailable
from kedge.serving.attempts import Attempts
from kedge.serving.copies import ModelCopies
from kedge.serving.live import LiveTable
from kedge.serving.watcher import RETRY_POLLS, Watcher
from kedge.storage.artifacts import FolderArtifacts


class Far(FolderArtifacts):
    """A folder that stands for another machine, which may not answer."""

    away = False
    asked = 0

    def children(self, path):
        self.asked += 1
        if self.away:
            raise Unavailable("the artifact store does not answer")
        return super().children(path)


@pytest.fixture
def far(tmp_path):
    return Far(tmp_path / "far")


@pytest.fixture
def put(far, models):
    """Put a model there; returns its address."""

    def make(name, folder):
        for file in folder.iterdir():
            arriving = far.receive(f"1/{name}/artifacts/{file.name}")
            arriving.write(file.read_bytes())
            arriving.finish()
        return f"mlflow-artifacts:/1/{name}/artifacts"

    return make


@pytest.fixture
def watch(stores, far, tmp_path):
    executor = ThreadPoolExecutor(1)

    def make(table):
        return Watcher(
            stores.deployments,
            table,
            executor,
            Attempts(tmp_path / "attempts.json"),
            change=stores.database.data_version,
            trust_pickle=False,
            copies=ModelCopies(far, tmp_path / "models"),
        )

    yield make
    executor.shutdown()


def test_a_deployment_answers_from_its_copy_and_old_copies_go(
    stores, far, put, watch, models, make_deployment, tmp_path
):
    first = make_deployment("delays", put("m 1", models.line))
    stores.deployments.deploy(first)
    watch(LiveTable()).look()
    assert stores.deployments.get(first.id).state == "live"
    assert [each.name for each in (tmp_path / "models").iterdir()] == [first.id]
    far.away, table = True, LiveTable()
    watch(table).look()
    assert table.get("delays").deployment.id == first.id
    far.away = False
    second = make_deployment("delays", put("m2", models.line2), "2")
    stores.deployments.deploy(second)
    watcher = watch(table)
    watcher.look()
    watcher.look()
    assert table.get("delays").deployment.id == second.id
    assert [each.name for each in (tmp_path / "models").iterdir()] == [second.id]


def test_what_is_away_is_waited_for(stores, far, put, watch, models, make_deployment, tmp_path):
    deployment = make_deployment("delays", put("m", models.line))
    far.away = True
    stores.deployments.deploy(deployment)
    table = LiveTable()
    watcher = watch(table)
    watcher.look()
    found = stores.deployments.get(deployment.id)
    assert (found.state, found.error) == ("loading", "the artifact store does not answer")
    assert [watcher._retry_is_due() for _ in range(RETRY_POLLS + 2)].index(True) == RETRY_POLLS - 1
    far.away = False
    watcher.look()
    found = stores.deployments.get(deployment.id)
    assert (found.state, found.error) == ("live", None)
    assert not list((tmp_path / "models").glob("incoming*"))


def test_what_is_gone_failed(stores, watch, make_deployment, tmp_path):
    deployment = make_deployment("delays", "mlflow-artifacts:/1/none")
    stores.deployments.deploy(deployment)
    watch(LiveTable()).look()
    found = stores.deployments.get(deployment.id)
    assert found.state == "failed"
    assert "no MLmodel file" in found.error
    way_out = make_deployment("delays", "mlflow-artifacts:/../../etc")
    stores.deployments.deploy(way_out)
    watch(LiveTable()).look()
    assert stores.deployments.get(way_out.id).state == "failed"
