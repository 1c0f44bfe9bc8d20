"""Starting web, serving and worker, keeping them up, and stopping them; what `kedge up` does.

Only one supervisor holds a data directory: it keeps `kedge.lock` under flock, with its pid as text.
"""

import contextlib
import fcntl
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from kedge.app.adopting import adopt
from kedge.app.config import IN_HOME, Config, environment
from kedge.app.folders import complaints, sweep
from kedge.app.processes import adopt_strays, end_strays, python
from kedge.app.state import probe
from kedge.app.wiring import open_services
from kedge.core.clock import Clock
from kedge.core.errors import ConfigError, Conflict, StorageError, Unavailable
from kedge.core.home import Home
from kedge.core.services import Addresses

STOP_WITHIN_S = 2.5
FIRST_BACKOFF_S = 0.5
LONGEST_BACKOFF_S = 30.0
STEADY_AFTER_S = 20.0
_POLL_S = 0.05
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "LOKY_MAX_CPU_COUNT")
"""What OpenMP, two kinds of BLAS, and joblib (estimators with n_jobs=-1) take for the number of processors."""


class Child:
    """One supervised process: started again, with growing pauses, whenever it ends by itself."""

    def __init__(self, name: str, command: list[str], log: Path, variables: dict[str, str]) -> None:
        self.name = name
        self._variables = variables
        self._command = command
        self._log = log
        self.process: subprocess.Popen[bytes] | None = None
        self.restarts = 0
        self.last_exit: str = ""
        self._backoff_s = FIRST_BACKOFF_S
        self._started_s = 0.0
        self._next_start_s = 0.0

    def start(self) -> None:
        """Start it, its output into its log. Raises StorageError."""
        try:
            with self._log.open("ab") as log:
                self.process = subprocess.Popen(  # noqa: S603 - our own module, as a list
                    self._command,
                    stdout=log,
                    stderr=log,
                    stdin=subprocess.DEVNULL,
                    start_new_session=True,
                    env=self._variables,
                )
        except OSError as error:
            raise StorageError(
                f"{self.name} cannot be started: {error}", hint="run `kedge doctor`"
            ) from error
        self._started_s = time.monotonic()

    def look(self, told: Callable[[str], None]) -> bool:
        """Notice an end, start again when its pause is over; True when something changed."""
        now_s = time.monotonic()
        if self.process is None:
            if now_s < self._next_start_s:
                return False
            try:
                self.start()
            except StorageError as error:  # a full disk may be mended, and the others go on meanwhile
                told(f"{error.message}; again in {self._backoff_s:g} s")
                self._pause(now_s)
                return False
            told(f"{self.name} started again (pid {self.pid})")
            return True
        code = self.process.poll()
        if code is None:
            return False
        if now_s - self._started_s > STEADY_AFTER_S:
            self._backoff_s = FIRST_BACKOFF_S
        self.last_exit = f"signal {-code}" if code < 0 else f"code {code}"
        told(f"{self.name} ended ({self.last_exit}); again in {self._backoff_s:g} s; see {self._log}")
        self.process = None
        self.restarts += 1
        self._pause(now_s)
        return True

    def _pause(self, now_s: float) -> None:
        self._next_start_s = now_s + self._backoff_s
        self._backoff_s = min(LONGEST_BACKOFF_S, 2 * self._backoff_s)

    @property
    def pid(self) -> int | None:
        """Of the running process."""
        return self.process.pid if self.process is not None else None

    def signal(self, number: signal.Signals) -> None:
        """To the process and what it started."""
        if self.process is not None and self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                if number == signal.SIGKILL:
                    os.killpg(self.process.pid, number)
                else:
                    self.process.send_signal(number)


