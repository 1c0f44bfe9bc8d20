"""Artifacts in a folder: whole or not there, and never outside of it."""

import pytest

from kedge.core.errors import Invalid, NotFound
from kedge.storage.artifacts import FolderArtifacts


@pytest.fixture
def store(tmp_path):
    return FolderArtifacts(tmp_path / "artifacts")


def put(store, path, content=b"hello"):
    arriving = store.receive(path)
    arriving.write(content)
    arriving.finish()
    arriving.abort()


def test_up_down_list_delete(store):
    put(store, "1/a/notes.txt")
    put(store, "1/a/notes.txt", b"new")
    put(store, "1/b.bin", b"xyz")
    file = store.file("1/a/notes.txt")
    assert b"".join(file.chunks(0, file.size_bytes)) == b"new"
    assert [(e.path, e.is_dir, e.size_bytes) for e in store.children("1")] == [
        ("1/a", True, None),
        ("1/b.bin", False, 3),
    ]
    assert [e.path for e in store.children("")] == ["1"]
    assert store.children("none") == store.children("1/b.bin") == []
    store.delete("1/a")
    with pytest.raises(NotFound, match="1/a/notes"):
        store.file("1/a/notes.txt")
    store.delete("1/b.bin")
    with pytest.raises(NotFound):
        store.delete("1/b.bin")


def test_what_is_on_its_way_is_seen_by_nobody(store):
    arriving = store.receive("1/late.txt")
    arriving.write(b"half")
    assert store.children("1") == []
    with pytest.raises(NotFound):
        store.file("1/late.txt")
    arriving.abort()
    assert store.children("") == []
    assert not [each for each in store._root.rglob("*") if each.is_file()]


@pytest.mark.parametrize(
    "path",
    [
        "../x",
        "a/../../x",
        "/etc/passwd",
        "a\\..\\x",
        "a/\x00b",
        "a#b",
        ".incoming/x",
        "./.incoming/x",
        "a/..",
        "\n",
    ],
)
def test_no_path_leads_out(store, path):
    put(store, "a/x")
    for ask in (store.receive, store.file, store.children, store.delete):
        with pytest.raises(Invalid):
            ask(path)


def test_no_link_leads_out(store, tmp_path):
    put(store, "a/x")
    (tmp_path / "secret").write_text("s")
    (store._root / "a/link").symlink_to(tmp_path)
    for ask in (store.receive, store.file, store.children, store.delete):
        with pytest.raises(Invalid):
            ask("a/link/secret")


def test_folders_are_no_files_and_the_root_stays(store):
    put(store, "a/x")
    with pytest.raises(Invalid, match="directory"):
        store.file("a")
    with pytest.raises(Invalid):
        store.receive("a")
    for root in ("", ".", "./"):
        with pytest.raises(Invalid):
            store.delete(root)
