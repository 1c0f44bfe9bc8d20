"""Which of MLflow's paths pass, decided from the raw path alone."""

import re

_PLAIN = re.compile(r"/[A-Za-z0-9 /._~!$&'()*+,=:@%-]*")
_PREFIXES = (
    "/api/2.0/mlflow/",
    "/api/2.0/mlflow-artifacts/",
    "/api/3.0/mlflow/",
    "/ajax-api/2.0/mlflow/",
    "/ajax-api/2.0/mlflow-artifacts/",
    "/ajax-api/3.0/mlflow/",
    "/static-files/",
)
_EXACT = frozenset(
    {"", "/", "/graphql", "/get-artifact", "/model-versions/get-artifact", "/version", "/server-info"}
)
_EXACT_AJAX = frozenset({"/ajax-api/2.0/get-artifact", "/ajax-api/2.0/model-versions/get-artifact"})
# The assistant runs commands, the gateway calls out, jobs and scorers run code, webhooks call addresses of the user's.
_REFUSED = frozenset(
    {
        "assistant",
        "gateway",
        "jobs",
        "job",
        "webhooks",
        "scorers",
        "scorer",
        "online-scoring",
        "prompt-optimization",
    }
)
_UI = "/mlflow"


def upstream_path(raw_path: str) -> str | None:
    """The path to ask MLflow's server for, below its prefix, or None when this one does not pass.

    `raw_path` is as the client sent it, percent-encoded. Refused besides what is on no list: encodings of `/`, `\\`, `.`,
    `%` and control characters, empty and dotted segments, `;`, a backslash.
    """
    if not _PLAIN.fullmatch(raw_path) or re.search(r"%(?:2[fFeE5]|5[cC]|[01][0-9A-Fa-f]|7[fF])", raw_path):
        return None
    own = raw_path[len(_UI) :] if raw_path == _UI or raw_path.startswith(_UI + "/") else raw_path
    if own == raw_path and own in ("", "/"):
        return None
    segments = own.split("/")[1:]
    if any(segment in (".", "..") for segment in segments) or "" in segments[:-1]:
        return None
    if _REFUSED & {segment.lower() for segment in segments[:5]}:
        return None
    if own in _EXACT or own in _EXACT_AJAX or own.startswith(_PREFIXES):
        return _UI + (own or "/")
    return None


def is_user_content(path: str) -> bool:
    """Whether the answer is a file that a user logged: it must not run in our pages' origin."""
    return "get-artifact" in path or "/mlflow-artifacts/" in path
