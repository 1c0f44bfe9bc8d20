"""Objects in a folder: `objects/ab/cdef...`, written beside and renamed, so that a reader never sees half of one."""

import os
import tempfile
from collections.abc import Iterable
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
        hasher = blake3()
        descriptor, name = tempfile.mkstemp(dir=self._incoming)
        temporary = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                for chunk in chunks:
                    hasher.update(chunk)
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            object_id = hasher.hexdigest()
            self._keep(temporary, self._place(object_id))
        except OSError as error:
            raise StorageError(
                f"could not store an object in {self._root}: {error}", hint="run `kedge doctor`"
            ) from error
        finally:
            temporary.unlink(missing_ok=True)
        return object_id

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

    def _keep(self, temporary: Path, place: Path) -> None:
        if not place.exists():
            place.parent.mkdir(exist_ok=True)
            temporary.chmod(0o444)
            temporary.rename(place)
        # Also when it was there: another put may have renamed it and not come to this line yet.
        _sync_folder(place.parent)
        _sync_folder(self._root)


def _well_formed(object_id: str) -> bool:
    return len(object_id) == _HASH_DIGITS and all(digit in "0123456789abcdef" for digit in object_id)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


if TYPE_CHECKING:
    from kedge.core.objects import ObjectStore

    _fits: ObjectStore = FolderObjects(Path())
