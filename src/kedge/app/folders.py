"""The data directory's folders: whether this user can work in them, and what kills have left there."""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from kedge.core.home import Home


def complaints(home: Home) -> list[str]:
    """What in the data directory is not what it has to be, or cannot be written by this user; empty where all is well."""
    folders = (home.root, home.objects, home.objects / "incoming", home.artifacts, home.inference, home.logs)
    return [*_wrong(folders, "folder", os.W_OK | os.X_OK), *_wrong(_files(home), "file", os.W_OK)]


def _files(home: Home) -> Iterator[Path]:
    yield from (home.database, home.root / "kedge.db-wal", home.root / "kedge.db-shm", home.lock, home.state)
    if home.logs.is_dir() and os.access(home.logs, os.R_OK | os.X_OK):
        yield from sorted(home.logs.glob("*.log"))


def _wrong(paths: Iterable[Path], kind: str, wanted: int) -> Iterator[str]:
    for path in paths:
        if not os.path.lexists(path):
            continue
        if not (path.is_dir() if kind == "folder" else path.is_file()):
            yield f"{path} is no {kind}"
        elif not os.access(path, wanted):
            yield f"{path} cannot be written by this user"


def sweep(home: Home) -> None:
    """Delete what uploads that were killed have left; nobody else works here."""
    for left in _incoming(home):
        shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink(missing_ok=True)


def sweep_unused(home: Home) -> None:
    """Delete what uploads that were killed have left, while other processes may store objects: theirs are locked.

    Artifacts come in by web alone, which calls this before it takes any.
    """
    for left in _incoming(home):
        with contextlib.suppress(
            OSError
        ):  # gone, or not to be opened: what cannot be swept now is swept later
            descriptor = os.open(left, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                left.unlink()
            finally:
                os.close(descriptor)


def _incoming(home: Home) -> Iterator[Path]:
    for folder in (home.objects / "incoming", home.artifacts / ".incoming"):
        if folder.is_dir():
            yield from folder.iterdir()
