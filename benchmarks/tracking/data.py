"""The data that every server is measured on: rows in MLflow's tables, the same on SQLite and PostgreSQL.

The tables are made by MLflow's own migrations, in a process of its own; the rows are inserted directly, which takes
seconds where the API would take an hour. An MLflow database will do, and so will Kedge's with MLflow's tables in it.
"""

import hashlib
import os
import random
import sqlite3
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

import msgspec

VERSION = 2
"""Part of the cache's names: another number whenever the rows change."""
SEARCHED = 1
WRITTEN = 2
_LONG = 3
_DAY_MS = 86_400_000
_BEGUN_MS = 1_690_000_000_000
_PER_RUN = 20
WRITERS = ("log-metric-1", "log-metric-8", "log-metric-32", "client", "log-batch", "set-tag")
_COLUMNS = {
    "experiments": "experiment_id name artifact_location lifecycle_stage creation_time last_update_time workspace",
    "runs": (
        "run_uuid name source_type source_name entry_point_name user_id status start_time end_time source_version "
        "lifecycle_stage artifact_uri experiment_id"
    ),
    "metrics": "key value timestamp run_uuid step is_nan",
    "latest_metrics": "key value timestamp step is_nan run_uuid",
    "params": "key value run_uuid",
    "tags": "key value run_uuid",
}


class Size(msgspec.Struct, frozen=True):
    """How many runs are searched, and how many points the long metric has."""

    runs: int
    points: int

    @property
    def name(self) -> str:
        """Of what is kept."""
        return f"v{VERSION}_{self.runs}_{self.points}"


class Rows(Protocol):
    """A database that takes rows."""

    def insert(self, table: str, columns: list[str], rows: Iterable[tuple[Any, ...]]) -> None:
        """Insert many."""
        ...

    def finish(self) -> None:
        """Commit, and let the database look at what it holds."""
        ...


class SqliteRows:
    """`Rows` into a file that holds MLflow's tables: MLflow's database, or Kedge's."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA synchronous = OFF")
        self._connection.execute("BEGIN")

    def insert(self, table: str, columns: list[str], rows: Iterable[tuple[Any, ...]]) -> None:
        places = ", ".join("?" * len(columns))
        self._connection.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})", rows)

    def finish(self) -> None:
        self._connection.execute("COMMIT")
        # In MLflow's favour, which never asks for it: without statistics SQLite joins its search the slow way round,
        # and 10,000 runs take it seconds instead of 0.4 s.
        self._connection.execute("ANALYZE")
        self._connection.close()


class PostgresRows:
    """`Rows` into a PostgreSQL database that holds MLflow's tables."""

    def __init__(self, url: str) -> None:
        import psycopg

        self._connection = psycopg.connect(url)

    def insert(self, table: str, columns: list[str], rows: Iterable[tuple[Any, ...]]) -> None:
        copy = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
        with self._connection.cursor() as cursor, cursor.copy(copy.encode()) as into:
            for row in rows:
                into.write_row(row)

    def finish(self) -> None:
        # Ids were given, not drawn: the next experiment must not be given one of them.
        self._connection.execute("SELECT setval('experiments_experiment_id_seq', 1000)")
        self._connection.commit()
        self._connection.autocommit = True
        self._connection.execute("VACUUM ANALYZE")
        self._connection.close()


def make_tables(url: str) -> None:
    """MLflow's schema, by MLflow; `url` as SQLAlchemy writes it."""
    environment = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"}
    command = [sys.executable, "-m", "mlflow", "db", "upgrade", url]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise RuntimeError(f"MLflow could not make its tables: {done.stderr[-2000:]}")


def fill(into: Rows, size: Size) -> None:
    """Insert all rows: `size.runs` finished runs of 20 metrics, params and 6 tags, a run with a long metric, writers."""
    for table, rows in (
        ("experiments", _experiments()),
        ("runs", _runs(size)),
        ("metrics", _metrics(size)),
        ("latest_metrics", _latest(size)),
        ("params", _params(size)),
        ("tags", _tags(size)),
    ):
        into.insert(table, _COLUMNS[table].split(), rows)
    into.finish()


