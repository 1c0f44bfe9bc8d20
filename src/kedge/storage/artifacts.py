"""Artifacts in a folder: written beside and renamed, so that a reader never sees half of one."""

import contextlib
import functools
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from kedge.core.artifacts import ArtifactEntry, ArtifactFile, DirectTransfers, path_parts
from kedge.core.errors import Conflict, Invalid, KedgeError, NotFound, StorageError

_INCOMING = ".incoming"
_CHUNK_BYTES = 1 << 20


class FolderUpload:
    """`ArtifactUpload` into a folder."""

    def __init__(self, incoming: Path, place: Path) -> None:
        incoming.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=incoming)
        self._file = os.fdopen(descriptor, "wb")
        self._temporary = Path(name)
        self._place = place

    def write(self, chunk: bytes) -> None:
        try:
            self._file.write(chunk)
        except OSError as error:
            raise _refused(self._place, error) from error

    def finish(self) -> None:
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._place.parent.mkdir(parents=True, exist_ok=True)
            self._temporary.replace(self._place)
            _sync_folder(self._place.parent)
        except OSError as error:
            raise _refused(self._place, error) from error

    def abort(self) -> None:
        with contextlib.suppress(OSError):  # a full disk refuses what is still to be written
            self._file.close()
        self._temporary.unlink(missing_ok=True)


class FolderArtifacts:
    """`ArtifactStore` on a local folder."""

    direct: DirectTransfers | None = None

    def __init__(self, root: Path) -> None:
        self._root = root

    def receive(self, path: str) -> FolderUpload:
        place = self._place(path)
        if place == self._root or place.is_dir():
            raise Invalid(f"{path!r} is a folder; an artifact needs a name of its own")
        try:
            return FolderUpload(self._root / _INCOMING, place)
        except OSError as error:
            raise _refused(place, error) from error

    def file(self, path: str) -> ArtifactFile:
        place = self._place(path)
        try:
            found = place.stat()
        except (FileNotFoundError, NotADirectoryError) as error:
            raise NotFound(f"No such artifact: '{path}'") from error
        except OSError as error:
            raise _unreadable(place, error) from error
        if stat.S_ISDIR(found.st_mode):
            raise Invalid(f"Artifact path refers to a directory, not a file: '{path}'")
        if not stat.S_ISREG(found.st_mode):
            raise NotFound(f"No such artifact: '{path}'")
        etag = _etag(found)
        return ArtifactFile(
            size_bytes=found.st_size,
            etag=etag,
            modified_s=found.st_mtime,
            chunks=functools.partial(_chunks, place, etag),
        )

    def children(self, path: str) -> list[ArtifactEntry]:
        place = self._place(path)
        if not place.is_dir():
            return []
        found = []
        for each in sorted(place.iterdir()):
            if place == self._root and each.name == _INCOMING:
                continue
            is_dir = each.is_dir()
            size = None if is_dir else each.stat().st_size
            found.append(
                ArtifactEntry(path=str(each.relative_to(self._root)), is_dir=is_dir, size_bytes=size)
            )
        return found

    def delete(self, path: str) -> None:
        place = self._place(path)
        if place == self._root:
            raise Invalid("the folder of all artifacts cannot be deleted")
        if place.is_dir():
            shutil.rmtree(place)
        elif place.exists():
            place.unlink()
        else:
            raise NotFound(f"No such artifact: '{path}'")

    def _place(self, path: str) -> Path:
        """Where it lies; Invalid where that is not below the root, by its name or by a link."""
        place = self._root.joinpath(*path_parts(path))
        if not place.resolve().is_relative_to(self._root.resolve()):
            raise Invalid("Invalid path")
        return place


def _chunks(place: Path, etag: str, start: int, stop: int) -> Iterator[bytes]:
    try:
        with place.open("rb", buffering=0) as file:
            if _etag(os.fstat(file.fileno())) != etag:
                raise Conflict(
                    f"the artifact {place.name} was replaced while it was asked for", hint="ask again"
                )
            file.seek(start)
            while start < stop:
                chunk = file.read(min(_CHUNK_BYTES, stop - start))
                if not chunk:
                    raise StorageError(f"the artifact {place.name} was cut short while it was read")
                start += len(chunk)
                yield chunk
    except FileNotFoundError as error:
        raise NotFound(f"No such artifact: '{place.name}'") from error
    except OSError as error:
        raise _unreadable(place, error) from error


def _etag(found: os.stat_result) -> str:
    return f'"{found.st_mtime_ns:x}-{found.st_size:x}-{found.st_ino:x}"'


def _unreadable(place: Path, error: OSError) -> StorageError:
    return StorageError(
        f"could not read the artifact {place.name}: {error.strerror}", hint="run `kedge doctor`"
    )


def _refused(place: Path, error: OSError) -> KedgeError:
    if isinstance(error, FileExistsError | NotADirectoryError):
        return Invalid(f"{place.name!r} cannot lie there: a name on the way to it is a file's")
    return StorageError(f"could not store the artifact {place.name}: {error}", hint="run `kedge doctor`")


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


if TYPE_CHECKING:
    from typing import cast

    from kedge.core.artifacts import ArtifactStore

    _fits: ArtifactStore = cast("FolderArtifacts", None)
