"""Which of MLflow's paths pass, decided from the raw path alone."""

import re

_PLAIN = re.compile(r"/[A-Za-z0-9 /._~!$&'()*+,=:@%-]*")
_PREFIXES = ("/api/2.0/mlflow-artifacts/", "/ajax-api/2.0/mlflow-artifacts/", "/static-files/")
_EXACT = frozenset(
    {
        "",
        "/",
        "/graphql",
        "/get-artifact",
        "/model-versions/get-artifact",
        "/version",
        "/server-info",
        "/ajax-api/2.0/get-artifact",
        "/ajax-api/2.0/model-versions/get-artifact",
        "/v1/traces",
    }
)
_API = re.compile(r"/(?:ajax-)?api/([23])\.0/mlflow/([a-z-]+)(?:/(.*))?")
_ANYTHING = re.compile(r".*")
_NOTHING = re.compile(r"")
_FAMILIES = {
    "2": {
        "artifacts": re.compile(r"list|presigned-(?:upload|download)-url"),
        "experiments": _ANYTHING,
        "get-trace-artifact": _NOTHING,
        "logged-models": _ANYTHING,
        "metrics": _ANYTHING,
        "model-versions": _ANYTHING,
        "registered-models": _ANYTHING,
        "runs": re.compile(
            r"create|delete|delete-tag|get|log-batch|log-inputs|log-metric|log-model|log-parameter|outputs|restore"
            r"|search|set-tag|update"
        ),
        "traces": _ANYTHING,
        "upload-artifact": _NOTHING,
    },
    "3": {
        "datasets": _ANYTHING,
        "get-trace-artifact": _NOTHING,
        "issues": re.compile(r"|search|iss-[0-9a-f]+"),
        "label-schemas": _ANYTHING,
        "mcp-servers": _ANYTHING,
        "review-queues": _ANYTHING,
        "server-info": _NOTHING,
        "traces": _ANYTHING,
        "ui-telemetry": _NOTHING,
        "workspaces": _ANYTHING,
    },
}
"""By the version of the API: the first segment below `mlflow/`, and what may stand behind it. What is not here does not
pass: the assistant runs commands, the gateway and what uses it (prompt lab, issue detection, evaluation, optimization)
call out, jobs and scorers run code, webhooks call addresses of the user's, the demo writes rows that nobody asked for."""
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
    return _UI + (own or "/") if _is_listed(own) else None


def _is_listed(own: str) -> bool:
    if own in _EXACT or own.startswith(_PREFIXES):
        return True
    asked = _API.fullmatch(own)
    rest = asked and _FAMILIES[asked[1]].get(asked[2])
    return bool(asked and rest and rest.fullmatch(asked[3] or ""))


def is_user_content(path: str) -> bool:
    """Whether the answer is a file that a user logged: it must not run in our pages' origin."""
    return "get-artifact" in path or "/mlflow-artifacts/" in path
