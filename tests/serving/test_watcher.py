"""Following what is wanted."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from kedge.serving.live import LiveTable
from kedge.serving.watcher import Watcher


@pytest.fixture
def watch(stores):
    """A watcher over a fresh table, as a new process would have."""
    executor = ThreadPoolExecutor(1)

    def make(table):
        return Watcher(
            stores.deployments, table, executor, change=stores.database.data_version, trust_pickle=False
        )

    yield make
    executor.shutdown()


def test_wanted_is_loaded_swapped_and_marked(stores, watch, models, make_deployment):
    table = LiveTable()
    first = make_deployment("delays", models.line)
    stores.deployments.deploy(first)
    watch(table).look()
    assert stores.deployments.get(first.id).state == "live"
    assert table.get("delays").deployment.id == first.id
    second = make_deployment("delays", models.line2, "2")
    stores.deployments.deploy(second)
    watch(table).look()
    assert table.get("delays", "2").deployment.id == second.id
    assert stores.deployments.get(first.id).state == "retired"


def test_what_fails_to_load_is_told_and_the_live_one_stays(stores, watch, models, make_deployment, tmp_path):
    table = LiveTable()
    good = make_deployment("delays", models.line)
    stores.deployments.deploy(good)
    watch(table).look()
    for source, reason in ((tmp_path / "gone", "no MLmodel file"), ("s3://bucket/m", "not a folder of this")):
        bad = make_deployment("delays", source, "2")
        stores.deployments.deploy(bad)
        watch(table).look()
        assert stores.deployments.get(bad.id).state == "failed"
        assert reason in stores.deployments.get(bad.id).error
        assert table.get("delays").deployment.id == good.id
        assert stores.deployments.endpoint("delays").live == good.id
    restarted = LiveTable()
    watch(restarted).look()
    assert restarted.get("delays").deployment.id == good.id
    assert stores.deployments.get(bad.id).state == "failed"


def test_a_load_cut_short_begins_again(stores, watch, models, make_deployment):
    wanted = make_deployment("delays", models.line)
    stores.deployments.deploy(wanted)
    stores.deployments.mark(wanted.id, "loading")
    table = LiveTable()
    watch(table).look()
    assert stores.deployments.get(wanted.id).state == "live"


def test_a_deployment_replaced_while_loading_does_not_go_live(
    stores, watch, models, make_deployment, monkeypatch
):
    first, second = make_deployment("delays", models.line), make_deployment("delays", models.line2, "2")
    stores.deployments.deploy(first)
    table = LiveTable()
    watcher = watch(table)
    from kedge.serving import watcher as watching

    load = watching.load_source

    def load_slowly(source, *, trust_pickle):
        if source == first.source:
            stores.deployments.deploy(second)
        return load(source, trust_pickle=trust_pickle)

    monkeypatch.setattr(watching, "load_source", load_slowly)
    watcher.look()
    assert table.names() == []
    assert stores.deployments.get(first.id).state == "retired"
    watcher.look()
    assert table.get("delays").deployment.id == second.id


def test_the_thread_follows_the_database(stores, watch, models, make_deployment):
    table = LiveTable()
    swapped = threading.Event()
    put = table.put
    table.put = lambda live: (put(live), swapped.set())
    watcher = watch(table)
    watcher.start()
    assert table.ready.wait(5)
    stores.deployments.deploy(make_deployment("delays", models.line))
    assert swapped.wait(10)
    watcher.stop()
