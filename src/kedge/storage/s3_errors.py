"""What S3 refuses, in our words: the one place where its errors are translated."""

import contextlib
import re
from collections.abc import Iterator

from kedge.core.errors import StorageError, Unavailable
from kedge.storage.s3_signing import S3Place

_CODE = re.compile(r"<Code>([A-Za-z]{1,60})</Code>")
_STATUS = re.compile(r"non-2xx status code: (\d{3}[^:\n]{0,40})")
_REASONS = {
    "SignatureDoesNotMatch": "the secret access key does not belong to the access key",
    "InvalidAccessKeyId": "it does not know the access key",
    "AccessDenied": "the access key may not do this",
    "NoSuchBucket": "it has no such bucket",
    "RequestTimeTooSkewed": "its clock and this machine's differ",
    "QuotaExceeded": "the quota is used up",
}
_FULL = frozenset({"QuotaExceeded", "EntityTooLarge", "TooManyParts"})


@contextlib.contextmanager
def translated(place: S3Place, path: str) -> Iterator[None]:
    """Turn errors of obstore into ours; FileNotFoundError passes where it is the object that is missing, and so does
    PreconditionError. What S3 was asked with is never repeated: an address may hold a signature."""
    from obstore.exceptions import BaseError, PreconditionError

    try:
        yield
    except PreconditionError:
        raise
    except FileNotFoundError as error:
        if (code := code_in(str(error))) in ("", "NoSuchKey", "NoSuchUpload"):
            raise
        raise refusal(place, path, code, "") from error
    except (BaseError, OSError) as error:
        text = str(error)
        status = _STATUS.search(text)
        raise refusal(place, path, code_in(text), status[1].strip() if status else "") from error


def code_in(text: str) -> str:
    """S3's code in an answer of its; empty where there is none."""
    found = _CODE.search(text)
    return found[1] if found else ""


def refusal(place: S3Place, path: str, code: str, status: str) -> Unavailable | StorageError:
    """The error for what S3 answered; without code and status, it did not answer."""
    where = f"the artifact store {place.url}" + (f" at {place.endpoint}" if place.endpoint else "")
    if code in _FULL:
        return StorageError(f"{where} refused {path!r}: {_REASONS.get(code, code)} ({code})")
    if not code and not status:
        return Unavailable(
            f"{where} does not answer", hint="try again; `kedge doctor` tells whether it is reached"
        )
    reason = _REASONS.get(code) or ("access is refused" if status.startswith("403") else "see its log")
    return Unavailable(
        f"{where} refused: {reason} ({code or status})", hint="see artifacts and s3 in `kedge config`"
    )
