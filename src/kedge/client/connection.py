"""One HTTP connection to the platform; answers come back as structs, errors as the KedgeError they were."""

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import httpx
import msgspec

from kedge.client.settings import platform_url
from kedge.core import errors

PREFIX = "/api/kedge/v1"
TIMEOUT_S = 120.0

_BY_CODE: dict[str, type[errors.KedgeError]] = {
    error.code: error
    for error in (
        errors.NotFound,
        errors.AlreadyExists,
        errors.Invalid,
        errors.Conflict,
        errors.TooLarge,
        errors.Unavailable,
        errors.GateFailed,
        errors.StorageError,
    )
}

T = TypeVar("T")


class Connection:
    """Thread-safe; `call` sends JSON and decodes the answer into `shape`."""

    def __init__(self, url: str | None = None) -> None:
        self.url = (url or platform_url()).rstrip("/")
        self._http = httpx.Client(base_url=self.url, timeout=TIMEOUT_S, trust_env=False)

    def call(
        self,
        method: str,
        path: str,
        shape: type[T],
        *,
        body: Any = None,
        query: dict[str, Any] | None = None,
        content: bytes | Iterable[bytes] | None = None,
    ) -> T:
        """Send and decode. Raises the KedgeError that the server answered, or Unavailable when it does not."""
        data = msgspec.json.encode(body) if body is not None else content
        headers = {"content-type": "application/json"} if body is not None else {}
        try:
            reply = self._http.request(method, PREFIX + path, content=data, params=query, headers=headers)
        except httpx.HTTPError as error:
            raise self._silent(error) from error
        if reply.is_error:
            raise _error(reply)
        try:
            return msgspec.json.decode(reply.content or b"null", type=shape)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise errors.Unavailable(
                f"{self.url} does not answer as Kedge does: {error}", hint="is KEDGE_URL right?"
            ) from error

    def close(self) -> None:
        """Close the connections that were kept open; the next call opens new ones."""
        self._http.close()
        self._http = httpx.Client(base_url=self.url, timeout=TIMEOUT_S, trust_env=False)

    def download(self, path: str) -> Iterator[bytes]:
        """The body of GET `path`, in pieces. Raises as `call` does."""
        try:
            with self._http.stream("GET", PREFIX + path) as reply:
                if reply.is_error:
                    reply.read()
                    raise _error(reply)
                yield from reply.iter_bytes()
        except httpx.HTTPError as error:
            raise self._silent(error) from error

    def exists(self, path: str) -> bool:
        """Whether HEAD `path` finds something."""
        try:
            reply = self._http.head(PREFIX + path)
        except httpx.HTTPError as error:
            raise self._silent(error) from error
        if reply.is_error and reply.status_code != httpx.codes.NOT_FOUND:
            raise _error(reply)
        return not reply.is_error

    def _silent(self, error: httpx.HTTPError) -> errors.Unavailable:
        return errors.Unavailable(
            f"no answer from {self.url}: {error}", hint="start it with `kedge up`, or set KEDGE_URL"
        )


def _error(reply: httpx.Response) -> errors.KedgeError:
    try:
        fields = msgspec.json.decode(reply.content)["error"]
        kind = _BY_CODE.get(fields["code"], errors.KedgeError)
        return kind(fields["message"], hint=fields.get("hint", ""))
    except (msgspec.DecodeError, KeyError, TypeError):
        return errors.KedgeError(f"{reply.request.method} {reply.request.url} answered {reply.status_code}")


_shared: Connection | None = None


def connect(url: str | None = None) -> Connection:
    """Use the platform at `url` (default: KEDGE_URL, else http://127.0.0.1:5000) from here on."""
    global _shared  # noqa: PLW0603 - the SDK's one piece of state
    wanted = (url or platform_url()).rstrip("/")
    if _shared is None or _shared.url != wanted:
        _shared = Connection(wanted)
    return _shared


def connection() -> Connection:
    """The connection in use; made at the first call."""
    return _shared or connect()
