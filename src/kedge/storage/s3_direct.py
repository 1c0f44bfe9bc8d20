"""Transfers between clients and S3 themselves, by signed addresses: an upload in parts, a download."""

from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote

from kedge.core.artifacts import BegunUpload, SentPart, path_parts
from kedge.core.clock import Clock
from kedge.core.errors import Invalid, NotFound
from kedge.storage.s3_errors import code_in, refusal
from kedge.storage.s3_signing import S3Place, presigned

MOST_PARTS = 10_000
PART_EXPIRES_S = 3600
DOWNLOAD_EXPIRES_S = 300
_OURS_EXPIRES_S = 300
_BAD_PARTS = frozenset(
    {"InvalidPart", "InvalidPartOrder", "EntityTooSmall", "MalformedXML", "InvalidRequest"}
)


class S3Direct:
    """`DirectTransfers` to a bucket whose keys we know."""

    def __init__(self, place: S3Place, clock: Clock) -> None:
        self._place = place
        self._clock = clock
        import httpx  # 12 MiB, which processes without a bucket need not carry

        self._httpx = httpx
        self._timeout = httpx.Timeout(300.0, connect=5.0)
        self._trusted = httpx.create_ssl_context()

    def begin(self, path: str, parts: int) -> BegunUpload:
        if not 0 <= parts <= MOST_PARTS:
            raise Invalid(f"an upload has at most {MOST_PARTS:,} parts, not {parts}")
        key = self._key(path)
        answer = self._ask("POST", path, key, {"uploads": ""})
        upload_id = answer.partition("<UploadId>")[2].partition("</UploadId>")[0]
        if not upload_id:
            raise refusal(self._place, path, "", "no upload id")
        addresses = (
            self._address("PUT", key, {"partNumber": str(number), "uploadId": upload_id}, PART_EXPIRES_S)
            for number in range(1, parts + 1)
        )
        return BegunUpload(upload_id=upload_id, addresses=tuple(addresses))

    def complete(self, path: str, upload_id: str, parts: tuple[SentPart, ...]) -> None:
        told = "".join(
            f"<Part><PartNumber>{part.number}</PartNumber><ETag>{escape(part.etag)}</ETag></Part>"
            for part in parts
        )
        body = f"<CompleteMultipartUpload>{told}</CompleteMultipartUpload>"
        self._ask("POST", path, self._key(path), {"uploadId": upload_id}, body)

    def abort(self, path: str, upload_id: str) -> None:
        try:
            self._ask("DELETE", path, self._key(path), {"uploadId": upload_id})
        except NotFound:
            return

    def download_address(self, path: str) -> str:
        key = self._key(path)
        name = quote(key.rpartition("/")[2], safe="!#$&+-.^_`|~")
        shown = {"response-content-disposition": f"attachment; filename*=UTF-8''{name}"}
        return self._address("GET", key, shown, DOWNLOAD_EXPIRES_S)

    def _key(self, path: str) -> str:
        parts = path_parts(path)
        if not parts:
            raise Invalid("Invalid path")
        return self._place.key("/".join(parts))

    def _address(self, method: str, key: str, query: dict[str, str], expires_s: int) -> str:
        return presigned(self._place, method, key, query, self._clock.now_ms(), expires_s=expires_s)

    def _ask(self, method: str, path: str, key: str, query: dict[str, str], body: str = "") -> str:
        address = self._address(method, key, query, _OURS_EXPIRES_S)
        try:
            with self._httpx.Client(timeout=self._timeout, verify=self._trusted) as client:
                answer = client.request(method, address, content=body.encode())
        except self._httpx.HTTPError as error:
            raise refusal(self._place, path, "", "") from error
        code = code_in(
            answer.text
        )  # S3 says OK before it has put large files together, and may find a fault then
        if answer.is_success and not code:
            return answer.text
        if code == "NoSuchUpload":
            raise NotFound(f"there is no upload {query.get('uploadId')!r} of {path!r}")
        if code in _BAD_PARTS:
            raise Invalid(f"the parts of {path!r} are not what arrived ({code})")
        raise refusal(self._place, path, code, f"{answer.status_code} {answer.reason_phrase}")


if TYPE_CHECKING:
    from typing import cast

    from kedge.core.artifacts import DirectTransfers

    _fits: DirectTransfers = cast("S3Direct", None)
