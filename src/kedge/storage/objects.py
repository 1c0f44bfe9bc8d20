"""Objects in a folder: `objects/ab/cdef...`, written beside and renamed, so that a reader never sees half of one."""

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from blake3 import blake3

from kedge.core.errors import NotFound, StorageError

_HASH_DIGITS = 64


class FolderObjects:
    """`ObjectStore` on a local folder."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._incoming = root / "incoming"
        self._incoming.mkdir(parents=True, exist_ok=True)

    def put(self, chunks: Iterable[bytes]) -> str:
        arriving = self.receive()
        try:
            for chunk in chunks:
                arriving.write(chunk)
            return arriving.finish()
        finally:
            arriving.abort()

    def receive(self) -> "FolderObjectUpload":
        with _told(self._root):
            return FolderObjectUpload(self, self._incoming)

    def has(self, object_id: str) -> bool:
        return _well_formed(object_id) and self._place(object_id).exists()

    def size_bytes(self, object_id: str) -> int:
        return self.path(object_id).stat().st_size

    def open(self, object_id: str) -> BinaryIO:
        return self.path(object_id).open("rb")

    def path(self, object_id: str) -> Path:
        if not self.has(object_id):
            raise NotFound(f"no object {object_id!r} is stored")
        return self._place(object_id)

    def _place(self, object_id: str) -> Path:
        return self._root / object_id[:2] / object_id[2:]

    def keep(self, temporary: Path, object_id: str) -> None:
        """Have the synced file be the object; durable on return."""
        with _told(self._root):
            place = self._place(object_id)
            if not place.exists():
                place.parent.mkdir(exist_ok=True)
                temporary.chmod(0o444)
                temporary.rename(place)
            # Also when it was there: another put may have renamed it and not come to this line yet.
            _sync_folder(place.parent)
            _sync_folder(self._root)


class FolderObjectUpload:
    """`ObjectUpload` into a folder."""

    def __init__(self, objects: FolderObjects, incoming: Path) -> None:
        self._file, self._temporary = _held_temporary(incoming)
        self._objects = objects
        self._hasher = blake3()

    def write(self, chunk: bytes) -> None:
        with _told(self._temporary.parent.parent):
            self._hasher.update(chunk)
            self._file.write(chunk)

    def finish(self) -> str:
        with _told(self._temporary.parent.parent):
            self._file.flush()
            os.fsync(self._file.fileno())
        object_id = self._hasher.hexdigest()
        self._objects.keep(self._temporary, object_id)
        with _told(self._temporary.parent.parent):
            self._file.close()  # no earlier: until it has its name, the lock is what keeps it
        return object_id

    def abort(self) -> None:
        with contextlib.suppress(OSError):  # a full disk is told by what came before
            self._file.close()
        self._temporary.unlink(missing_ok=True)


def _held_temporary(folder: Path) -> tuple[BinaryIO, Path]:
    """A new file, locked while it is open: who sweeps the folder leaves it alone."""
    while True:
        descriptor, name = tempfile.mkstemp(dir=folder)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            return os.fdopen(descriptor, "wb"), Path(name)
        os.close(descriptor)  # swept in the moment before it was locked


@contextlib.contextmanager
def _told(root: Path) -> Iterator[None]:
    """Errors of the system as ours."""
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"could not store an object in {root}: {error}", hint="run `kedge doctor`"
        ) from error


def _well_formed(object_id: str) -> bool:
    return len(object_id) == _HASH_DIGITS and all(digit in "0123456789abcdef" for digit in object_id)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


if TYPE_CHECKING:
    from typing import cast

    from kedge.core.objects import ObjectStore, ObjectUpload

    _fits: ObjectStore = FolderObjects(Path())
    _fits_too: ObjectUpload = cast("FolderObjectUpload", None)
