"""Datasets from user code, over real HTTP."""

import os
import threading

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.data.test_paths import ATTACKS

import kedge
from kedge.client import transfers
from kedge.client.connection import connect
from kedge.client.datasets import Version, datasets, source_bytes
from kedge.core.datasets import DatasetFile, DatasetVersion
from kedge.core.errors import Conflict, Invalid, KedgeError, NotFound, StorageError, Unavailable
from kedge.pipelines.submit import submit_run

TABLE = pa.table({"delay": [1.5, None, 30.0], "carrier": ["UA", "AA", "UA"]})

pytestmark = pytest.mark.usefixtures("sdk")


def test_the_facade_gives_it():
    assert kedge.dataset("flights").add(TABLE).number == 1
    assert [each.name for each in datasets()] == ["flights"]


def test_a_table_and_what_is_known_of_it():
    version = kedge.dataset("flights").add(TABLE, tag="2013-01", message="January")
    assert (version.number, version.tag, version.rows, version.columns) == (
        1,
        "2013-01",
        3,
        ("delay", "carrier"),
    )
    assert version.record.columns[0].mean == 15.75
    assert version.record.columns[1].top == (("UA", 2), ("AA", 1))
    assert version.to_arrow().equals(TABLE)
    assert version.to_arrow(["carrier"]).to_pydict() == {"carrier": ["UA", "AA", "UA"]}
    for ref in ("2013-01", "1", 1, "latest", version.id, version.record.content_id[:10]):
        assert kedge.dataset("flights").version(ref) == version


def test_every_kind_of_source_gives_the_same_version(tmp_path):
    table = pa.table({"a": [1, 2], "b": ["x", "y"]})
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}, index=[7, 8])
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_parquet(tmp_path / "t.parquet")
    flights = kedge.dataset("flights")
    versions = [
        flights.add(source)
        for source in (table, frame, tmp_path / "t.csv", str(tmp_path / "t.csv"), tmp_path / "t.csv")
    ]
    assert len({version.id for version in versions}) == 1
    assert flights.add(pq.read_table(tmp_path / "t.parquet").select(["a", "b"])).id == versions[0].id
    pd.testing.assert_frame_equal(versions[0].to_pandas(), frame.reset_index(drop=True))


def test_equal_content_is_the_same_version_and_is_not_sent_again(web, sdk, monkeypatch):
    flights = kedge.dataset("flights")
    first = flights.add(TABLE, tag="a")
    sent = []
    call = sdk.call
    monkeypatch.setattr(
        sdk,
        "call",
        lambda method, path, *rest, **named: sent.append(method) or call(method, path, *rest, **named),
    )
    assert flights.add(TABLE, tag="a") == first
    assert flights.add(TABLE) == first
    assert "PUT" not in sent
    second = flights.add(TABLE, tag="b")
    assert (second.number, second.record.content_id) == (2, first.record.content_id)
    assert [version.number for version in flights.versions()] == [2, 1]


def folder_of(path, **contents):
    for name, content in contents.items():
        place = path / name.replace("__", "/").replace("_dot_", ".")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    return path


