"""Every route of MLflow's server, and whether it passes: a written table that a new release must be read against."""

import re
from pathlib import Path

import pytest

from kedge.api.mlflow.allowed import upstream_path

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::Warning"),
]  # MLflow's and its libraries' own

TABLE = Path(__file__).parents[1] / "golden" / "mlflow_routes.txt"
NEVER = (
    "assistant",
    "demo",
    "gateway",
    "gateway-proxy",
    "create-promptlab-run",
    "invoke",
    "job",
    "jobs",
    "prompt-optimization",
    "scorer",
    "scorers",
    "webhooks",
)


def theirs() -> dict[str, set[str]]:
    """Path to methods, of all three tables that MLflow's server is made of."""
    from mlflow.server import app as flask
    from mlflow.server.fastapi_app import app as fastapi
    from mlflow.server.handlers import get_endpoints

    found: dict[str, set[str]] = {}
    for path, _, methods in get_endpoints():
        found.setdefault(path, set()).update(methods)
    for rule in flask.url_map.iter_rules():
        found.setdefault(rule.rule, set()).update(rule.methods)
    for path, operations in fastapi.openapi()["paths"].items():
        found.setdefault(path, set()).update(map(str.upper, operations))
    return {
        re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", path): methods - {"HEAD", "OPTIONS"}
        for path, methods in found.items()
    }


def asked(path: str) -> str:
    """The path with something in place of its names."""
    return re.sub(r"\{[^}]+\}", "a1", path.replace("{issue_id}", "iss-0a1b"))


def test_every_route_of_mlflows_passes_or_not_as_the_table_says():
    routes = theirs()
    assert len(routes) > 300
    lines = [
        f"{'passes' if upstream_path(asked(path)) else '-':8}{','.join(sorted(methods)):18}{path}"
        for path, methods in routes.items()
    ]
    assert sorted(lines, key=lambda line: line.split()[-1]) == TABLE.read_text().splitlines()


def test_below_mlflows_prefix_the_same_passes():
    for path in map(asked, theirs()):
        if path not in ("", "/"):
            assert upstream_path(f"/mlflow{path}") == upstream_path(path) or path.startswith("/mlflow/"), path


def test_what_runs_code_or_calls_out_never_passes():
    refused = [path for path in theirs() if set(path.split("/")) & set(NEVER)]
    assert len(refused) > 100
    assert [path for path in refused if upstream_path(asked(path))] == []
