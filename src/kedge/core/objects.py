"""The seam for bytes kept by content: an object's id is the BLAKE3 hash of its bytes (64 hexadecimal digits)."""

from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, Protocol


class ObjectUpload(Protocol):
    """An object on its way, of one thread at a time: nobody sees it before `finish`."""

    def write(self, chunk: bytes) -> None:
        """Take the next bytes."""
        ...

    def finish(self) -> str:
        """Its id: it is stored, and durable."""
        ...

    def abort(self) -> None:
        """It never was; harmless after `finish`."""
        ...


class ObjectStore(Protocol):
    """Write-once bytes by content. Safe for threads and processes; a put is all or nothing and durable on return."""

    def put(self, chunks: Iterable[bytes]) -> str:
        """Store what the chunks make up and return its id; storing the same bytes again changes nothing."""
        ...

    def receive(self) -> ObjectUpload:
        """Begin an object whose bytes come piece by piece."""
        ...

    def has(self, object_id: str) -> bool:
        """Whether the object is stored; a malformed id is simply not."""
        ...

    def size_bytes(self, object_id: str) -> int:
        """Length of the object. Raises NotFound."""
        ...

    def open(self, object_id: str) -> BinaryIO:
        """Open for reading. Raises NotFound."""
        ...

    def path(self, object_id: str) -> Path:
        """A read-only local file with the object's bytes. Raises NotFound."""
        ...
