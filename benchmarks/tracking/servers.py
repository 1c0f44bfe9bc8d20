"""The servers that are compared: Kedge of this checkout, and MLflow's with one worker and with its default."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import msgspec

from benchmarks.processes import (
    answers,
    descendants,
    free_port,
    processor_s,
    proportional_mib,
    resident_mib,
    started,
    stopped,
)
from benchmarks.tracking.backends import Backend
from kedge.core.home import Home

KEDGE = "kedge"
NAMES = {KEDGE: "Kedge", "mlflow_1": "MLflow, 1 worker", "mlflow_4": "MLflow, 4 workers (its default)"}
READY_S = 120.0
QUIET_SHARE = 0.15
QUIET_S = 0.5
WAIT_QUIET_S = 60.0


class Weight(msgspec.Struct, frozen=True, kw_only=True):
    """What a server weighs at one moment."""

    tree_pss_mib: float
    tree_rss_mib: float
    web_rss_mib: float
    web_peak_mib: float
    processes: int


class Server:
    """One of them, with its own copy of the data; may be started and stopped many times."""

    def __init__(self, key: str, folder: Path, backend: Backend) -> None:
        self.key = key
        self.title = NAMES[key]
        self.folder = folder / key
        self.folder.mkdir(parents=True)
        self._backend = backend
        # Kedge finds MLflow's tables in its own database and adopts them.
        self._file = Home(self.folder).database if key == KEDGE else self.folder / "mlflow.db"
        self._address = backend.copy(key, self._file)
        self._process: subprocess.Popen[bytes] | None = None
        self._idle_share = 0.0
        self.url = ""

    def start(self) -> tuple[float, float]:
        """Start it; seconds until /health answers, and until tracking does."""
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        command = self._kedge(port) if self.key == KEDGE else self._mlflow(port)
        environment = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
        begun = time.perf_counter()
        self._process, health_s = started(
            command, f"{self.url}/health", environment=environment, log=self.folder / "log"
        )
        # With several workers another may be asked each time, so one answer is not yet readiness of all of them.
        while not self._tracks():
            if self._process.poll() is not None or time.perf_counter() - begun > READY_S:
                raise RuntimeError(f"{self.title} did not answer; see its log:\n{self.log()}")
            time.sleep(0.02)
        return health_s, time.perf_counter() - begun

    def log(self) -> str:
        """The end of what it printed."""
        return (self.folder / "log").read_text(errors="replace")[-2000:]

    def _tracks(self) -> bool:
        request = urllib.request.Request(
            f"{self.url}/api/2.0/mlflow/experiments/search",
            data=b'{"max_results": 1}',
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=READY_S) as reply:
                return bool(json.load(reply).get("experiments"))
        except (OSError, urllib.error.URLError):
            return False

    def _kedge(self, port: int) -> list[str]:
        command = [
            sys.executable,
            "-m",
            "kedge.app.main",
            "up",
            "--home",
            str(self.folder),
            "--port",
            str(port),
        ]
        command += ["--serving-port", str(free_port())]
        if self._address.startswith("postgresql"):
            # In a file, not a variable: a Kedge that does not know the key says so.
            file = self.folder / "kedge.toml"
            file.write_text(f'database = "{self._address.replace("+psycopg", "")}"\n')
            command += ["--config", str(file)]
        return command

    def _mlflow(self, port: int) -> list[str]:
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
        command += [
            "--backend-store-uri",
            self._address,
            "--artifacts-destination",
            str(self.folder / "artifacts"),
        ]
        return command if self.key == "mlflow_4" else [*command, "--workers", "1"]

    def stop(self) -> None:
        """End it and everything that it started; harmless when it does not run."""
        if self._process is not None:
            stopped(self._process, within_s=20)
            self._process = None

    def weight(self) -> Weight:
        """Of all its processes, and of the one that answers (with several workers: of the heaviest)."""
        family = self._family()
        state = self.folder / "state.json"
        web = [json.loads(state.read_bytes())["children"]["web"]["pid"]] if state.exists() else family
        return Weight(
            tree_pss_mib=proportional_mib(family[0]),
            tree_rss_mib=sum(resident_mib(pid) for pid in family),
            web_rss_mib=max(resident_mib(pid) for pid in web),
            web_peak_mib=max(resident_mib(pid, "VmHWM") for pid in web),
            processes=len(family),
        )

    def idle_share(self, seconds: float) -> float:
        """The share of one core that it uses while nobody asks for anything."""
        family = self._family()
        before = processor_s(family)
        time.sleep(seconds)
        self._idle_share = (processor_s(family) - before) / seconds
        return self._idle_share

    def settle(self) -> None:
        """Wait until what it starts behind its first answer (MLflow: processes for jobs) has started."""
        self._await_quiet(QUIET_SHARE, windows=4)

    def rest(self) -> None:
        """Wait until it, and the database, have done what the last load left them to do."""
        self._await_quiet(QUIET_SHARE + 2 * self._idle_share, windows=1)

    def _await_quiet(self, share: float, windows: int) -> None:
        database = self._backend.process()
        deadline_s, quiet = time.monotonic() + WAIT_QUIET_S, 0
        while quiet < windows and time.monotonic() < deadline_s:
            family = [*self._family(), *(descendants(database) if database else [])]
            before = processor_s(family)
            time.sleep(QUIET_S)
            quiet = quiet + 1 if processor_s(family) - before < share * QUIET_S else 0

    def stored(self, query: str) -> int:
        """A count in its database."""
        return self._backend.count(self.key, self._file, query)

    def alive(self) -> bool:
        """Whether it still answers."""
        return answers(f"{self.url}/health")

    def _family(self) -> list[int]:
        if self._process is None:
            raise RuntimeError(f"{self.title} does not run")
        return descendants(self._process.pid)


def commit() -> str:
    """Of this checkout, marked when files differ from it; empty when it is none."""
    command = [
        "git",
        "-C",
        os.fspath(Path(__file__).parent),
        "describe",
        "--always",
        "--dirty",
        "--abbrev=10",
    ]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
