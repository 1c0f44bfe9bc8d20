"""Artifacts in a folder and on S3: one behaviour, whole or not there, and never outside of their root."""

import pytest

from kedge.core.errors import Conflict, Invalid, NotFound
from kedge.storage.artifacts import FolderArtifacts
from kedge.storage.s3_artifacts import PART_BYTES, S3Artifacts


@pytest.fixture(params=["folder", pytest.param("s3", marks=pytest.mark.slow)])
def store(request, tmp_path):
    if request.param == "folder":
        return FolderArtifacts(tmp_path / "artifacts")
    gateway = request.getfixturevalue("gateway")
    return S3Artifacts(gateway.place(gateway.new_bucket()))


def content(store, path, start=0, stop=None):
    file = store.file(path)
    return b"".join(file.chunks(start, file.size_bytes if stop is None else stop))


def put(store, path, content=b"hello"):
    arriving = store.receive(path)
    arriving.write(content)
    arriving.finish()
    arriving.abort()


def test_up_down_list_delete(store):
    put(store, "1/a/notes.txt")
    put(store, "1/a/notes.txt", b"new")
    put(store, "1/b.bin", b"xyz")
    assert content(store, "1/a/notes.txt") == content(store, "./1//a/notes.txt") == b"new"
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


def test_a_file_is_read_in_parts(store):
    put(store, "digits", b"0123456789")
    put(store, "empty", b"")
    file = store.file("digits")
    assert file.size_bytes == 10
    assert file.etag.startswith('"')
    assert file.etag.endswith('"')
    assert [b"".join(file.chunks(*part)) for part in ((2, 5), (9, 10), (0, 10), (3, 3))] == [
        b"234",
        b"9",
        b"0123456789",
        b"",
    ]
    assert store.file("empty").size_bytes == 0
    assert content(store, "empty") == b""


def test_a_file_that_is_replaced_meanwhile_is_not_mixed(store):
    put(store, "a", b"0123456789")
    file = store.file("a")
    put(store, "a", b"9876543210")
    assert store.file("a").etag != file.etag
    with pytest.raises(Conflict, match="replaced"):
        next(file.chunks(0, 10))
    store.delete("a")
    with pytest.raises((NotFound, Conflict)):
        next(file.chunks(0, 10))


def test_a_large_file_comes_back_as_it_went(store):
    block = bytes(range(256)) * 4096
    arriving = store.receive("large.bin")
    for number in range(21):
        arriving.write(block[number:])
    arriving.finish()
    expected = b"".join(block[number:] for number in range(21))
    assert len(expected) > 2 * PART_BYTES
    chunks = list(store.file("large.bin").chunks(0, len(expected)))
    assert b"".join(chunks) == expected
    assert max(map(len, chunks)) <= 2 << 20
    assert (
        content(store, "large.bin", PART_BYTES - 3, PART_BYTES + 3)
        == expected[PART_BYTES - 3 : PART_BYTES + 3]
    )


def test_names_are_kept_as_they_are(store):
    names = sorted(
        [
            "a b",
            "ü",
            "100%",
            "a%20b",
            "a+b",
            "a~b",
            "[x]",
            "a*b",
            "a?b",
            "{y}",
            "a'b",
            'a"b',
            "a&b;c",
            "...",
            "a\\b",
        ]
    )
    for name in names:
        put(store, f"odd/{name}/{name}", name.encode())
    assert [each.path for each in store.children("odd")] == [f"odd/{name}" for name in names]
    for name in names:
        assert [each.path for each in store.children(f"odd/{name}")] == [f"odd/{name}/{name}"]
        assert content(store, f"odd/{name}/{name}") == name.encode()
    store.delete("odd")
    assert store.children("") == []


def test_a_folder_goes_with_all_it_holds_and_nothing_else(store):
    for path in ("run/a", "run/deep/er/b", "run2/a", "run.txt"):
        put(store, path)
    store.delete("run")
    assert [each.path for each in store.children("")] == ["run.txt", "run2"]
    with pytest.raises(NotFound):
        store.delete("run")


def test_what_is_on_its_way_is_seen_by_nobody(store):
    for size in (4, 2 * PART_BYTES + 5):
        arriving = store.receive("1/late.txt")
        arriving.write(b"h" * size)
        assert store.children("1") == []
        with pytest.raises(NotFound):
            store.file("1/late.txt")
        arriving.abort()
        arriving.abort()
        assert store.children("") == []


def test_what_is_given_up_leaves_nothing_in_the_folder(tmp_path):
    store = FolderArtifacts(tmp_path / "artifacts")
    arriving = store.receive("1/late.txt")
    arriving.write(b"half")
    arriving.abort()
    assert not [each for each in store._root.rglob("*") if each.is_file()]


@pytest.mark.parametrize(
    "path",
    [
        "../x",
        "a/../../x",
        "/etc/passwd",
        "a\\..\\x",
        "..\\x",
        "a/..\\x",
        "C:\\x",
        "C:/x",
        "\\\\host\\share\\x",
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


def test_no_link_leads_out(tmp_path):
    store = FolderArtifacts(tmp_path / "artifacts")
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


def test_a_file_is_no_folder(tmp_path):
    store = FolderArtifacts(tmp_path / "artifacts")
    put(store, "a")
    arriving = store.receive("a/b")
    with pytest.raises(Invalid, match="cannot lie there"):
        arriving.finish()
    arriving.abort()
    with pytest.raises(NotFound):
        store.file("a/b")
