"""A PostgreSQL of the tests' own: made, started, ended by them; never as root, which PostgreSQL refuses."""

import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest

VERSIONS = Path("/usr/lib/postgresql")
FAST = ("fsync=off", "full_page_writes=off")


class Cluster:
    """A server in a folder of its own; `stop` and `start` are for tests of what happens then."""

    def __init__(self) -> None:
        found = sorted(VERSIONS.glob("*/bin"))
        if not found:
            pytest.fail(
                "PostgreSQL is missing: sudo apt-get install -y --no-install-recommends postgresql", False
            )
        self._binaries = found[-1]
        self._folder = Path(tempfile.mkdtemp(prefix="kedge-pg-"))
        self._account: dict[str, Any] = {}
        if os.geteuid() == 0:
            account = pwd.getpwnam("postgres")
            os.chown(self._folder, account.pw_uid, account.pw_gid)
            self._account = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            self.port = taken.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = itertools.count()
        self._templates: dict[str, str] = {}
        made = ["-D", "data", "-U", "kedge", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8"]
        self._run("initdb", *made)
        self.start()

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run([self._binaries / program, *arguments], check=True, capture_output=True, **self._how())

    def _how(self) -> dict[str, Any]:
        return {"cwd": self._folder, "env": {**os.environ, "LC_ALL": "C.UTF-8"}, **self._account}

    def start(self) -> None:
        """Start, and wait until it answers."""
        options = ["listen_addresses=127.0.0.1", f"unix_socket_directories={self._folder}", *FAST]
        command = [str(self._binaries / "postgres"), "-D", "data", "-p", str(self.port)]
        command += [part for option in options for part in ("-c", option)]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stderr=log, **self._how())
        deadline = time.monotonic() + 30
        while True:
            try:
                psycopg.connect(self.url("postgres")).close()
                return
            except psycopg.OperationalError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    pytest.fail((self._folder / "log").read_text())
                time.sleep(0.02)

    def stop(self) -> None:
        """Stop at once; clients are cut off."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(30)
            self._process = None

    def remove(self) -> None:
        """Stop and delete."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def url(self, database: str) -> str:
        """The address of a database."""
        return f"postgresql://kedge@127.0.0.1:{self.port}/{database}"

    def new(self, template: str = "template0") -> str:
        """The address of a new database."""
        name = f"test_{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def of_mlflow(self) -> str:
        """The address of a new database with the tables that MLflow's own migrations make."""
        if "mlflow" not in self._templates:
            from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

            url = self.new()
            store = SqlAlchemyStore(driven(url), "mlflow-artifacts:/")
            store._dispose_engine()
            self._templates["mlflow"] = url.rpartition("/")[2]
        return self.new(self._templates["mlflow"])

    def run(self, statement: str) -> None:
        """Run a statement outside any transaction."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())


def driven(url: str) -> str:
    """The address as MLflow takes it, with the driver that is installed."""
    return url.replace("postgresql://", "postgresql+psycopg://")
