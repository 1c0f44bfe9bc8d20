"""Artifacts in a folder, which takes no uploads in parts: the same answers as MLflow's own server gives for one."""

import logging
from urllib.parse import quote

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from kedge.api.mlflow import about, artifacts

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::Warning"),
]  # MLflow's and its libraries' own

PARTS = [{"part_number": "1", "etag": "e", "url": "http://x"}]
ASKED = [
    *(
        ("POST", f"mpu/{what}/{path}", body)
        for what, whole in (
            ("create", {"path": "/home/me/a.bin", "num_parts": 2}),
            ("complete", {"path": "a.bin", "upload_id": "u", "parts": PARTS}),
            ("abort", {"path": "a.bin", "upload_id": "u"}),
        )
        for path in ("1/a", "%2e%2e")
        for body in (
            whole,
            {**whole, "unknown": 1},
            {**whole, "path": ""},
            {**whole, "path": None},
            {**whole, "path": 5},
            {**whole, "num_parts": "two"},
            {**whole, "num_parts": "2"},
            {**whole, "upload_id": 7},
            {**whole, "parts": None},
            {**whole, "parts": []},
            {**whole, "parts": "x"},
            {},
        )
    ),
    ("POST", "mpu/create", {"path": "a"}),
    ("POST", "mpu/other/1", {"path": "a"}),
    ("GET", "presigned/1/a", None),
    ("DELETE", "artifacts/not/there", None),
    ("GET", "artifacts?path=not/there", None),
    ("GET", "presigned/%2e%2e", None),
]


@pytest.fixture
def theirs(tmp_path, monkeypatch):
    from mlflow.server import app, handlers

    monkeypatch.setenv("_MLFLOW_SERVER_SERVE_ARTIFACTS", "true")
    monkeypatch.setenv("_MLFLOW_SERVER_ARTIFACT_DESTINATION", str(tmp_path / "theirs"))
    monkeypatch.setattr(handlers, "_artifact_repo", None)
    logging.disable(logging.CRITICAL)
    yield app.test_client()
    logging.disable(logging.NOTSET)


@pytest.fixture
def ours(web, port):
    async def otherwise(request):
        raise AssertionError(f"passed on: {request.url.path}")

    url, switch = port
    table = (*artifacts.routes(web.services, otherwise), *about.routes(web.services))
    switch.app = Starlette(routes=[Route(r.path, r.handler, methods=[r.method]) for r in table])
    switch.app.router.redirect_slashes = False
    with httpx.Client(base_url=url, trust_env=False, timeout=20) as client:
        yield client


def test_the_same_answers(theirs, ours):
    different = []
    for prefix in ("/api/2.0", "/ajax-api/2.0"):
        for method, path, body in ASKED:
            address = f"{prefix}/mlflow-artifacts/{path}"
            given = {} if body is None else {"json": body}
            mine, other = ours.request(method, address, **given), theirs.open(address, method=method, **given)
            same = mine.status_code == other.status_code
            if same and other.status_code != 404:
                same = mine.json() == other.get_json()
            if not same:
                different.append(
                    (address, body, mine.status_code, mine.text, other.status_code, other.text[:300])
                )
    assert different == []


def test_clients_are_told_that_it_takes_none(ours):
    told = ours.get("/api/3.0/mlflow/server-info").json()
    assert told["multipart_uploads_enabled"] is told["multipart_downloads_enabled"] is False


TAKEN = [
    "a;b",
    "100%.txt",
    "%zz",
    "a%20b",
    "a%2520b",
    "a\\b",
    "a?b",
    "a//b",
    "a/b%2fc",
    "x/C:/y",
    "ü%",
    "[x] ",
    "a\x7fb",
    "a%1fb",
    "...",
]
REFUSED = [
    "C:\\x",
    "C:/x",
    "\\\\host\\share\\x",
    "a#b",
    "a%23b",
    "%2e%2e/x",
    "x/%2e%2e/y",
    "%252e%252e%252fetc",
    "%2fetc",
    "/etc/x",
    "%25252fetc",
]
PROXY = "/api/2.0/mlflow-artifacts/artifacts"


def listed(client, folder=""):
    """The files below a folder."""
    found = client.get(f"{PROXY}?path={quote(folder, safe='')}")
    entries = (found.json() if isinstance(found, httpx.Response) else found.get_json()).get("files", [])
    for each in entries:
        path = f"{folder}/{each['path']}".lstrip("/")
        yield from listed(client, path) if each["is_dir"] else [path]


@pytest.mark.parametrize("name", TAKEN)
def test_names_that_mlflow_takes(theirs, ours, name):
    address = f"{PROXY}/n/{quote(name)}"
    assert theirs.put(address, data=b"x").status_code == 200
    assert ours.put(address, content=b"x").status_code == 200
    (kept,) = listed(theirs)
    assert list(listed(ours)) == [kept]
    for path in (f"n/{name}", kept):
        assert ours.get(f"{PROXY}/{quote(path)}").content == b"x"
    assert ours.delete(f"{PROXY}/{quote(kept)}").status_code == 200
    assert list(listed(ours)) == []


@pytest.mark.parametrize("name", REFUSED)
def test_names_that_mlflow_refuses(theirs, ours, name):
    address = f"{PROXY}/{quote(name)}"
    assert theirs.put(address, data=b"x").status_code in (308, 400, 404)
    for reply in (ours.put(address, content=b"x"), ours.get(address), ours.delete(address)):
        assert (reply.status_code, reply.json()["message"]) == (400, "Invalid path")
    assert list(listed(ours)) == []


def test_names_that_only_mlflow_takes_or_changes(theirs, ours):
    """The differences that are wanted."""
    for name, kept in (("a\tb", "a%09b"), ("a;", "a;"), ("a?", "a?")):
        assert ours.put(f"{PROXY}/{quote(name)}", content=b"x").status_code == 200
        assert theirs.put(f"{PROXY}/{quote(name)}", data=b"x").status_code == 200
        assert list(listed(ours)) == [kept]
        assert (
            ours.get(f"{PROXY}/{quote(name)}").content == ours.get(f"{PROXY}/{quote(kept)}").content == b"x"
        )
        ours.delete(f"{PROXY}/{quote(kept)}")
    assert sorted(listed(theirs)) == ["a", "ab"]
    for name in ("..\\x", "x\\..\\y", ".incoming/x"):
        assert ours.put(f"{PROXY}/{quote(name)}", content=b"x").status_code == 400
        assert theirs.put(f"{PROXY}/{quote(name)}", data=b"x").status_code == 200
