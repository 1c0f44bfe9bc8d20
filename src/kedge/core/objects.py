"""The seam for bytes kept by content: an object's id is the BLAKE3 hash of its bytes (64 hexadecimal digits)."""

from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, Protocol


class ObjectStore(Protocol):
    """Write-once bytes by content. Safe for threads and processes; a put is all or nothing and durable on return."""

    def put(self, chunks: Iterable[bytes]) -> str:
        """Store what the chunks make up and return its id; storing the same bytes again changes nothing."""
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
