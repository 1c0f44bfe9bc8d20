"""The seam of artifacts: files below one root, by relative paths, as MLflow's proxy keeps them."""

from pathlib import Path
from typing import Protocol

import msgspec


class ArtifactEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A file or folder in a list; the path is relative to the root."""

    path: str
    is_dir: bool
    size_bytes: int | None = None


class ArtifactUpload(Protocol):
    """A file on its way: nobody sees it before `finish`."""

    def write(self, chunk: bytes) -> None: ...
    def finish(self) -> None:
        """It is there, and durable, in place of any before."""
        ...

    def abort(self) -> None:
        """It never was; harmless after `finish`."""
        ...


class ArtifactStore(Protocol):
    """Files of runs and models. Paths that lead out of the root are Invalid; what is not there is NotFound."""

    def receive(self, path: str) -> ArtifactUpload: ...
    def file(self, path: str) -> Path:
        """The file itself, for reading."""
        ...

    def children(self, path: str) -> list[ArtifactEntry]:
        """What a folder holds, by name; nothing for what is no folder."""
        ...

    def delete(self, path: str) -> None:
        """A file, or a folder with all it holds."""
        ...