def snapshot(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_a_folder_is_kept_as_it_is(tmp_path):
    source = folder_of(tmp_path / "source", a__b__deep=b"1", empty=b"", text_dot_txt="ü".encode())
    version = kedge.dataset("images").add(source)
    assert (version.rows, version.columns) == (0, ())
    assert [file.path for file in version.record.files] == ["a/b/deep", "empty", "text.txt"]
    target = version.checkout(tmp_path / "out" / "there")
    assert snapshot(target) == snapshot(source)
    assert kedge.dataset("images").add(target) == version
    with pytest.raises(Invalid, match="holds no Parquet file"):
        version.to_arrow()


def test_a_folder_of_tables_is_profiled(tmp_path):
    for month in (1, 2):
        (tmp_path / f"month={month}").mkdir()
        pq.write_table(pa.table({"a": [month, month]}), tmp_path / f"month={month}" / "part.parquet")
    (tmp_path / "README").write_text("two months")
    version = kedge.dataset("flights").add(tmp_path)
    assert (version.rows, version.columns) == (4, ("a",))
    assert [file.rows for file in version.record.files] == [0, 2, 2]
    assert version.to_arrow().to_pydict() == {"a": [1, 1, 2, 2]}


def test_a_folder_of_tables_that_do_not_fit_is_kept_without_a_profile(tmp_path):
    pq.write_table(pa.table({"a": [1]}), tmp_path / "one.parquet")
    pq.write_table(pa.table({"a": ["x"]}), tmp_path / "other.parquet")
    (tmp_path / "broken.parquet").write_bytes(b"broken")
    version = kedge.dataset("flights").add(tmp_path)
    assert (version.rows, version.columns, len(version.record.files)) == (0, (), 3)
    with pytest.raises(Invalid, match=r"broken\.parquet cannot be read"):
        version.to_arrow()


def test_checkout_refuses_what_is_there_and_force_replaces_it(tmp_path):
    version = kedge.dataset("flights").add(TABLE)
    target = folder_of(tmp_path / "target", mine=b"precious")
    with pytest.raises(Conflict, match="not empty"):
        version.checkout(target)
    assert snapshot(target) == {"mine": b"precious"}
    version.checkout(target, force=True)
    assert list(snapshot(target)) == ["data.parquet"]
    (tmp_path / "file").write_text("x")
    with pytest.raises(Conflict):
        version.checkout(tmp_path / "file")
    (tmp_path / "empty").mkdir()
    version.checkout(tmp_path / "empty")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [
        "empty",
        "file",
        "target",
    ]


def test_checkout_through_a_link_needs_force_and_leaves_what_it_names(tmp_path):
    version = kedge.dataset("flights").add(TABLE)
    elsewhere = folder_of(tmp_path / "elsewhere", mine=b"precious")
    (tmp_path / "link").symlink_to(elsewhere)
    with pytest.raises(Conflict):
        version.checkout(tmp_path / "link")
    version.checkout(tmp_path / "link", force=True)
    assert snapshot(elsewhere) == {"mine": b"precious"}
    assert not (tmp_path / "link").is_symlink()


@pytest.mark.parametrize("path", ATTACKS)
def test_a_manifest_that_leads_out_is_refused_before_anything_is_written(tmp_path, path):
    good = kedge.dataset("flights").add(TABLE).record
    record = DatasetVersion(
        id="v",
        dataset="flights",
        number=1,
        content_id="c",
        created_ms=0,
        rows=0,
        size_bytes=0,
        files=(*good.files, DatasetFile(path=path, object_id=good.files[0].object_id, size_bytes=1)),
    )
    before = sorted(entry.name for entry in tmp_path.iterdir())
    with pytest.raises(Invalid):
        Version(record).checkout(tmp_path / "target")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == before


def test_a_checkout_that_fails_leaves_what_was_there(tmp_path, web):
    source = folder_of(tmp_path / "source", a=b"first", b=b"second")
    version = kedge.dataset("files").add(source)
    damaged = web.services.objects.path(version.record.files[1].object_id)
    damaged.chmod(0o644)
    damaged.write_bytes(b"tampered")
    target = folder_of(tmp_path / "target", mine=b"precious")
    with pytest.raises(StorageError, match="'b' arrived with another content"):
        version.checkout(target, force=True)
    damaged.unlink()
    with pytest.raises(NotFound):
        version.checkout(target, force=True)
    assert snapshot(target) == {"mine": b"precious"}
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["source", "target"]


def test_a_swap_that_fails_puts_back_what_was_there(tmp_path, monkeypatch):
    version = kedge.dataset("flights").add(TABLE)
    target = folder_of(tmp_path / "target", mine=b"precious")
    rename = transfers.Path.rename

    def refusing(self, to):
        if self.name == "files":
            raise OSError(28, "No space left on device")
        return rename(self, to)

    monkeypatch.setattr(transfers.Path, "rename", refusing)
    with pytest.raises(StorageError, match="No space left"):
        version.checkout(target, force=True)
    assert snapshot(target) == {"mine": b"precious"}


def test_progress_adds_up(tmp_path):
    source = folder_of(tmp_path / "source", a=os.urandom(2_500_000), b=b"x", c=b"")
    told = []
    version = kedge.dataset("files").add(source, on_bytes=told.append)
    assert sum(told) == source_bytes(source) == version.record.size_bytes
    assert len(told) > 3
    again, fetched = [], []
    kedge.dataset("files").add(source, on_bytes=again.append)
    version.checkout(tmp_path / "out", on_bytes=fetched.append)
    assert sum(again) == sum(fetched) == sum(told)


def test_a_file_that_changes_while_it_is_sent_is_no_version(tmp_path, monkeypatch):
    file = tmp_path / "f"
    file.write_bytes(b"before")
    hash_of = transfers._hash

    def hash_then_change(path):
        found = hash_of(path)
        path.write_bytes(b"after!")
        return found

    monkeypatch.setattr(transfers, "_hash", hash_then_change)
    with pytest.raises(StorageError, match="changed while it was sent"):
        transfers.upload(file, "f")


def test_reading_in_a_step_is_remembered_and_adding_tells_the_run(web, monkeypatch, tmp_path):
    outside = kedge.dataset("flights").add(TABLE)
    outside.to_arrow()
    assert web.services.datasets.uses_of_version(outside.id) == []
    run = submit_run(
        web.services,
        entry="flows.py:learn",
        project=str(tmp_path),
        pipeline="learn",
        params={},
        trigger="manual",
    ).id
    monkeypatch.setenv("KEDGE_PIPELINE_RUN", run)
    monkeypatch.setenv("KEDGE_STEP", "train")
    outside.to_arrow()
    outside.to_pandas()
    outside.checkout(tmp_path / "out")
    [use] = web.services.datasets.uses_of_version(outside.id)
    assert (use.pipeline_run_id, use.step) == (run, "train")
    inside = kedge.dataset("predictions").add(TABLE)
    assert inside.record.pipeline_run_id == run
    assert web.services.datasets.uses_of_version(inside.id) == []
    monkeypatch.setenv("KEDGE_PIPELINE_RUN", "nobody")
    with pytest.raises(NotFound, match="no pipeline run 'nobody'"):
        kedge.dataset("predictions").add(pa.table({"a": [1]}))


@pytest.mark.parametrize("name", ["", "a b", "../x", "a/b", "a?x=1", "-a", "ä"])
def test_a_name_that_is_none_is_refused_at_once(name):
    with pytest.raises(Invalid, match="cannot name a dataset"):
        kedge.dataset(name)
    with pytest.raises(Invalid, match="cannot name a version"):
        kedge.dataset("flights").version(name)


def test_what_is_not_there_is_named():
    with pytest.raises(NotFound, match="'flights'"):
        kedge.dataset("flights").versions()
    kedge.dataset("flights").add(TABLE)
    with pytest.raises(NotFound, match="'2014-01'"):
        kedge.dataset("flights").version("2014-01")
    with pytest.raises(Invalid, match="no column 'z'"):
        kedge.dataset("flights").version().to_arrow(["z"])


@pytest.mark.parametrize("source", [42, [1, 2], {"a": 1}, pd.DataFrame({"a": [object()]}), pa.table({})])
def test_what_is_no_table_is_refused(source):
    with pytest.raises(Invalid):
        kedge.dataset("flights").add(source)
    assert datasets() == []


def test_a_bad_tag_is_refused():
    with pytest.raises(Invalid, match="cannot be the tag"):
        kedge.dataset("flights").add(TABLE, tag="a b")
    assert datasets() == []


def test_many_threads_add_the_same():
    found = []

    def add():
        found.append(kedge.dataset("flights").add(TABLE, tag="t").id)

    threads = [threading.Thread(target=add) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert len(set(found)) == 1


def test_a_platform_that_does_not_answer_is_unavailable(tmp_path, sdk):
    version = kedge.dataset("flights").add(TABLE)
    gone = connect("http://127.0.0.1:9")
    for ask in (
        version.to_arrow,
        lambda: kedge.dataset("flights").versions(),
        lambda: kedge.dataset("flights").add(TABLE),
        lambda: version.checkout(tmp_path / "out"),
    ):
        with pytest.raises(Unavailable, match=r"no answer from http://127\.0\.0\.1:9") as raised:
            ask()
        assert "kedge up" in raised.value.hint
    assert not (tmp_path / "out").exists()
    gone.close()


def test_numbers_of_any_kind_go_through():
    table = pa.table(
        {
            "big": pa.array([2**62, -(2**62)]),
            "float": np.array([np.nan, np.inf]),
            "time": pa.array([1, 2], pa.timestamp("ns", "UTC")),
            "list": [[1], None],
        }
    )
    version = kedge.dataset("kinds").add(table)
    assert repr(version.to_arrow().to_pydict()) == repr(table.to_pydict())
    assert isinstance(version, Version)
    assert not issubclass(Version, KedgeError)
