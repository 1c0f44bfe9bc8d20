"""Where the data lies: a SQLite file for each server, or a database for each in one private PostgreSQL cluster."""

import contextlib
import os
import pwd
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from benchmarks.processes import free_port
from benchmarks.tracking.data import PostgresRows, Size, SqliteRows, fill, make_tables

BINARIES = "/usr/lib/postgresql/*/bin"


class Backend(Protocol):
    """Copies of the same data."""

    title: str

    def copy(self, name: str, beside: Path) -> str:
        """A copy for a server of its own; `beside` is the file's path on SQLite. Answers MLflow's address of it."""
        ...

    def count(self, name: str, beside: Path, query: str) -> int:
        """The number that a query gives on a server's copy."""
        ...

    def process(self) -> int | None:
        """The database's own process, when it has one."""
        ...


class Sqlite:
    """Files; the seed is kept in the cache."""

    title = f"SQLite {sqlite3.sqlite_version}"

    def __init__(self, cache: Path, revision: str, size: Size) -> None:
        self._seed = cache / f"{revision}_{size.name}.db"
        if not self._seed.exists():
            new = self._seed.with_suffix(".new")
            new.unlink(missing_ok=True)
            make_tables(f"sqlite:///{new}")
            fill(SqliteRows(new), size)
            new.rename(self._seed)

    def copy(self, name: str, beside: Path) -> str:  # noqa: ARG002 - PostgreSQL's needs it
        beside.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self._seed, beside)
        return f"sqlite:///{beside}"

    def count(self, name: str, beside: Path, query: str) -> int:  # noqa: ARG002
        with contextlib.closing(sqlite3.connect(beside, timeout=60)) as connection:
            return int(connection.execute(query).fetchone()[0])

    def process(self) -> int | None:
        return None


class Postgres:
    """One private cluster, fsync on, as `initdb` sets it up; the seed is a database that the others are copied from."""

    def __init__(self, cluster: "Cluster", revision: str, size: Size) -> None:
        self._cluster = cluster
        self._seed = f"seed_{revision}_{size.name}".lower().replace(".", "_").replace("-", "_")
        self.title = f"PostgreSQL {self._one('SHOW server_version').split()[0]}"
        if not self._one("SELECT count(*) FROM pg_database WHERE datname = %s", self._seed):
            new = f"{self._seed}_new"
            self._run(f"DROP DATABASE IF EXISTS {new}")
            self._run(f"CREATE DATABASE {new}")
            make_tables(cluster.url(new, driver="+psycopg"))
            fill(PostgresRows(cluster.url(new)), size)
            self._run(f"ALTER DATABASE {new} RENAME TO {self._seed}")

    def copy(self, name: str, beside: Path) -> str:  # noqa: ARG002 - SQLite's needs it
        self._run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        self._run(f"CREATE DATABASE {name} TEMPLATE {self._seed}")
        return self._cluster.url(name, driver="+psycopg")

    def count(self, name: str, beside: Path, query: str) -> int:  # noqa: ARG002
        import psycopg

        with psycopg.connect(self._cluster.url(name)) as connection:
            return int(connection.execute(query.encode()).fetchone()[0])  # type: ignore[index]

    def drop(self, names: list[str]) -> None:
        """Remove the servers' copies; the seed stays."""
        for name in names:
            self._run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def process(self) -> int | None:
        return self._cluster.pid

    def _one(self, query: str, *arguments: Any) -> Any:
        import psycopg

        with psycopg.connect(self._cluster.url("postgres"), autocommit=True) as connection:
            return connection.execute(query.encode(), arguments).fetchone()[0]  # type: ignore[index]

    def _run(self, statement: str) -> None:
        import psycopg

        with psycopg.connect(self._cluster.url("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())


class Cluster:
    """A running PostgreSQL of our own; never as root, which PostgreSQL refuses."""

    def __init__(self, port: int, pid: int) -> None:
        self._port = port
        self.pid = pid

    def url(self, database: str, driver: str = "") -> str:
        """The address of one of its databases."""
        return f"postgresql{driver}://bench@127.0.0.1:{self._port}/{database}"


@contextlib.contextmanager
def running_cluster(folder: Path) -> Iterator[Cluster]:
    """Start the cluster in `folder`, make it the first time; it is ended afterwards."""
    binaries = _binaries()
    account = _account()
    folder.mkdir(parents=True, exist_ok=True)
    if account:
        os.chown(folder, account["user"], account["group"])
    data = folder / binaries.parent.name
    more: dict[str, Any] = {**account, "cwd": folder, "env": {**os.environ, "LC_ALL": "C.UTF-8"}}
    if not (data / "made").exists():
        shutil.rmtree(data, ignore_errors=True)
        command = [
            str(binaries / "initdb"),
            "-D",
            str(data),
            "-U",
            "bench",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False, **more)
        if done.returncode:
            raise RuntimeError(f"initdb: {done.stderr[-1000:]} (can its user reach the folder? see --cache)")
        (data / "made").touch()
    port = free_port()
    command = [
        str(binaries / "postgres"),
        "-D",
        str(data),
        "-p",
        str(port),
        "-c",
        "listen_addresses=127.0.0.1",
    ]
    command += ["-c", "unix_socket_directories=", "-c", "max_connections=200"]
    with (folder / "log").open("ab") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, **more)
    try:
        _await(Cluster(port, server.pid), server)
        yield Cluster(port, server.pid)
    finally:
        server.send_signal(signal.SIGINT)  # a fast shutdown: connections are cut, the data is written
        try:
            server.wait(60)
        except subprocess.TimeoutExpired:
            server.send_signal(signal.SIGQUIT)
            server.wait(30)


def _await(cluster: Cluster, server: subprocess.Popen[bytes]) -> None:
    import psycopg

    deadline_s = time.monotonic() + 120
    while True:
        try:
            psycopg.connect(cluster.url("postgres")).close()
            return
        except psycopg.OperationalError as error:
            if server.poll() is not None or time.monotonic() > deadline_s:
                raise RuntimeError(f"PostgreSQL did not come up: {error}") from error
            time.sleep(0.05)


def _binaries() -> Path:
    found = installed_binaries()
    if not found:
        raise RuntimeError(f"no PostgreSQL in {BINARIES}: run scripts/system-packages postgresql")
    return found[-1]


def installed_binaries() -> list[Path]:
    """Folders of PostgreSQL's programs, the newest last."""
    return sorted(Path("/").glob(BINARIES.lstrip("/")), key=lambda path: int(path.parent.name))


def _account() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise RuntimeError("PostgreSQL refuses to run as root, and there is neither a user postgres nor nobody")
