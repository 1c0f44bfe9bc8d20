"""Where artifacts are kept: the one place that names the stores."""

from pathlib import Path

from kedge.core.artifacts import ArtifactStore
from kedge.core.clock import Clock
from kedge.storage.artifacts import FolderArtifacts
from kedge.storage.s3_artifacts import S3Artifacts
from kedge.storage.s3_direct import S3Direct
from kedge.storage.s3_signing import S3Place


def open_artifacts(folder: Path, at: S3Place | None, clock: Clock, *, direct: bool) -> ArtifactStore:
    """The store of artifacts: a folder, or a bucket. Raises MissingExtra."""
    if at is None:
        return FolderArtifacts(folder)
    # Without a key of our own there is nothing to sign an address with.
    return S3Artifacts(at, S3Direct(at, clock) if direct and at.access_key_id else None)
