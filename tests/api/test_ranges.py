"""Ranges of files, compared with what Starlette's own answer for files gives, and with RFC 9110 where that is stricter."""

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import FileResponse
from starlette.routing import Route

from kedge.api.mlflow.downloads import file_answer
from kedge.api.ranges import OutsideFile, ranges_of
from kedge.core.errors import Invalid
from kedge.storage.artifacts import FolderArtifacts

CONTENT = bytes(range(256)) * 5000


@pytest.fixture
def both(tmp_path, port):
    """Our answer under /ours, Starlette's under /theirs, of one file."""
    store = FolderArtifacts(tmp_path)
    (tmp_path / "a.bin").write_bytes(CONTENT)
    (tmp_path / "empty.bin").write_bytes(b"")

    def ours(request):
        name = request.path_params["name"]
        return file_answer(request, store.file(name), name)

    def theirs(request):
        return FileResponse(tmp_path / request.path_params["name"])

    routes = [Route("/ours/{name}", ours), Route("/theirs/{name}", theirs)]
    url, switch = port
    switch.app = Starlette(routes=routes)
    with httpx.Client(base_url=url, trust_env=False, timeout=20) as client:
        yield client


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "asked",
    [None, "bytes=0-", "bytes=5-9", "bytes=-7", "bytes=1279999-", "bytes=0-99999999", "bytes=9-", "BYTES=1-2",
     "bytes=1280000-", "bytes=9999999-", "bytes=1-2,2-9", "bytes=1-2, 5-6,100-99999", "bytes=-99999999"],
)  # fmt: skip
def test_as_starlette_answers(both, asked, method):
    headers = {} if asked is None else {"range": asked}
    ours, theirs = (both.request(method, f"/{side}/a.bin", headers=headers) for side in ("ours", "theirs"))
    assert ours.status_code == theirs.status_code
    for name in ("content-length", "content-range", "accept-ranges"):
        if ours.status_code != 416 or name == "content-range":
            assert ours.headers.get(name) == theirs.headers.get(name), name
    if "boundary=" in ours.headers.get("content-type", ""):
        mine, other = (each.headers["content-type"].partition("boundary=")[2] for each in (ours, theirs))
        assert ours.content.replace(mine.encode(), other.encode()) == theirs.content
    elif ours.status_code != 416:
        assert ours.content == theirs.content


def test_a_range_only_of_the_same_file(both):
    whole = both.get("/ours/a.bin")
    for condition in (whole.headers["etag"], whole.headers["last-modified"]):
        part = both.get("/ours/a.bin", headers={"range": "bytes=0-1", "if-range": condition})
        assert (part.status_code, part.content) == (206, CONTENT[:2])
    for condition in ('"other"', "W/" + whole.headers["etag"], "Thu, 01 Jan 1970 00:00:00 GMT"):
        other = both.get("/ours/a.bin", headers={"range": "bytes=0-1", "if-range": condition})
        assert (other.status_code, other.content) == (200, CONTENT)


def test_of_an_empty_file_there_is_no_part(both):
    assert both.get("/ours/empty.bin").content == b""
    part = both.get("/ours/empty.bin", headers={"range": "bytes=0-"})
    assert (part.status_code, part.headers["content-range"]) == (416, "bytes */0")


def test_units_that_nobody_knows_and_too_many_ranges_give_the_whole():
    assert ranges_of("lines=1-2", 9) is None
    assert ranges_of("bytes=" + ",".join(["1-2"] * 101), 9) is None


def test_a_range_beyond_the_end_is_left_out_while_another_is_within():
    assert ranges_of("bytes=0-1,99-", 9) == [(0, 2)]
    with pytest.raises(OutsideFile):
        ranges_of("bytes=99-,-0", 9)


@pytest.mark.parametrize(
    "asked", ["bytes=", "bytes=-", "bytes=a-b", "bytes=5-2", "bytes=1", "bytes=1-2,x", "bytes=--1"]
)
def test_what_is_no_range_is_refused(asked):
    with pytest.raises(Invalid):
        ranges_of(asked, 9)
