"""What the data directory's folders have to be, and what is swept out of them."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from kedge.app.folders import complaints, sweep, sweep_unused
from kedge.core.home import Home
from kedge.storage.artifacts import FolderArtifacts
from kedge.storage.objects import FolderObjects

NOBODY = 65534


@pytest.fixture
def home():
    """A data directory that others can reach."""
    root = Path(tempfile.mkdtemp(prefix="kedge-folders-"))
    root.chmod(0o755)
    home = Home(root)
    for folder in (home.objects / "incoming", home.artifacts, home.logs):
        folder.mkdir(parents=True)
    home.database.touch()
    yield home
    shutil.rmtree(root)


def as_nobody(home: Home) -> list[str]:
    """What another user is told."""
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        os.setuid(NOBODY)
        os.write(writing, "\n".join(complaints(home)).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as told:
        found = told.read().splitlines()
    os.waitpid(pid, 0)
    return found


def test_a_directory_of_our_own_is_well(home):
    assert complaints(home) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_what_another_user_made_is_named(home):
    for path in (home.root, home.objects, home.objects / "incoming", home.logs, home.artifacts):
        path.chmod(0o777)
    home.database.chmod(0o666)
    assert as_nobody(home) == []
    home.database.chmod(0o644)
    home.artifacts.chmod(0o755)
    told = as_nobody(home)
    assert [line.split()[0] for line in told] == [str(home.artifacts), str(home.database)]
    assert all("cannot be written by this user" in line for line in told)


def test_what_is_of_another_kind_is_named(home):
    home.state.mkdir()
    shutil.rmtree(home.logs)
    home.logs.touch()
    assert complaints(home) == [f"{home.logs} is no folder", f"{home.state} is no file"]


def test_what_killed_uploads_left_is_swept(home):
    (home.objects / "ab").mkdir()
    kept = home.objects / "ab" / "cd"
    kept.touch()
    (home.objects / "incoming" / "tmp1").touch()
    outside = home.root / "outside"
    outside.mkdir()
    (home.artifacts / ".incoming").mkdir()
    (home.artifacts / ".incoming" / "link").symlink_to(outside)
    (home.artifacts / ".incoming" / "tmp2").touch()
    sweep(home)
    assert not list((home.objects / "incoming").iterdir())
    assert not list((home.artifacts / ".incoming").iterdir())
    assert kept.exists()
    assert outside.exists()


def test_what_is_on_its_way_is_not_swept(home):
    objects = FolderObjects(home.objects)
    killed, arriving = (home.objects / "incoming" / "tmp1"), objects.receive()
    killed.touch()
    arriving.write(b"half")
    outside = home.root / "outside"
    outside.touch()
    (home.objects / "incoming" / "link").symlink_to(outside)
    sweep_unused(home)
    assert not killed.exists()
    assert outside.exists()
    arriving.write(b" and half")
    assert objects.path(arriving.finish()).read_bytes() == b"half and half"
    assert [each.name for each in (home.objects / "incoming").iterdir()] == ["link"]


def test_a_web_that_starts_finds_nothing_of_a_killed_one(home):
    store = FolderArtifacts(home.artifacts)
    if not (child := os.fork()):
        store.receive("1/late.txt").write(b"half" * 100_000)
        os._exit(0)
    os.waitpid(child, 0)
    assert list((home.artifacts / ".incoming").iterdir())
    sweep_unused(home)
    assert not list((home.artifacts / ".incoming").iterdir())