class Supervisor:
    """The children of one data directory."""

    def __init__(self, config: Config, clock: Clock, told: Callable[[str], None]) -> None:
        self._config = config
        self._clock = clock
        self._told = told
        self._home = Home(config.home)
        self.stopping = threading.Event()
        self.children = [
            Child(
                name,
                command,
                self._home.logs / f"{name}.log",
                {**variables_of(name, config, environment()), **config.told()},
            )
            for name, command in _commands(config).items()
        ]

    def run(self, ready: Callable[[], None]) -> None:
        """Hold the directory, start everything, call `ready` when all answer, watch until `stopping` is set.

        Raises
        ------
        Conflict
            Another supervisor holds the directory, or a newer Kedge wrote it.
        ConfigError
            A port is taken.
        StorageError
            The directory cannot be written.
        """
        adopt_strays()
        with held(self._home) as _:
            for port, key in ((self._config.port, "port"), (self._config.serving_port, "serving_port")):
                check_port(self._config.host, port, key)
            self._prepare()
            sweep(self._home)
            try:
                for child in self.children:
                    child.start()
                self._write_state()
                self._watch(ready)
            finally:
                self._stop()
                self._home.state.unlink(missing_ok=True)

    def _prepare(self) -> None:
        kept = () if self._config.artifacts else (self._home.artifacts,)
        for folder in (self._home.logs, self._home.inference, *kept):
            folder.mkdir(parents=True, exist_ok=True)
        adopt(self._database_at(), self._clock, self._told)
        addresses = Addresses(web=self._config.web_url, serving=self._config.serving_url)
        artifacts_at = (self._config.artifacts, self._config.s3_direct)
        _, database = open_services(
            self._config.home, addresses, self._clock, self._database_at(), artifacts_at
        )
        database.close()

    def _database_at(self) -> Path | str:
        place = self._config.database
        return self._home.database if place == IN_HOME else place

    def _watch(self, ready: Callable[[], None]) -> None:
        waiting = [self._config.web_url, self._config.serving_url]
        while not self.stopping.wait(_POLL_S):
            changed = [child.look(self._told) for child in self.children]
            if any(changed):
                self._write_state()
                end_strays(self._pids())  # what a worker that was killed left of its steps
            if waiting:
                waiting = [url for url in waiting if not answers(url + "/health")]
                if not waiting:
                    ready()

    def _stop(self) -> None:
        for child in self.children:
            child.signal(signal.SIGTERM)
        deadline_s = time.monotonic() + STOP_WITHIN_S
        for child in self.children:
            if child.process is not None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.process.wait(max(0.0, deadline_s - time.monotonic()))
        for child in self.children:
            child.signal(signal.SIGKILL)
            if child.process is not None:
                child.process.wait()
        end_strays(())

    def _pids(self) -> list[int]:
        return [child.pid for child in self.children if child.pid is not None]

    def _write_state(self) -> None:
        children = {
            child.name: {"pid": child.pid, "restarts": child.restarts, "last_exit": child.last_exit}
            for child in self.children
        }
        state: dict[str, Any] = {
            "pid": os.getpid(),
            "web": self._config.web_url,
            "serving": self._config.serving_url,
            "started_ms": self._clock.now_ms(),
            "children": children,
        }
        beside = self._home.state.with_suffix(".new")
        try:
            beside.write_bytes(msgspec.json.encode(state))
            beside.rename(self._home.state)
        except OSError as error:  # what runs goes on; `kedge status` tells what was true before
            self._told(f"{self._home.state} cannot be written: {error.strerror}")


def _commands(config: Config) -> dict[str, list[str]]:
    home = ["--home", str(config.home)]
    urls = ["--web-url", config.web_url, "--serving-url", config.serving_url]
    web = ["--host", config.host, "--port", str(config.port), "--serving-url", config.serving_url]
    hosts = [argument for host in config.allowed_hosts for argument in ("--allowed-host", host)]
    web += ["--mlflow-idle-stop-s", str(config.mlflow_idle_stop_s)]
    serving = ["--host", config.host, "--port", str(config.serving_port)]
    serving += ["--trust-pickle"] if config.trust_pickle else []
    return {
        "web": python("kedge.app.web_main", *home, *web, *hosts),
        "serving": python("kedge.app.serving_main", *home, *serving, *hosts),
        "worker": python("kedge.app.worker_main", *home, *urls),
    }


def variables_of(name: str, config: Config, given: dict[str, str]) -> dict[str, str]:
    """The variables of a child: the given ones, and for serving the bounds on threads that none of them sets.

    OpenMP and BLAS wait for the slowest of their threads, and for one row as well: where the processors are busy, one
    that is not scheduled holds up an answer for seconds. They read these variables once, when they are loaded.
    """
    if name != "serving":
        return given
    return {**dict.fromkeys(_THREADS, str(config.serving_threads)), **given}


@contextlib.contextmanager
def held(home: Home) -> Iterator[None]:
    """Hold the data directory. Raises Conflict naming the pid that does, StorageError when it cannot be written."""
    if home.root.exists() and not home.root.is_dir():
        raise StorageError(
            f"the data directory {home.root} is no folder", hint="move that file away, or use another --home"
        )
    try:
        home.root.mkdir(parents=True, exist_ok=True)
        lock = home.lock.open("a+")
    except OSError as error:
        raise StorageError(
            f"the data directory {home.root} cannot be written: {error.strerror}",
            hint="mend its permissions, or use another --home",
        ) from error
    found = complaints(home)
    if found:
        lock.close()
        raise StorageError(found[0], hint="mend its permissions, or use another --home")
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise Conflict(
                f"the data directory {home.root} is in use by process {lock.read().strip() or '?'}",
                hint="stop that one (Ctrl-C or kill), or use another --home",
            ) from error
        lock.seek(0)
        lock.truncate()
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def check_port(host: str, port: int, key: str) -> None:
    """Raise ConfigError when the port cannot be listened on."""
    try:
        socket.create_server((host, port)).close()
    except OSError as error:
        flag = "--" + key.replace("_", "-")
        raise ConfigError(
            f"{key} {port} on {host} cannot be used: {error.strerror}",
            hint=f"stop what listens there (`ss -ltnp | grep {port}` names it), or choose another {flag}",
        ) from error


def answers(url: str) -> bool:
    """Whether a GET gives 200."""
    return probe(url)[0]


def wait_for(url: str, timeout_s: float, given_up: Callable[[], bool] = lambda: False) -> None:
    """Return when `url` answers. Raises Unavailable when it does not within the time, or `given_up` says so."""
    deadline_s = time.monotonic() + timeout_s
    while not answers(url):
        if time.monotonic() > deadline_s or given_up():
            raise Unavailable(f"no answer from {url} in {timeout_s:.0f} s", hint="see the files in logs/")
        time.sleep(_POLL_S)
