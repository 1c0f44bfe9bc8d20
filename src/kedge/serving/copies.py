"""Models that lie on another machine, copied here for serving: one copy a deployment, made once.

A deployment so goes on to answer with what was deployed, through restarts and while the store is away.
"""

import shutil
import tempfile
from collections.abc import Collection
from pathlib import Path

from kedge.core.artifacts import ArtifactStore, path_of
from kedge.core.deployments import Deployment
from kedge.core.errors import StorageError, TooLarge

LARGEST_MODEL_BYTES = 64 * 1024**3


class ModelCopies:
    """Copies of models in a folder of their own; used by one thread."""

    def __init__(self, artifacts: ArtifactStore, folder: Path) -> None:
        self._artifacts = artifacts
        self._folder = folder

    def source(self, deployment: Deployment) -> str:
        """Where the deployment's model can be loaded from: a copy, where it lies in no folder of this machine.

        Raises
        ------
        NotFound
            The model is gone from the store.
        Unavailable
            The store does not answer.
        StorageError
            There is no room for the copy.
        """
        path = path_of(deployment.source)
        if path is None:
            return deployment.source
        copy = self._folder / deployment.id
        if not copy.is_dir():
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                incoming = Path(tempfile.mkdtemp(prefix="incoming-", dir=self._folder))
                try:
                    self._fetch(path, incoming, LARGEST_MODEL_BYTES)
                    incoming.rename(copy)
                finally:
                    shutil.rmtree(incoming, ignore_errors=True)
            except OSError as error:
                raise StorageError(f"could not copy the model {path}: {error.strerror}") from error
        return str(copy)

    def keep(self, wanted: Collection[str]) -> None:
        """Delete the copies of all deployments but these."""
        for each in self._folder.iterdir() if self._folder.is_dir() else ():
            if each.name not in wanted:
                shutil.rmtree(each, ignore_errors=True)

    def _fetch(self, path: str, into: Path, room_bytes: int) -> int:
        for entry in self._artifacts.children(path):
            # The name alone, and never a way out: the folder rules of the store hold here too.
            place = into / entry.path.rpartition("/")[2]
            if entry.is_dir:
                place.mkdir()
                room_bytes = self._fetch(entry.path, place, room_bytes)
                continue
            file = self._artifacts.file(entry.path)
            room_bytes -= file.size_bytes
            if room_bytes < 0:
                raise TooLarge(f"the model {path} is larger than {LARGEST_MODEL_BYTES} bytes")
            with place.open("wb") as target:
                for chunk in file.chunks(0, file.size_bytes):
                    target.write(chunk)
        return room_bytes
