"""Objects in a folder: by content, once, whole or not at all."""

import os
import signal
import subprocess
import sys
import threading

import pytest
from blake3 import blake3
from hypothesis import given, settings
from hypothesis import strategies as st

from kedge.core.errors import NotFound, StorageError
from kedge.storage.objects import FolderObjects


@pytest.fixture
def objects(tmp_path):
    return FolderObjects(tmp_path / "objects")


def kept(objects):
    return [path for path in objects._root.rglob("*") if path.is_file()]


def test_the_id_is_the_hash_of_the_bytes(objects):
    for content in (b"", b"a", b"\0" * 100_000):
        object_id = objects.put([content])
        assert object_id == blake3(content).hexdigest()
        assert objects.has(object_id)
        assert objects.size_bytes(object_id) == len(content)
        with objects.open(object_id) as file:
            assert file.read() == content
        assert objects.path(object_id).read_bytes() == content


@settings(max_examples=30, deadline=None)
@given(st.lists(st.binary(max_size=50), max_size=8))
def test_how_it_is_cut_does_not_matter(tmp_path_factory, pieces):
    objects = FolderObjects(tmp_path_factory.mktemp("objects"))
    assert objects.put(pieces) == objects.put([b"".join(pieces)])
    assert len(kept(objects)) == 1


def test_an_object_is_kept_once_and_read_only(objects):
    first = objects.put([b"same"])
    place = objects.path(first)
    made_ns = place.stat().st_mtime_ns
    assert objects.put([b"sa", b"me"]) == first
    assert (objects.path(first), place.stat().st_mtime_ns) == (place, made_ns)
    assert place.stat().st_mode & 0o222 == 0
    assert kept(objects) == [place]


@pytest.mark.parametrize(
    "bad",
    ["", "a", "../" * 21 + "a", "A" * 64, "g" * 64, "0" * 63, "0" * 65, "/" * 64, "..", "\0" * 64, "٣" * 64],
)
def test_a_malformed_id_is_not_there(objects, bad):
    assert not objects.has(bad)
    for read in (objects.size_bytes, objects.open, objects.path):
        with pytest.raises(NotFound):
            read(bad)


def test_an_unknown_id_is_not_there(objects):
    assert not objects.has("0" * 64)
    with pytest.raises(NotFound, match="0000"):
        objects.open("0" * 64)


def test_a_put_that_is_broken_off_leaves_nothing(objects):
    def broken():
        yield b"half"
        raise ConnectionAbortedError

    with pytest.raises(ConnectionAbortedError):
        objects.put(broken())

    def surprised():
        yield b"half"
        raise KeyError

    with pytest.raises(KeyError):
        objects.put(surprised())
    assert kept(objects) == []


def test_nothing_is_visible_before_the_last_byte(objects):
    content = [b"first", b"second"]
    object_id = blake3(b"".join(content)).hexdigest()
    seen = []

    def watched():
        for piece in content:
            seen.append(objects.has(object_id))
            yield piece
        seen.append(objects.has(object_id))

    assert objects.put(watched()) == object_id
    assert seen == [False, False, False]


def test_many_put_the_same_at_once(tmp_path):
    content = os.urandom(300_000)
    together = threading.Barrier(8)
    ids = []

    def put():
        own = FolderObjects(tmp_path / "objects")  # as another process has it
        together.wait()
        ids.append(own.put(content[at : at + 1000] for at in range(0, len(content), 1000)))

    threads = [threading.Thread(target=put) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    objects = FolderObjects(tmp_path / "objects")
    assert ids == [blake3(content).hexdigest()] * 8
    assert [path.read_bytes() for path in kept(objects)] == [content]


def test_a_folder_that_refuses_is_a_storage_error(objects, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="No space left"):
        objects.put([b"x"])
    assert kept(objects) == []


KILLED = """
import os, signal, sys
from pathlib import Path
from kedge.storage.objects import FolderObjects
def pieces():
    yield b"half of it"
    os.kill(os.getpid(), signal.SIGKILL)
FolderObjects(Path(sys.argv[1])).put(pieces())
"""


@pytest.mark.acceptance
def test_kill_9_in_the_middle_shows_nothing(tmp_path):
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "objects")])
    assert killed.returncode == -signal.SIGKILL
    objects = FolderObjects(tmp_path / "objects")
    assert not objects.has(blake3(b"half of it").hexdigest())
    assert all(path.parent.name == "incoming" for path in kept(objects))
    assert objects.put([b"half of it"]) == blake3(b"half of it").hexdigest()
