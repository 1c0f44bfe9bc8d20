"""Dataset versions in SQL: numbers, tags, references, uses."""

import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kedge.core.clock import SystemClock
from kedge.core.datasets import ColumnProfile, DatasetFile, DatasetUse, NewDatasetVersion
from kedge.core.errors import NotFound
from kedge.core.ids import new_id
from kedge.storage.database import open_database
from kedge.storage.datasets import SqlDatasets


@pytest.fixture
def store(database_place):
    database = open_database(database_place, SystemClock())
    yield SqlDatasets(database, SystemClock())
    database.close()


def version(content="a", *, dataset="flights", **fields):
    file = DatasetFile(path="data.parquet", object_id=content * 64, size_bytes=10, rows=3)
    return NewDatasetVersion(dataset=dataset, files=(file,), rows=3, **fields)


def test_what_was_added_is_what_is_read(store):
    column = ColumnProfile(
        name='a "b"', type="double", nulls=1, bins=(0.0, 0.1), counts=(2,), top=(("x", 1),)
    )
    new = version(tag="2013-01", message="Jänner; '%_\"", pipeline_run_id="r" * 32, columns=(column,))
    made = store.add(new)
    assert (made.number, made.tag, made.rows, made.size_bytes) == (1, "2013-01", 3, 10)
    assert made.files == new.files
    assert made.columns == new.columns
    for found in (
        store.get("flights", "2013-01"),
        store.get("flights", "1"),
        store.get("flights", "latest"),
        store.get("flights", made.id),
        store.get("flights", made.content_id[:8]),
        store.get_by_id(made.id),
        store.versions("flights")[0],
    ):
        assert found == made


def test_equal_content_and_tag_is_the_same_version(store):
    first = store.add(version("a", tag="one"))
    second = store.add(version("a", tag="two"))
    assert (first.number, second.number) == (1, 2)
    assert store.add(version("a", tag="one")) == first
    assert store.add(version("a", tag="two", message="another message")) == second
    assert store.add(version("a")) == second  # without a tag, the newest with this content
    assert len(store.versions("flights")) == 2


def test_a_tag_moves_to_other_content(store):
    store.add(version("a", tag="train"))
    moved = store.add(version("b", tag="train"))
    assert store.get("flights", "train") == moved
    assert [(each.number, each.tag) for each in store.versions("flights")] == [(2, "train"), (1, None)]
    again = store.add(version("a", tag="train"))
    assert (again.number, store.get("flights", "train")) == (3, again)


def test_datasets_do_not_mix(store):
    one, other = store.add(version("a", tag="t")), store.add(version("a", dataset="weather", tag="t"))
    assert (one.number, other.number) == (1, 1)
    assert one.content_id == other.content_id
    assert [each.name for each in store.datasets()] == ["flights", "weather"]
    with pytest.raises(NotFound, match="weather"):
        store.get("weather", one.id)


def test_content_is_paths_and_objects_in_any_order(store):
    a = DatasetFile(path="a", object_id="a" * 64, size_bytes=1)
    b = DatasetFile(path="b", object_id="b" * 64, size_bytes=2)
    first = store.add(NewDatasetVersion(dataset="d", files=(a, b)))
    assert store.add(NewDatasetVersion(dataset="d", files=(b, a))) == first
    swapped = DatasetFile(path="b", object_id="a" * 64, size_bytes=1)
    other = DatasetFile(path="a", object_id="b" * 64, size_bytes=2)
    assert store.add(NewDatasetVersion(dataset="d", files=(swapped, other))).content_id != first.content_id


def test_the_summary_speaks_of_the_newest(store):
    store.add(version("a", tag="old"))
    newest = store.add(version("b", tag="new"))
    [summary] = store.datasets()
    assert (summary.versions, summary.latest_tag, summary.rows) == (2, "new", 3)
    assert summary.updated_ms == newest.created_ms >= summary.created_ms


@pytest.mark.parametrize("ref", ["", "2", "no-such-tag", "0", "-1", "9" * 30, "deadbeef", "%", "a" * 7, "٣"])
def test_an_unknown_version_is_named(store, ref):
    store.add(version())
    with pytest.raises(NotFound) as raised:
        store.get("flights", ref)
    assert repr(ref) in raised.value.message
    assert "kedge data show flights" in raised.value.hint


def test_an_unknown_dataset_is_named(store):
    for read in (lambda: store.get("nothing", "latest"), lambda: store.versions("nothing")):
        with pytest.raises(NotFound, match="'nothing'"):
            read()
    with pytest.raises(NotFound, match="abc"):
        store.get_by_id("abc")
    assert store.datasets() == []


def test_a_prefix_of_two_versions_finds_neither(store):
    first = store.add(version("a"))
    store.add(version("b"))
    shared = first.id[:8]  # ids begin with the time, so versions made together share it
    with pytest.raises(NotFound):
        store.get("flights", shared)


def test_a_tag_comes_before_a_number(store):
    store.add(version("a"))
    tagged = store.add(version("b", tag="1"))
    assert store.get("flights", "1") == tagged


def test_threads_get_numbers_without_gaps(store):
    def add(letter):
        store.add(version(letter, tag=letter))

    threads = [threading.Thread(target=add, args=(letter,)) for letter in "abcdef" * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [each.number for each in store.versions("flights")] == [6, 5, 4, 3, 2, 1]


def test_uses_are_remembered_once(store):
    made = store.add(version())
    use = DatasetUse(pipeline_run_id="run", step="train", dataset_version_id=made.id)
    store.record_use(use)
    store.record_use(use)
    assert store.uses_of_version(made.id) == [use]
    assert store.uses_of_run("run") == [use]
    assert store.uses_of_run("other") == []
    with pytest.raises(NotFound, match="nothing"):
        store.record_use(DatasetUse(pipeline_run_id="run", step="train", dataset_version_id="nothing"))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from([None, "t", "u"])), max_size=12))
def test_any_history_keeps_a_tag_on_one_version_and_numbers_without_gaps(store, history):
    dataset = new_id()
    wanted = {}
    for content, tag in history:
        made = store.add(version(content, dataset=dataset, tag=tag))
        assert made.files[0].object_id == content * 64
        if tag is not None:
            wanted[tag] = made.id
        assert store.add(version(content, dataset=dataset, tag=tag)) == made
    versions = store.versions(dataset) if history else []
    assert [each.number for each in versions] == list(range(len(versions), 0, -1))
    assert {each.tag: each.id for each in versions if each.tag} == wanted
