"""Objects over HTTP: streamed, bounded, by content."""

import tracemalloc

import httpx
import pytest
from blake3 import blake3
from tests.client.web import served

from kedge.api.native.messages import PREFIX

URL = f"{PREFIX}/objects"


def kept(web):
    return [path for path in (web.services.home / "objects").rglob("*") if path.is_file()]


@pytest.mark.parametrize("content", [b"", b"x", b"\0\xff" * 200_000], ids=["empty", "one", "large"])
def test_what_is_put_can_be_fetched(http, content):
    stored = http.put(URL, content=content)
    object_id = blake3(content).hexdigest()
    assert (stored.status_code, stored.json()) == (201, {"object_id": object_id, "size_bytes": len(content)})
    again = http.put(URL, content=content)
    assert again.json() == stored.json()
    fetched = http.get(f"{URL}/{object_id}")
    assert (fetched.status_code, fetched.content) == (200, content)
    assert fetched.headers["content-type"] == "application/octet-stream"
    assert fetched.headers["content-length"] == str(len(content))
    head = http.head(f"{URL}/{object_id}")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(content))


def test_a_part_can_be_fetched(http):
    object_id = http.put(URL, content=b"0123456789").json()["object_id"]
    part = http.get(f"{URL}/{object_id}", headers={"range": "bytes=2-4"})
    assert (part.status_code, part.content) == (206, b"234")


@pytest.mark.parametrize(
    "object_id", ["0" * 64, "x", "A" * 64, "..%2f..%2fkedge.db", "%2e%2e", "%00", "0" * 5000]
)
def test_an_unknown_or_malformed_id_is_not_found(http, object_id):
    http.put(URL, content=b"something")
    for method in ("GET", "HEAD"):
        reply = http.request(method, f"{URL}/{object_id}")
        assert reply.status_code == 404
    if len(object_id) == 64:
        assert reply.request.method == "HEAD"
        error = http.get(f"{URL}/{object_id}").json()["error"]
        assert (error["code"], object_id in error["message"]) == ("not_found", True)


def test_a_body_over_the_limit_is_refused_and_leaves_nothing(web, http):
    web.limit_bytes = 1000

    def pieces():
        for _ in range(50):
            yield b"x" * 100

    for content in (b"x" * 1001, pieces()):  # announced, and streamed without a length
        reply = http.put(URL, content=content)
        assert (reply.status_code, reply.json()["error"]["code"]) == (413, "too_large")
    assert kept(web) == []
    assert http.put(URL, content=b"x" * 1000).status_code == 201


def test_a_page_of_another_site_cannot_put(web, http):
    reply = http.put(URL, content=b"x", headers={"origin": "https://elsewhere.example"})
    assert reply.status_code == 403
    assert kept(web) == []


@pytest.mark.slow
def test_memory_stays_small_whatever_the_size(web):
    size_bytes = 48 * 1024**2
    piece = bytes(256 * 1024)

    def pieces():
        for _ in range(size_bytes // len(piece)):
            yield piece

    with served(web.app()) as url:
        httpx.put(url + URL, content=b"warm", trust_env=False)
        tracemalloc.start()
        try:
            stored = httpx.put(url + URL, content=pieces(), timeout=60, trust_env=False)
            _, peak_bytes = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert stored.json()["size_bytes"] == size_bytes
    assert peak_bytes < size_bytes / 6


def test_a_client_that_goes_away_leaves_nothing(web):
    def broken():
        yield b"x" * 10_000
        raise RuntimeError("gone")

    with served(web.app()) as url:
        with pytest.raises(RuntimeError, match="gone"):
            httpx.put(url + URL, content=broken(), trust_env=False)
        answered = httpx.put(url + URL, content=b"another", trust_env=False)
    assert answered.status_code == 201
    assert [path.read_bytes() for path in kept(web)] == [b"another"]
