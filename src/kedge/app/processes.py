"""Children that never outlive their parent, and commands to start them."""

import contextlib
import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Collection, Sequence
from pathlib import Path

WITH_PARENT = "--with-parent"
"""The option by which a child is told its parent's pid."""
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_GENERATIONS = 100
_CHECK_EVERY_S = 0.5


def die_with_parent(parent: int) -> None:
    """Have this process killed when the one that started it, of pid `parent`, ends, however that ended.

    The kernel does it at once (Linux, PR_SET_PDEATHSIG); a thread that watches the parent's pid does it elsewhere. The pid
    is told by the parent: one that was gone before we asked would be nobody's any more.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
    threading.Thread(target=_watch, args=(parent,), name="parent-watch", daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_CHECK_EVERY_S)
    os.kill(os.getpid(), signal.SIGKILL)


def python(module: str, *arguments: str) -> list[str]:
    """The command that runs one of our modules with this interpreter, as a child that ends with this process."""
    return [sys.executable, "-m", module, *arguments, WITH_PARENT, str(os.getpid())]


def adopt_strays() -> None:
    """Become the parent of what descendants leave behind, also of what left its session (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1)


def end_strays(known: Collection[int]) -> None:
    """Kill the children of this process that are not among the `known`, and what those leave behind, until there are none."""
    for _ in range(_GENERATIONS):
        strays = [pid for pid in _children() if pid not in known]
        if not strays:
            return
        stop_all(strays, signal.SIGKILL)
        for pid in strays:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)


def _children() -> list[int]:
    """Pids of the children of this process, where the system tells."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if int((folder / "stat").read_text().rpartition(")")[2].split()[1]) == os.getpid():
                found.append(int(folder.name))
    return found


def alive(pid: int) -> bool:
    """Whether a process with this pid exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def stop_all(pids: Sequence[int], number: signal.Signals) -> None:
    """Send a signal to each process that is still there."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
