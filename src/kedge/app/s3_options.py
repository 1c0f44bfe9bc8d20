"""The options that say where a bucket is and who we are there."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from kedge.core.errors import ConfigError
from kedge.storage.s3_signing import S3Place


def place_of(values: Mapping[str, Any]) -> S3Place:
    """The bucket that the options name, as they are."""
    bucket, _, prefix = str(values["artifacts"]).removeprefix("s3://").partition("/")
    return S3Place(
        bucket=bucket,
        prefix=prefix.strip("/"),
        endpoint=values["s3.endpoint"],
        region=values["s3.region"],
        access_key_id=values["s3.access_key_id"],
        secret_access_key=values["s3.secret_access_key"],
        session_token=values["s3.session_token"],
    )


def checked_place(values: Mapping[str, Any], origins: Mapping[str, str]) -> S3Place:
    """The same, checked. Raises ConfigError, in which no secret stands."""
    place = place_of(values)
    where = f"{origins['artifacts']}: artifacts"
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}", place.bucket):
        raise ConfigError(f"{where} = {place.url!r} names no bucket", hint="write s3://bucket/prefix")
    if "@" in place.endpoint or "?" in place.endpoint:
        raise ConfigError(
            f"{origins['s3.endpoint']}: s3.endpoint is a scheme, a host and a port, nothing else",
            hint="keys go into s3.access_key_id and s3.secret_access_key",
        )
    if bool(place.access_key_id) != bool(place.secret_access_key):
        raise ConfigError(
            f"{where}: s3.access_key_id and s3.secret_access_key go together, and one is missing"
        )
    if (
        place.session_token
        and origins["s3.session_token"].startswith("AWS_")
        and not origins["s3.access_key_id"].startswith("AWS_")
    ):
        place = msgspec.structs.replace(place, session_token="")  # another key's
    return place
