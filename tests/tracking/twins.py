"""MLflow's server and Kedge's as twins: the same ids, names and times, so that whole sequences of requests compare."""

import contextlib
import hashlib
import json
import re
import sqlite3
import types
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import psycopg
import pytest
from tests.tracking.both import _TABLES, Both, PassedOn

from kedge.tracking.plans import Fresh

_MOST_PAGES = 12
_DRIVER = re.compile(r"\((sqlite3|psycopg|builtins)\.")
_BROKEN = re.compile(
    "UNIQUE constraint failed|FOREIGN KEY constraint failed|violates (unique|foreign key) constraint"
)


class Step(Exception):
    """Where two answers differ."""


class Twins(Both):
    """`Both`, with one clock and one source of ids, moved on by every request."""

    steady = True
    step = 0

    def __init__(self, theirs: Path | str, ours: Path | str, patch: pytest.MonkeyPatch) -> None:
        super().__init__(theirs, ours, self)  # type: ignore[arg-type]
        self.ours._fresh = Fresh(run_id=self._run_id, run_name=lambda: f"name-{self.step}")
        for place in ("tracking", "model_registry"):
            module = f"mlflow.store.{place}.sqlalchemy_store"
            patch.setattr(f"{module}.get_current_time_millis", self.now_ms)
        alike = types.SimpleNamespace(**{**vars(uuid), "uuid4": self._uuid})
        patch.setattr("mlflow.store.tracking.sqlalchemy_store.uuid", alike)
        patch.setattr(
            "mlflow.store.tracking.sqlalchemy_store._generate_random_name", lambda: f"name-{self.step}"
        )
        self._calls = 0
        self._default = [
            self._rows(side, "SELECT * FROM experiments")[0]
            | dict.fromkeys(("creation_time", "last_update_time"), self.now_ms())
            for side in (0, 1)
        ]

    def now_ms(self) -> int:
        """Two steps share a time, so that orders have ties."""
        return 1_700_000_000_000 + self.step // 2

    def sleep(self, seconds: float) -> None:
        raise AssertionError

    def _run_id(self) -> str:
        return hashlib.md5(str(self.step).encode()).hexdigest()

    def _uuid(self) -> uuid.UUID:
        """The first of a request is that of what it makes; others are of what lies below."""
        self._calls += 1
        return uuid.UUID(self._run_id()) if self._calls == 1 else uuid.uuid4()

    def clear(self) -> None:
        """Both as they were at first."""
        self.step, self.ids = 0, {}
        for side, place in enumerate(self.places):
            default = self._default[side]
            names, marks = (
                ", ".join(default),
                ", ".join("?" if isinstance(place, Path) else "%s" for _ in default),
            )
            insert = f"INSERT INTO experiments ({names}) VALUES ({marks})"
            if isinstance(place, Path):
                with contextlib.closing(sqlite3.connect(place)) as connection, connection:
                    for table in _TABLES:
                        connection.execute(f"DELETE FROM {table}")
                    connection.execute(insert, tuple(default.values()))
            else:
                with psycopg.connect(place) as opened:
                    opened.execute("SET session_replication_role = replica")
                    opened.execute("; ".join(f"DELETE FROM {table}" for table in _TABLES).encode())
                    opened.execute(insert.encode(), tuple(default.values()))
                    opened.execute("ALTER SEQUENCE experiments_experiment_id_seq RESTART WITH 1")

    def _rows(self, side: int, query: str) -> list[dict[str, Any]]:
        place = self.places[side]
        if isinstance(place, Path):
            with contextlib.closing(sqlite3.connect(place)) as connection:
                connection.row_factory = sqlite3.Row
                return [dict(row) for row in connection.execute(query)]
        with psycopg.connect(place, row_factory=psycopg.rows.dict_row) as opened:
            return opened.execute(query.encode()).fetchall()

    def both(self, method: str, path: str, given: Any) -> tuple[int, Any] | None:
        """Ask both; the answer, or None where Kedge leaves it to MLflow. Raises Step where they differ."""
        self.step += 1
        self._calls = 0
        body, query = ("", _query(given)) if method == "GET" else (json.dumps(given), "")
        told = re.sub(r"<\w+>", lambda m: quote(self._filled(m[0], 0), safe=""), path)
        try:
            ours = self._ask_ours(
                method,
                self._filled(path, 1),
                self._filled(body, 1),
                self._filled(query, 1),
                "application/json",
            )
        except PassedOn:
            return None
        theirs = self._ask_theirs(
            method, told, self._filled(body, 0), self._filled(query, 0), "application/json"
        )
        if not alike(self._plain(theirs, 0), self._plain(ours, 1)):
            raise Step(f"{method} {path} {given!r}\n  MLflow: {theirs}\n  Kedge:  {ours}")
        return ours

    def play(self, steps: list[tuple[str, str, Any]]) -> None:
        """All requests in their order; a search is asked on to its end, and what is made gets a name."""
        made = {"runs/create": 0, "logged-models": 0}
        for method, path, given in steps:
            if (
                self.postgresql
                and path.endswith("transition-stage")
                and given.get("archive_existing_versions")
            ):
                continue  # MLflow compares a number with a text there, which psycopg 3 refuses
            for _ in range(_MOST_PAGES):
                answer = self.both(method, path, given)
                token = answer[1].get("next_page_token") if answer and isinstance(answer[1], dict) else None
                if token is None:
                    break
                given = {**given, "page_token": token}
            if method == "POST" and path in made and answer is not None and answer[0] == 200:
                one, info = answer[1].get("run") or answer[1]["model"], "info"
                made_id = one[info].get("run_id") or one[info]["model_id"]
                self.name(f"{'r' if path == 'runs/create' else 'm'}{made[path]}", made_id, made_id)
                made[path] += 1
        theirs, ours = self.held()
        for table, rows in theirs.items():
            if ours[table] != rows:
                raise Step(
                    f"{table}\n  only MLflow: {[r for r in rows if r not in ours[table]]}"
                    f"\n  only Kedge:  {[r for r in ours[table] if r not in rows]}"
                )


def _query(given: Any) -> str:
    pairs = {
        k: [str(each) for each in v] if isinstance(v, list) else str(v)
        for k, v in given.items()
        if v is not None
    }
    return urlencode(pairs, doseq=True, safe="<>")


def alike(theirs: tuple[int, Any], ours: tuple[int, Any]) -> bool:
    """Whether two answers are the same, but for what is listed in docs/design/tracking.md."""
    if theirs == ours:
        return True
    message = str(theirs[1].get("message", "")) if isinstance(theirs[1], dict) else ""
    if ours[0] == 400 and theirs[0] == 500:
        return True  # MLflow fails, Kedge says what is wrong
    if ours[0] == theirs[0] == 400 and (_DRIVER.search(message) or _BROKEN.search(message)):
        return True  # a database's own words
    return (
        ours[0] == theirs[0] == 400
        and " already exists" in message
        and ours[1]["error_code"] == theirs[1]["error_code"]
    )
