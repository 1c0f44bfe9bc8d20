"""Artifacts on S3: an object a file, under the same names as in a folder, as MLflow's own S3 store lays them out.

An object appears when its upload ends, whole or not at all; large ones go up in parts, which an abort takes away again.
"""

import contextlib
import functools
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from kedge.core.artifacts import ArtifactEntry, ArtifactFile, DirectTransfers, path_parts
from kedge.core.errors import Conflict, Invalid, KedgeError, MissingExtra, NotFound, StorageError
from kedge.storage.s3_errors import translated
from kedge.storage.s3_signing import S3Place

if TYPE_CHECKING:
    from obstore import ObjectMeta, WritableFile
    from obstore.store import S3Config

PART_BYTES = 8 * 1024**2
"""S3 takes 10,000 parts: enough for the 64 GiB that a file may have."""
PARTS_AT_ONCE = 3
_CHUNK_BYTES = 1 << 20
_SETTINGS: dict[str, Any] = {
    "client_options": {
        "allow_http": True,
        "connect_timeout": timedelta(seconds=5),
        # Of a whole request: a download takes as long as the slowest client.
        "timeout": timedelta(hours=12),
        "read_timeout": timedelta(seconds=60),
    },
    "retry_config": {
        "max_retries": 3,
        "retry_timeout": timedelta(seconds=15),
        "backoff": {
            "init_backoff": timedelta(milliseconds=100),
            "max_backoff": timedelta(seconds=2),
            "base": 2,
        },
    },
}


class S3Upload:
    """`ArtifactUpload` to S3; it holds a few parts in memory, never the whole."""

    def __init__(self, place: S3Place, path: str, writer: "WritableFile") -> None:
        self._place = place
        self._path = path
        self._writer: WritableFile | None = writer

    def write(self, chunk: bytes) -> None:
        if chunk and self._writer is not None:
            with self._under_way():
                self._writer.write(chunk)

    def finish(self) -> None:
        if self._writer is not None:
            with self._under_way():
                self._writer.close()
            self._writer = None

    @contextlib.contextmanager
    def _under_way(self) -> Iterator[None]:
        try:
            with translated(self._place, self._path):
                yield
        except FileNotFoundError as error:
            raise StorageError(
                f"the upload of {self._path!r} was ended by the store", hint="send it again"
            ) from error

    def abort(self) -> None:
        writer, self._writer = self._writer, None
        if writer is None:
            return
        unwanted = KedgeError("the upload ended early")
        try:
            # Told as a `with` tells it, for that is the one way to say it: parts that arrived are deleted.
            with translated(self._place, self._path):
                writer.__exit__(type(unwanted), unwanted, None)
        except (KedgeError, OSError):
            return  # the server is gone, or has forgotten the upload; the bucket's rule for stale ones takes the rest


class S3Artifacts:
    """`ArtifactStore` on a bucket, below a prefix."""

    def __init__(self, place: S3Place, direct: DirectTransfers | None = None) -> None:
        try:
            import obstore
            from obstore.store import S3Store
        except ImportError as error:
            raise MissingExtra("obstore is not installed", hint='pip install "kedge[s3]"') from error
        self._obstore = obstore
        self._place = place
        self.direct = direct
        self._store = S3Store(place.bucket, prefix=place.prefix or None, config=_config(place), **_SETTINGS)

    def receive(self, path: str) -> S3Upload:
        key = _key(path)
        if not key or self._holds(key):
            raise Invalid(f"{path!r} is a folder; an artifact needs a name of its own")
        writer = self._obstore.open_writer(
            self._store, key, buffer_size=PART_BYTES, max_concurrency=PARTS_AT_ONCE
        )
        return S3Upload(self._place, path, writer)

    def file(self, path: str) -> ArtifactFile:
        key = _key(path)
        found = self._head(key) if key else None
        if found is None:
            if not key or self._holds(key):
                raise Invalid(f"Artifact path refers to a directory, not a file: '{path}'")
            raise NotFound(f"No such artifact: '{path}'")
        etag = found["e_tag"] or f'"{found["last_modified"].timestamp():.0f}-{found["size"]}"'
        return ArtifactFile(
            size_bytes=found["size"],
            etag=etag.removeprefix("W/"),
            modified_s=found["last_modified"].timestamp(),
            chunks=functools.partial(self._chunks, path, key, found["e_tag"]),
        )

    def children(self, path: str) -> list[ArtifactEntry]:
        key = _key(path)
        with translated(self._place, path):
            found = self._obstore.list_with_delimiter(self._store, key or None)
        inside = f"{key}/" if key else ""
        entries = [ArtifactEntry(path=each, is_dir=True) for each in found["common_prefixes"]]
        # Some tools mark a folder by an empty object that ends in a slash: it is no file.
        entries += [
            ArtifactEntry(path=each["path"], is_dir=False, size_bytes=each["size"])
            for each in found["objects"]
            if each["path"].startswith(inside) and each["path"] != key
        ]
        return sorted(entries, key=lambda entry: entry.path)

    def delete(self, path: str) -> None:
        key = _key(path)
        if not key:
            raise Invalid("the folder of all artifacts cannot be deleted")
        deleted = 0
        with translated(self._place, path):
            if self._head(key) is not None:
                self._obstore.delete(self._store, key)
                deleted = 1
            for some in self._obstore.list(self._store, key, chunk_size=1000):
                self._obstore.delete(self._store, [each["path"] for each in some])
                deleted += len(some)
        if not deleted:
            raise NotFound(f"No such artifact: '{path}'")

    def complaint(self) -> str:
        """Why the bucket cannot be read; empty where it can."""
        try:
            with translated(self._place, ""):
                next(iter(self._obstore.list(self._store, chunk_size=1)), None)
        except KedgeError as error:
            return error.message
        return ""

    def _holds(self, key: str) -> bool:
        """Whether there is something below a key, so that it is a folder."""
        with translated(self._place, key):
            return bool(next(iter(self._obstore.list(self._store, key, chunk_size=1)), None))

    def _head(self, key: str) -> "ObjectMeta | None":
        try:
            with translated(self._place, key):
                return self._obstore.head(self._store, key)
        except FileNotFoundError:
            return None

    def _chunks(self, path: str, key: str, etag: str | None, start: int, stop: int) -> Iterator[bytes]:
        if start >= stop:
            return
        try:
            with translated(self._place, path):
                options: Any = {"range": (start, stop)} | ({"if_match": etag} if etag else {})
                result = self._obstore.get(self._store, key, options=options)
                for chunk in result.stream(min_chunk_size=_CHUNK_BYTES):
                    yield bytes(chunk)
        except FileNotFoundError as error:
            raise NotFound(f"No such artifact: '{path}'") from error
        except self._obstore.exceptions.PreconditionError as error:
            raise Conflict(
                f"the artifact {path!r} was replaced while it was asked for", hint="ask again"
            ) from error


def _config(place: S3Place) -> "S3Config":
    config: S3Config = {"region": place.region}
    if place.endpoint:
        config["endpoint"] = place.endpoint
    if place.access_key_id:
        config["access_key_id"] = place.access_key_id
        config["secret_access_key"] = place.secret_access_key
    if place.session_token:
        config["session_token"] = place.session_token
    return config


def _key(path: str) -> str:
    """The key below the prefix; empty for the root. Raises Invalid."""
    return "/".join(path_parts(path))


if TYPE_CHECKING:
    from typing import cast

    from kedge.core.artifacts import ArtifactStore

    _fits: ArtifactStore = cast("S3Artifacts", None)
