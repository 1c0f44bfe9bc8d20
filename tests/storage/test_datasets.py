"""Dataset versions in SQL: what is one version, what a tag and a reference name, who read what."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kedge.core.clock import SystemClock
from kedge.core.datasets import ColumnProfile, DatasetFile, DatasetUse, NewDatasetVersion
from kedge.core.errors import NotFound
from kedge.storage.database import open_database
from kedge.storage.datasets import SqlDatasets


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlDatasets]:
    database = open_database(tmp_path / "kedge.db", SystemClock())
    yield SqlDatasets(database, SystemClock())
    database.close()


def new(content: str = "a", dataset: str = "d", **more: Any) -> NewDatasetVersion:
    files = (DatasetFile(path="data.parquet", object_id=content * 64, size_bytes=3, rows=2),)
    return NewDatasetVersion(dataset=dataset, files=files, rows=2, **more)


def test_a_version_comes_back_as_it_was_given(store: SqlDatasets) -> None:
    columns = (ColumnProfile(name="x", type="int64", bins=(0.0, 1.0), counts=(2,), top=(("a", 1),)),)
    made = store.add(new(columns=columns, tag="t", message="it's 'quoted'", pipeline_run_id="r"))
    assert (made.number, made.size_bytes, made.columns) == (1, 3, columns)
    assert store.get("d", "t") == store.get_by_id(made.id) == made


def test_content_and_tag_that_are_there_are_the_same_version(store: SqlDatasets) -> None:
    first = store.add(new("a", tag="one"))
    assert store.add(new("a", tag="one")) == first
    assert store.add(new("a")) == first
    assert store.add(new("a", dataset="other")).number == 1
    assert len(store.versions("d")) == 1


def test_the_same_content_under_two_tags_stays_two_versions_however_often_it_is_added(
    store: SqlDatasets,
) -> None:
    one, two = store.add(new("a", tag="one")), store.add(new("a", tag="two"))
    for _ in range(3):
        assert store.add(new("a", tag="one")) == one
        assert store.add(new("a", tag="two")) == two
    assert [version.number for version in store.versions("d")] == [2, 1]
    assert store.get("d", one.content_id) == two


def test_the_order_of_files_is_not_content(store: SqlDatasets) -> None:
    files = tuple(DatasetFile(path=p, object_id=p * 64, size_bytes=1) for p in "ab")
    first = store.add(NewDatasetVersion(dataset="d", files=files))
    assert store.add(NewDatasetVersion(dataset="d", files=files[::-1])).id == first.id
    swapped = tuple(
        DatasetFile(path=p, object_id=o * 64, size_bytes=1) for p, o in zip("ab", "ba", strict=True)
    )
    assert store.add(NewDatasetVersion(dataset="d", files=swapped)).number == 2


def test_a_tag_moves_to_the_version_that_is_given_it(store: SqlDatasets) -> None:
    first, second = store.add(new("a", tag="t")), store.add(new("b", tag="t"))
    assert store.get("d", "t") == second
    assert store.get_by_id(first.id).tag is None
    store.add(new("c", dataset="other", tag="t"))
    assert store.get("d", "t") == second


def test_what_a_reference_names(store: SqlDatasets) -> None:
    first, second = store.add(new("a")), store.add(new("b"))
    assert store.get("d", "latest") == second
    assert store.get("d", "1") == store.get("d", "01") == first
    assert store.get("d", first.id) == store.get("d", first.content_id[:12]) == first
    tagged = store.add(new("c", tag="1"))
    assert store.get("d", "1") == tagged  # a tag is what somebody chose
    for ref in ("3.0", "-1", "4", "9" * 20, "", "%", "________", first.id[:7], first.id + "0", "²"):
        with pytest.raises(NotFound, match="has no version"):
            store.get("d", ref)
    with pytest.raises(NotFound, match="there is no dataset 'e'"):
        store.get("e", "latest")
    with pytest.raises(NotFound, match="'nothing'"):
        store.get_by_id("nothing")


def test_datasets_are_summed_up_by_their_newest_version(store: SqlDatasets) -> None:
    store.add(new("a", dataset="b", tag="old"))
    store.add(new("b", dataset="b", tag="new"))
    store.add(new("a", dataset="a"))
    assert [(each.name, each.versions, each.latest_tag) for each in store.datasets()] == [
        ("a", 1, None),
        ("b", 2, "new"),
    ]


def test_a_use_is_remembered_once(store: SqlDatasets) -> None:
    version = store.add(new())
    use = DatasetUse(pipeline_run_id="r", step="s", dataset_version_id=version.id)
    store.record_use(use)
    store.record_use(use)
    assert store.uses_of_version(version.id) == store.uses_of_run("r") == [use]
    assert store.uses_of_run("other") == []
    with pytest.raises(NotFound):
        store.record_use(DatasetUse(pipeline_run_id="r", step="s", dataset_version_id="gone"))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from([None, "t", "u"])), max_size=12), st.uuids()
)
def test_any_history_keeps_a_tag_on_one_version_and_counts_from_one(store, history, name) -> None:
    dataset = f"d{name}"
    wanted: dict[str, str] = {}
    for content, tag in history:
        made = store.add(new(content, dataset=dataset, tag=tag))
        assert made.files[0].object_id == content * 64
        if tag is not None:
            wanted[tag] = made.id
        assert store.add(new(content, dataset=dataset, tag=tag)) == made
    versions = store.versions(dataset) if history else []
    assert [version.number for version in versions] == list(range(len(versions), 0, -1))
    assert {version.tag: version.id for version in versions if version.tag} == wanted
