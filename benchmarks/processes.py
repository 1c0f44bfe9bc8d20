"""Starting servers to be measured, weighing them with all that they started, and ending them."""

import contextlib
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from pathlib import Path

STOP_WITHIN_S = 60.0
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(url: str) -> bool:
    """Whether a GET gives 200."""
    try:
        with urllib.request.urlopen(url, timeout=5) as reply:
            return bool(reply.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def descendants(pid: int) -> list[int]:
    """The process and all below it."""
    found = [pid]
    for parent in found:
        for task in Path(f"/proc/{parent}/task").glob("*"):
            with contextlib.suppress(OSError):
                found += [int(child) for child in (task / "children").read_text().split()]
    return found


def resident_mib(pid: int, field: str = "VmRSS") -> float:
    """Resident memory of one process; with `VmHWM` the most that it ever was."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1]) / 1024
    return 0.0


def proportional_mib(pid: int) -> float:
    """Memory of a process and all below it, shared pages divided among those that share them."""
    total = 0.0
    for each in descendants(pid):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{each}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) / 1024
    return total


def processor_s(pids: Iterable[int]) -> float:
    """Processor time that these processes have used."""
    ticks = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            fields = _stat(pid)
            ticks += int(fields[11]) + int(fields[12])
    return ticks / _TICKS_PER_S


def _stat(pid: int) -> list[str]:
    # The name in brackets may hold blanks; what follows it does not.
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _born(pid: int) -> str:
    with contextlib.suppress(OSError):
        return _stat(pid)[19]
    return ""


def started(
    command: list[str], url: str, *, environment: Mapping[str, str] | None = None, log: Path | None = None
) -> tuple[subprocess.Popen[bytes], float]:
    """Start a server; seconds until `url` answers.

    Raises
    ------
    RuntimeError
        It ended instead.
    """
    begun = time.perf_counter()
    with (log or Path(os.devnull)).open("ab") as output:
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env={**os.environ, **(environment or {})},
        )
    try:
        while process.poll() is None and not answers(url):
            time.sleep(0.02)
    except BaseException:
        stopped(process)
        raise
    if process.returncode is not None:
        last = log.read_text(errors="replace")[-2000:] if log else ""
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}\n{last}")
    return process, time.perf_counter() - begun


def stopped(process: subprocess.Popen[bytes], within_s: float = STOP_WITHIN_S) -> float:
    """Ask it to stop, and end what is left of it and of its children after a while; seconds until it was gone."""
    begun = time.perf_counter()
    # Children of a parent that is gone are nobody's descendants any more: noted while it lives.
    family = [(pid, _born(pid)) for pid in descendants(process.pid)]
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(within_s)
    took_s = time.perf_counter() - begun
    for pid, born in family:
        if born and _born(pid) == born:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    process.wait()
    return took_s
