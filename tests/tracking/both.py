"""MLflow's own server and Kedge's routes, asked the same: what both answer, and what both then hold."""

import asyncio
import contextlib
import json
import re
import sqlite3
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row
from tests.postgres import driven

from kedge.api.mlflow.tracking import TrackingRoutes
from kedge.core.clock import Clock, SystemClock
from kedge.storage.database import open_database
from kedge.storage.tracking_store import SqlTracking

_TIMES = {
    "creation_time",
    "last_update_time",
    "deleted_time",
    "last_updated_time",
    "creation_timestamp_ms",
    "last_updated_timestamp_ms",
    "creation_timestamp",
    "last_updated_timestamp",
}
_UNORDERED = {
    "tags",
    "params",
    "aliases",
    "latest_versions",
    "dataset_inputs",
    "model_outputs",
    "model_inputs",
    "dataset_summaries",
}
_MADE_UP = {"input_uuid", "dataset_uuid"}
_TABLES = (
    "experiments",
    "experiment_tags",
    "runs",
    "metrics",
    "latest_metrics",
    "params",
    "tags",
    "logged_models",
    "logged_model_tags",
    "logged_model_params",
    "logged_model_metrics",
    "registered_models",
    "registered_model_tags",
    "registered_model_aliases",
    "model_versions",
    "model_version_tags",
    "datasets",
    "inputs",
    "input_tags",
)


class PassedOn(Exception):
    """Kedge would have MLflow's own server answer."""


class Both:
    """Two servers with a store each. Ids that one makes up are given names, so that requests and answers compare."""

    steady = False
    """Whether clocks are alike, so that times compare as well."""

    def __init__(self, theirs: Path | str, ours: Path | str, clock: Clock | None = None) -> None:
        from mlflow.server import app, handlers

        handlers._tracking_store = handlers._model_registry_store = None
        handlers.initialize_backend_stores(
            f"sqlite:///{theirs}" if isinstance(theirs, Path) else driven(theirs),
            default_artifact_root="mlflow-artifacts:/",
        )
        self._store = handlers._tracking_store
        self.theirs = app.test_client()
        self.places = (theirs, ours)
        self.postgresql = isinstance(ours, str)
        clock = clock or SystemClock()
        self.database = open_database(ours, clock)
        self.store = SqlTracking(self.database, clock)
        self.ours = TrackingRoutes(self.store, _refuse)
        self.loop = asyncio.new_event_loop()
        self.ids: dict[str, tuple[str, str]] = {}

    def close(self) -> None:
        self.store.close()
        self.database.close()
        self._store._dispose_engine()
        self.loop.close()

    def name(self, name: str, theirs: str, ours: str) -> None:
        """Both have made up an id for the same thing: requests may say `<name>` from now on."""
        self.ids[name] = (theirs, ours)

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        query: str = "",
        content_type: str = "application/json",
    ):
        """The status and JSON of both, ids replaced by names."""
        raw = body if isinstance(body, str | bytes) else "" if body is None else json.dumps(body)
        text = raw.encode("utf-8", "surrogatepass") if isinstance(raw, str) else raw
        theirs_body, ours_body = (
            self._filled(text.decode("utf-8", "surrogatepass"), side) for side in (0, 1)
        )
        theirs_query, ours_query = (self._filled(query, side) for side in (0, 1))
        theirs = self._ask_theirs(method, path, theirs_body, theirs_query, content_type)
        ours = self._ask_ours(method, path, ours_body, ours_query, content_type)
        return self._plain(theirs, 0), self._plain(ours, 1)

    def _filled(self, text: str, side: int) -> str:
        return re.sub(r"<(\w+)>", lambda m: self.ids[m[1]][side] if m[1] in self.ids else m[0], text)

    def _plain(self, answer: tuple[int, Any], side: int) -> tuple[int, Any]:
        text = json.dumps(answer[1], sort_keys=True)
        for name, ids in self.ids.items():
            text = text.replace(ids[side], f"<{name}>")
        return answer[0], _normal(json.loads(text), times=self.steady)

    def _ask_theirs(self, method: str, path: str, body: str, query: str, content_type: str):
        url = f"/api/2.0/mlflow/{path}" + (f"?{query}" if query else "")
        if path.endswith(("get-history-bulk", "search-datasets")):
            url = "/ajax-" + url[1:]
        headers = {"Content-Type": content_type} if content_type else {}
        data = body.encode("utf-8", "surrogatepass") if method != "GET" else None
        reply = self.theirs.open(url, method=method, data=data, headers=headers)
        return reply.status_code, _json(reply.data)

    def _ask_ours(self, method: str, path: str, body: str, query: str, content_type: str):
        return self.loop.run_until_complete(
            ask(
                self.ours,
                method,
                f"/api/2.0/mlflow/{path}",
                body.encode("utf-8", "surrogatepass"),
                query,
                content_type,
            )
        )

    def held(self) -> tuple[dict, dict]:
        """What both databases hold, ids replaced by names, times left out."""
        return self._held(0), self._held(1)

    def _held(self, side: int) -> dict[str, list[Any]]:
        found = {}
        for table, held in table_rows(self.places[side]).items():
            rows = []
            for row in held:
                told = {
                    k: "t" if k in _TIMES and v is not None and not self.steady else v for k, v in row.items()
                }
                told = {k: v for k, v in told.items() if k not in _MADE_UP}
                if told.get("source_type") == "DATASET":
                    del told["source_id"]
                text = json.dumps(told, sort_keys=True, default=str)
                for name, ids in self.ids.items():
                    text = text.replace(ids[side], f"<{name}>")
                rows.append(text)
            found[table] = sorted(rows)
        return found


def table_rows(place: Path | str) -> dict[str, list[dict[str, Any]]]:
    """All that is in the tables, by table."""
    if isinstance(place, Path):
        with contextlib.closing(sqlite3.connect(place)) as connection:
            connection.row_factory = sqlite3.Row
            return {
                table: [dict(row) for row in connection.execute(f"SELECT * FROM {table}")]
                for table in _TABLES
            }
    with psycopg.connect(place, row_factory=dict_row) as opened:
        return {table: opened.execute(f"SELECT * FROM {table}".encode()).fetchall() for table in _TABLES}


async def ask(app, method: str, path: str, body: bytes, query: str, content_type: str) -> tuple[int, Any]:
    """One request to an ASGI application."""
    sent: list[dict] = []
    headers = [(b"content-type", content_type.encode())] if content_type else []
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "headers": headers,
    }

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message):
        sent.append(message)

    await app(scope, receive, send)
    return sent[0]["status"], _json(b"".join(m.get("body", b"") for m in sent[1:]))


async def _refuse(scope, receive, send):
    raise PassedOn(scope["path"])


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return content.decode(errors="replace")


def _normal(value: Any, key: str = "", *, times: bool = False) -> Any:
    """Lists whose order means nothing sorted, clock times made equal unless `times`, sets in messages sorted."""
    if isinstance(value, dict):
        return {
            k: ("t" if k in _TIMES and not times else _normal(v, k, times=times)) for k, v in value.items()
        }
    if isinstance(value, list):
        listed = [_normal(each, times=times) for each in value]
        return sorted(listed, key=json.dumps) if key in _UNORDERED else listed
    if key == "message" and isinstance(value, str):
        value = re.sub(r"\(Background on this error at.*", "", value, flags=re.S)
        return re.sub(r"\{('[^{}]*')\}", lambda m: "{" + ", ".join(sorted(m[1].split(", "))) + "}", value)
    return value