def run_id(name: str) -> str:
    """32 hex digits in no order, as MLflow's own are; always the same for a name."""
    return hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()


def searched_run(number: int) -> str:
    """Of the runs that are searched and read."""
    return run_id(f"searched {number}")


def writing_run(key: str) -> str:
    """The run that an operation writes to."""
    return run_id(f"written {key}")


HISTORY = run_id("long")


def read_runs(size: Size) -> list[str]:
    """Those that runs/get asks for: some hundreds, drawn with a seed."""
    drawn = random.Random(2).sample(range(size.runs), min(size.runs, 500))
    return [searched_run(number) for number in drawn]


def _experiments() -> Iterator[tuple[Any, ...]]:
    for number, name in ((0, "Default"), (SEARCHED, "searched"), (WRITTEN, "written"), (_LONG, "long")):
        yield number, name, f"mlflow-artifacts:/{number}", "active", _BEGUN_MS, _BEGUN_MS, "default"


def _run(run: str, name: str, experiment: int, status: str, start_ms: int) -> tuple[Any, ...]:
    end_ms = start_ms + 600_000 if status == "FINISHED" else None
    artifacts = f"mlflow-artifacts:/{experiment}/{run}/artifacts"
    return (
        run,
        name,
        "UNKNOWN",
        "",
        "",
        "bench",
        status,
        start_ms,
        end_ms,
        "",
        "active",
        artifacts,
        experiment,
    )


def _runs(size: Size) -> Iterator[tuple[Any, ...]]:
    for number in range(size.runs):
        at_ms = _BEGUN_MS + number * (_DAY_MS // 100)
        yield _run(searched_run(number), f"run-{number}", SEARCHED, "FINISHED", at_ms)
    yield _run(HISTORY, "long", _LONG, "FINISHED", _BEGUN_MS)
    for key in WRITERS:
        yield _run(writing_run(key), key, WRITTEN, "RUNNING", _BEGUN_MS)


def _values(size: Size) -> Iterator[tuple[str, str, float]]:
    """(run, key, value) of every run's metrics; each time the same."""
    chance = random.Random(1)
    for number in range(size.runs):
        run = searched_run(number)
        for each in range(_PER_RUN):
            yield run, f"m{each:02d}", chance.random()


def _metrics(size: Size) -> Iterator[tuple[Any, ...]]:
    for run, key, value in _values(size):
        yield key, value, _BEGUN_MS, run, 0, False
    for step in range(size.points):
        yield "loss", _loss(step), _BEGUN_MS + 100 * step, HISTORY, step, False


def _latest(size: Size) -> Iterator[tuple[Any, ...]]:
    for run, key, value in _values(size):
        yield key, value, _BEGUN_MS, 0, False, run
    last = size.points - 1
    yield "loss", _loss(last), _BEGUN_MS + 100 * last, last, False, HISTORY


def _loss(step: int) -> float:
    return 1 / (1 + step) + (step * 7919 % 1000) / 10_000


def _params(size: Size) -> Iterator[tuple[Any, ...]]:
    chance = random.Random(3)
    for number in range(size.runs):
        run = searched_run(number)
        for each in range(_PER_RUN):
            yield f"p{each:02d}", f"value-{chance.randrange(1000)}", run


def _tags(size: Size) -> Iterator[tuple[Any, ...]]:
    for number in range(size.runs):
        run = searched_run(number)
        yield "mlflow.runName", f"run-{number}", run
        yield "mlflow.user", "bench", run
        yield "mlflow.source.name", "train.py", run
        yield "mlflow.source.type", "LOCAL", run
        yield "team", f"team-{number % 7}", run
        yield "stage", ("dev", "staging", "prod")[number % 3], run
    for key in WRITERS:
        yield "mlflow.runName", key, writing_run(key)
    yield "mlflow.runName", "long", HISTORY
