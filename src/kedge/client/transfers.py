"""Files to the platform's objects and back, in pieces; what arrives is checked against the hash that names it."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec
from blake3 import blake3

from kedge.client.connection import connection
from kedge.core.datasets import DatasetFile
from kedge.core.errors import Conflict, StorageError
from kedge.data.paths import checked_together, inside

_PIECE_BYTES = 1024 * 1024

OnBytes = Callable[[int], None]
"""Told the length of each piece that has been dealt with."""


class _Stored(msgspec.Struct, frozen=True):
    object_id: str
    size_bytes: int


def upload(file: Path, path: str, *, rows: int = 0, on_bytes: OnBytes | None = None) -> DatasetFile:
    """Store a local file under `path` of a version; bytes that the platform has already are not sent."""
    object_id = _hash(file)
    size_bytes = file.stat().st_size
    if connection().exists(f"/objects/{object_id}"):
        if on_bytes is not None:
            on_bytes(size_bytes)
    else:
        stored = connection().call("PUT", "/objects", _Stored, content=_pieces(file, on_bytes))
        if stored.object_id != object_id:
            raise StorageError(f"{file} changed while it was sent", hint="add it again when it is at rest")
    return DatasetFile(path=path, object_id=object_id, size_bytes=size_bytes, rows=rows)


def fetch(file: DatasetFile, folder: Path, on_bytes: OnBytes | None = None) -> Path:
    """Write one file of a version below `folder`. Raises Invalid for a path that leaves it."""
    place = inside(folder, file.path)
    place.parent.mkdir(parents=True, exist_ok=True)
    hasher = blake3()
    with place.open("wb") as out:
        for piece in connection().download(f"/objects/{file.object_id}"):
            hasher.update(piece)
            out.write(piece)
            if on_bytes is not None:
                on_bytes(len(piece))
    if hasher.hexdigest() != file.object_id:
        place.unlink()
        raise StorageError(f"{file.path!r} arrived with another content than recorded", hint="fetch it again")
    return place


def check_out(
    files: Sequence[DatasetFile], target: Path, *, force: bool, on_bytes: OnBytes | None = None
) -> None:
    """Make `target` hold exactly the files. It appears complete or, when anything fails, stays as it was."""
    checked_together(file.path for file in files)
    occupied = target.is_symlink() or (target.exists() and (not target.is_dir() or any(target.iterdir())))
    if occupied and not force:
        raise Conflict(
            f"{target} is there and not empty",
            hint="choose another folder, or replace it with force=True (--force)",
        )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".kedge-", dir=target.parent) as scratch:
            made = Path(scratch) / "files"
            made.mkdir()
            for file in files:
                fetch(file, made, on_bytes)
            _swap(made, target, Path(scratch) / "old")
    except OSError as error:
        raise StorageError(
            f"could not check out into {target}: {error}", hint="choose another folder"
        ) from error


def _swap(made: Path, target: Path, old: Path) -> None:
    """Put `made` in the place of `target`, which moves to `old`, or back when that fails."""
    had = target.is_symlink() or target.exists()
    if had:
        target.rename(old)
    try:
        made.rename(target)
    except OSError:
        if had:
            old.rename(target)
        raise


def _hash(file: Path) -> str:
    hasher = blake3()
    for piece in _pieces(file, None):
        hasher.update(piece)
    return hasher.hexdigest()


def _pieces(file: Path, on_bytes: OnBytes | None) -> Iterator[bytes]:
    with file.open("rb") as opened:
        while piece := opened.read(_PIECE_BYTES):
            yield piece
            if on_bytes is not None:
                on_bytes(len(piece))
