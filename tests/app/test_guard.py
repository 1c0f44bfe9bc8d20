"""Host names, origins, body limits and headers, before any route; and which of MLflow's paths pass."""

import asyncio
from typing import Any

import pytest

from kedge.api.mlflow.allowed import upstream_path
from kedge.app.guard import Guard
from kedge.core.hosts import known_hosts, name_of


def ask(
    method: str = "GET", path: str = "/", body: bytes = b"", chunks: int = 1, **headers: str
) -> tuple[int, dict[str, str]]:
    """The status and headers that a guarded application answers, which reads the whole body."""
    sent: list[dict[str, Any]] = []
    pieces = [body[i::chunks] for i in range(chunks)]

    async def application(scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})

    async def receive() -> dict[str, Any]:
        piece = pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    async def send(message: Any) -> None:
        sent.append(message)

    given = {"host": "127.0.0.1:5000", **{name.replace("_", "-"): value for name, value in headers.items()}}
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
    }
    guard = Guard(application, frozenset({"kedge.example.org"}), lambda _method, _path: 100)
    asyncio.run(guard(scope, receive, send))
    start = sent[0]
    return start["status"], {name.decode(): value.decode() for name, value in start["headers"]}


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:5000",
        "localhost:1",
        "localhost",
        "[::1]:5000",
        "kedge.example.org",
        "KEDGE.example.org:5000",
    ],
)
def test_our_names_pass(host: str) -> None:
    assert ask(host=host)[0] == 200


@pytest.mark.parametrize(
    "host", ["evil.com", "127.0.0.1.evil.com", "evil.com:5000", "", "10.evil.com", "localhost.evil.com"]
)
def test_other_names_are_misdirected(host: str) -> None:
    """DNS rebinding: a page of evil.com whose name now points here."""
    assert ask(host=host)[0] == 421


def test_known_names_are_loopback_the_allowed_and_the_only_address() -> None:
    loopback = {"127.0.0.1", "localhost", "[::1]"}
    assert known_hosts("0.0.0.0", ["Kedge.Example.org"]) == loopback | {"kedge.example.org"}
    assert known_hosts("::", []) == loopback
    assert known_hosts("10.0.0.7", []) == loopback | {"10.0.0.7"}
    assert known_hosts("fd00::7", []) == loopback | {"[fd00::7]"}
    assert name_of("[FD00::7]:80") == "[fd00::7]"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_a_write_from_another_site_is_refused(method: str) -> None:
    assert ask(method, origin="http://evil.com")[0] == 403
    assert ask(method, origin="null")[0] == 403
    assert ask(method, origin="http://127.0.0.1:5000.evil.com")[0] == 403
    assert ask(method, sec_fetch_site="cross-site")[0] == 403
    assert ask(method, sec_fetch_site="same-site")[0] == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_our_pages_and_clients_that_are_no_browsers_may_write(method: str) -> None:
    assert ask(method, origin="http://127.0.0.1:5000", sec_fetch_site="same-origin")[0] == 200
    assert ask(method)[0] == 200


def test_bodies_are_bounded_whether_announced_or_streamed() -> None:
    assert ask("POST", body=b"x" * 100)[0] == 200
    assert ask("POST", body=b"x" * 101, content_length="101")[0] == 413
    assert ask("POST", body=b"x" * 300, chunks=5)[0] == 413


def test_every_answer_has_the_security_headers() -> None:
    for status, headers in (ask(), ask(host="evil.com"), ask("POST", origin="http://evil.com")):
        assert status
        policy = headers["content-security-policy"]
        assert "script-src 'self';" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("path", "passes_as"),
    [
        ("/api/2.0/mlflow/runs/search", "/mlflow/api/2.0/mlflow/runs/search"),
        ("/ajax-api/3.0/mlflow/traces/search", "/mlflow/ajax-api/3.0/mlflow/traces/search"),
        (
            "/api/2.0/mlflow-artifacts/artifacts/1/m/a%20b.txt",
            "/mlflow/api/2.0/mlflow-artifacts/artifacts/1/m/a%20b.txt",
        ),
        ("/mlflow/", "/mlflow/"),
        ("/mlflow/static-files/static/js/main.js", "/mlflow/static-files/static/js/main.js"),
        ("/mlflow/ajax-api/2.0/mlflow/experiments/search", "/mlflow/ajax-api/2.0/mlflow/experiments/search"),
        ("/graphql", "/mlflow/graphql"),
        ("/v1/traces", "/mlflow/v1/traces"),
        ("/mlflow/v1/traces", "/mlflow/v1/traces"),
    ],
)
def test_what_is_on_the_list_passes(path: str, passes_as: str) -> None:
    assert upstream_path(path) == passes_as


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "",
        "/ajax-api/3.0/mlflow/assistant/config",
        "/api/2.0/mlflow/gateway-proxy/../gateway/x",
        "/mlflow/gateway/endpoint/mlflow/invocations",
        "/ajax-api/3.0/jobs/1",
        "/api/3.0/mlflow/jobs/search",
        "/api/2.0/mlflow/webhooks",
        "/v1/traces/",
        "/v1/metrics",
        "/v1/%74races",
        "/ajax-api/2.0/mlflow/%67ateway-proxy",
        "/ajax-api/3.0/mlflow/issues/%69nvoke",
        "/ajax-api/2.0/mlflow/runs/create-prom%70tlab-run",
        "/api/2.0/mlflow/",
        "/api/2.0/mlflow/runs/create/x",
        "/api/3.0/mlflow/runs/search",
        "/api/2.0/mlflow-artifacts/artifacts/../../etc/passwd",
        "/api/2.0/mlflow-artifacts/artifacts/..%2f..%2fetc/passwd",
        "/api/2.0/mlflow-artifacts/artifacts/%252e%252e%252fetc",
        "/api/2.0/mlflow-artifacts/artifacts/%2e%2e/etc",
        "/api/2.0/mlflow-artifacts/artifacts/..\\..\\etc",
        "/api/2.0/mlflow-artifacts/artifacts/;/../etc",
        "/api/2.0/mlflow-artifacts/artifacts/a%00b",
        "//api/2.0/mlflow/runs/search",
        "/api/2.0/mlflow//runs/search",
        "/API/2.0/mlflow/runs/search",
        "/api/2.0/mlflow/runs/search/../../../../admin",
        "/mlflow/../etc/passwd",
        "/mlflowx/api/2.0/mlflow/runs/search",
    ],
)
def test_what_is_not_does_not(path: str) -> None:
    assert upstream_path(path) is None
