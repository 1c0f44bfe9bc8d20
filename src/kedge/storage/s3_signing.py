"""Addresses that S3 takes as signed (signature version 4, in the query).

obstore signs whole objects alone; the parts of an upload that a client sends itself need a signed query of their own.

References
----------
"Authenticating Requests: Using Query Parameters", Amazon Simple Storage Service API Reference.
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

import msgspec

DEFAULT_REGION = "us-east-1"


class S3Place(msgspec.Struct, frozen=True, kw_only=True):
    """A bucket, the prefix of our keys in it, and who we are there; its text shows no secret."""

    bucket: str
    prefix: str = ""
    endpoint: str = ""
    """Empty: Amazon's own, by region."""
    region: str = DEFAULT_REGION
    access_key_id: str = ""
    """Empty: whatever the machine's role or instance offers."""
    secret_access_key: str = ""
    session_token: str = ""

    @property
    def url(self) -> str:
        """As `s3://bucket/prefix`."""
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")

    @property
    def origin(self) -> str:
        """The address of the bucket, without a slash at its end."""
        endpoint = self.endpoint or f"https://s3.{self.region}.amazonaws.com"
        return f"{endpoint.rstrip('/')}/{self.bucket}"

    def key(self, path: str) -> str:
        """The key of a path below the prefix."""
        return f"{self.prefix}/{path}".strip("/")

    def __repr__(self) -> str:
        return f"S3Place({self.url!r}, endpoint={self.endpoint!r})"


def presigned(
    place: S3Place, method: str, key: str, query: Mapping[str, str], now_ms: int, *, expires_s: int
) -> str:
    """An address under which anybody may do this one thing to the bucket's `key` for some time.

    Parameters
    ----------
    place
        With an access key and its secret.
    method
        GET, PUT, POST, DELETE or HEAD; the address is for it alone.
    key
        In the bucket, with the prefix; empty for the bucket itself.
    query
        What the request asks besides, such as `partNumber` and `uploadId`.
    now_ms
        Milliseconds since 1970.
    expires_s
        1 to 604,800.

    Examples
    --------
    >>> place = S3Place(bucket="b", endpoint="https://s3.example", access_key_id="me", secret_access_key="s")
    >>> presigned(place, "GET", "a b", {}, 0, expires_s=60).partition("?")[0]
    'https://s3.example/b/a%20b'
    """
    at = datetime.fromtimestamp(now_ms / 1000, UTC)
    stamp, day = at.strftime("%Y%m%dT%H%M%SZ"), at.strftime("%Y%m%d")
    scope = f"{day}/{place.region}/s3/aws4_request"
    asked = {
        **query,
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"{place.access_key_id}/{scope}",
        "X-Amz-Date": stamp,
        "X-Amz-Expires": str(expires_s),
        "X-Amz-SignedHeaders": "host",
        **({"X-Amz-Security-Token": place.session_token} if place.session_token else {}),
    }
    pairs = sorted((_quoted(name), _quoted(value)) for name, value in asked.items())
    written = "&".join(f"{name}={value}" for name, value in pairs)
    address = f"{place.origin}/{quote(key, safe='/-._~')}"
    parts = urlsplit(address)
    canonical = "\n".join(
        (method, parts.path, written, f"host:{parts.netloc}", "", "host", "UNSIGNED-PAYLOAD")
    )
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}"
    secret = f"AWS4{place.secret_access_key}".encode()
    for word in (day, place.region, "s3", "aws4_request"):
        secret = _hash(secret, word)
    return f"{address}?{written}&X-Amz-Signature={_hash(secret, text).hex()}"


def _quoted(text: str) -> str:
    return quote(text, safe="-._~")


def _hash(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
