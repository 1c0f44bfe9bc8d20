"""The seam of artifacts: files below one root, by relative paths, as MLflow's proxy keeps them."""

from collections.abc import Callable, Iterator
from pathlib import PurePosixPath, PureWindowsPath
from typing import Protocol
from urllib.parse import unquote, urlsplit

import msgspec

from kedge.core.errors import Invalid

SCHEME = "mlflow-artifacts"
_INCOMING = ".incoming"


class ArtifactEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A file or folder in a list; the path is relative to the root."""

    path: str
    is_dir: bool
    size_bytes: int | None = None


class ArtifactFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that is there, to be read in pieces; `etag` is quoted, as HTTP writes it, and changes with the content."""

    size_bytes: int
    etag: str
    modified_s: float
    chunks: Callable[[int, int], Iterator[bytes]]
    """The bytes from `start` up to `stop`, a few mebibytes at a time at most. Raises Conflict where another file has
    taken the place in the meantime, StorageError or Unavailable where it cannot be read, and never ends early."""


class ArtifactUpload(Protocol):
    """A file on its way: nobody sees it before `finish`."""

    def write(self, chunk: bytes) -> None: ...
    def finish(self) -> None:
        """It is there, and durable, in place of any before."""
        ...

    def abort(self) -> None:
        """It never was; harmless after `finish`."""
        ...


class BegunUpload(msgspec.Struct, frozen=True, kw_only=True):
    """An upload in parts that a client sends to the store itself: an address for each part, from the first on."""

    upload_id: str
    addresses: tuple[str, ...]


class SentPart(msgspec.Struct, frozen=True, kw_only=True):
    """A part that arrived: its number, from 1, and what the store answered for it."""

    number: int
    etag: str


class DirectTransfers(Protocol):
    """Files that go between a client and the store without passing through us, by addresses that we sign."""

    def begin(self, path: str, parts: int) -> BegunUpload: ...
    def complete(self, path: str, upload_id: str, parts: tuple[SentPart, ...]) -> None:
        """The file is there. Raises NotFound for an unknown upload, Invalid for parts that are not what arrived."""
        ...

    def abort(self, path: str, upload_id: str) -> None:
        """The parts are gone; harmless for an unknown upload."""
        ...

    def download_address(self, path: str) -> str:
        """Where the file can be read for some minutes."""
        ...


class ArtifactStore(Protocol):
    """Files of runs and models. Paths that lead out of the root are Invalid; what is not there is NotFound.

    A store that is another machine's raises Unavailable where that one does not answer, or refuses us.
    """

    direct: DirectTransfers | None
    """Where clients may send to and fetch from the store themselves."""

    def receive(self, path: str) -> ArtifactUpload: ...
    def file(self, path: str) -> ArtifactFile:
        """A file, for reading. Raises Invalid for a folder."""
        ...

    def children(self, path: str) -> list[ArtifactEntry]:
        """What a folder holds, by name; nothing for what is no folder."""
        ...

    def delete(self, path: str) -> None:
        """A file, or a folder with all it holds."""
        ...


def path_of(location: str) -> str | None:
    """The path below the root that the address of an artifact means; None where it lies elsewhere.

    Examples
    --------
    >>> path_of("mlflow-artifacts:/1/m%20a/artifacts"), path_of("s3://bucket/x")
    ('1/m a/artifacts', None)
    """
    parts = urlsplit(location)
    return None if parts.scheme != SCHEME or parts.netloc else unquote(parts.path).strip("/")


def plain_path(path: str) -> str:
    """A path that a client gives, as MLflow keeps it: decoded as often as it is encoded, control characters encoded.

    Raises Invalid where it is encoded more than ten times; where it leads, `path_parts` judges.

    Examples
    --------
    >>> plain_path("1/a%2520b"), plain_path("1/50%;c"), plain_path("1/a\\tb")
    ('1/a b', '1/50%;c', '1/a%09b')
    """
    for _ in range(10):
        decoded = unquote(path)
        if decoded == path:
            return "".join(f"%{ord(c):02x}" if ord(c) < 32 or ord(c) == 127 else c for c in path)
        path = decoded
    raise Invalid("Invalid path")


def path_parts(path: str) -> list[str]:
    """The names that a path goes through, none of which is a way out; the same rule for every store. Raises Invalid.

    Examples
    --------
    >>> path_parts("1/./run//artifacts/")
    ['1', 'run', 'artifacts']
    """
    parts = [part for part in path.split("/") if part not in ("", ".")]
    # A backslash is a character of a name here, and a way for a client on Windows that fetches the file.
    if ".." in path.replace("\\", "/").split("/") or any(ord(c) < 32 or c == "#" for c in path):
        raise Invalid("Invalid path")
    if PurePosixPath(path).is_absolute() or PureWindowsPath(path).is_absolute():
        raise Invalid("Invalid path")
    if parts[:1] == [_INCOMING]:
        raise Invalid("Invalid path")
    return parts
