"""Following what is wanted."""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from kedge.serving.attempts import MOST_DEATHS, MOST_DEATHS_OF_PROVEN, Attempts
from kedge.serving.live import LiveTable
from kedge.serving.watcher import Watcher


@pytest.fixture
def watch(stores):
    """A watcher over a fresh table, as a new process would have."""
    executor = ThreadPoolExecutor(1)

    def make(table):
        return Watcher(
            stores.deployments,
            table,
            executor,
            Attempts(stores.home / "attempts.json"),
            change=stores.database.data_version,
            trust_pickle=False,
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


def die_over(stores, deployment):
    """What a process leaves that ended while it was loading the deployment."""
    stores.deployments.mark(deployment.id, "loading")
    Attempts(stores.home / "attempts.json").begin(deployment.id)


def test_what_ended_earlier_processes_is_loaded_last_and_then_not_at_all(
    stores, watch, models, make_deployment, monkeypatch
):
    from kedge.serving import watcher as watching

    before = make_deployment("a", models.line)
    stores.deployments.deploy(before)
    watch(LiveTable()).look()
    deadly, good = make_deployment("a", models.line2, "2"), make_deployment("b", models.bare)
    stores.deployments.deploy(deadly)
    stores.deployments.deploy(good)
    die_over(stores, deadly)
    loaded = []
    load = watching.load_source

    def load_and_die(source, *, trust_pickle):
        loaded.append(source)
        if source == deadly.source:
            raise KeyboardInterrupt  # nothing catches it, as nothing catches the end of a process
        return load(source, trust_pickle=trust_pickle)

    monkeypatch.setattr(watching, "load_source", load_and_die)
    table = LiveTable()
    with monkeypatch.context() as patch:
        patch.setattr(Attempts, "end", lambda *_: None)
        with pytest.raises(KeyboardInterrupt):
            watch(table).look()
    assert loaded[-1] == deadly.source
    assert table.names() == ["a", "b"]
    assert Attempts(stores.home / "attempts.json").deaths(deadly.id) == MOST_DEATHS
    table = LiveTable()
    watch(table).look()
    assert loaded.count(deadly.source) == 1
    assert table.get("a").deployment.id == before.id
    failed = stores.deployments.get(deadly.id)
    assert failed.state == "failed"
    assert f"ended the serving process {MOST_DEATHS} times" in failed.error


def test_what_has_answered_before_is_given_up_later(stores, watch, models, make_deployment):
    proven = make_deployment("a", models.line)
    stores.deployments.deploy(proven)
    watch(LiveTable()).look()
    file = stores.home / "attempts.json"
    for deaths in (MOST_DEATHS, MOST_DEATHS_OF_PROVEN - 1):
        for _ in range(deaths):
            Attempts(file).begin(proven.id)
        table = LiveTable()
        watch(table).look()
        assert table.names() == ["a"]
        assert Attempts(file).deaths(proven.id) == 0  # it was loaded: earlier deaths were not its fault
    for _ in range(MOST_DEATHS_OF_PROVEN):
        Attempts(file).begin(proven.id)
    table = LiveTable()
    watch(table).look()
    assert table.names() == []
    assert stores.deployments.get(proven.id).state == "failed"


def test_a_model_that_asks_to_exit_has_failed(stores, watch, models, make_deployment, monkeypatch):
    from kedge.serving import watcher as watching

    monkeypatch.setattr(watching, "load_source", lambda *_, **__: sys.exit("no licence"))
    wanted = make_deployment("a", models.line)
    stores.deployments.deploy(wanted)
    watch(LiveTable()).look()
    assert stores.deployments.get(wanted.id).error == "SystemExit: no licence"


def test_attempts_outlive_the_process_until_they_end(tmp_path):
    file = tmp_path / "attempts.json"
    attempts = Attempts(file)
    attempts.begin("a")
    assert Attempts(file).deaths("a") == 1
    attempts.abandon()
    assert Attempts(file).deaths("a") == 0
    attempts.begin("a")
    again = Attempts(file)
    again.begin("a")
    again.abandon()
    again.abandon()
    assert Attempts(file).deaths("a") == 1
    again.begin("b")
    again.end("b")
    assert (Attempts(file).deaths("a"), Attempts(file).deaths("b")) == (1, 0)
    again.keep([])
    assert Attempts(file).deaths("a") == 0


def test_attempts_that_cannot_be_kept_hold_up_no_load(tmp_path, caplog):
    file = tmp_path / "attempts.json"
    file.write_bytes(b'{"a": "x"}')
    assert Attempts(file).deaths("a") == 0
    attempts = Attempts(tmp_path / "gone" / "attempts.json")
    attempts.begin("a")
    attempts.end("a")
    assert [record.message.split(":")[0].rpartition(" cannot ")[2] for record in caplog.records] == [
        "be read",
        "be written",
        "be written",
    ]


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
