"""Step processes on this machine: each in a session of its own, spoken to over a socket pair, one JSON line a message.

None outlives the worker, however that ended: the worker alone holds the writing end of a pipe, and when that closes the
kernel kills the step process and all that it started (see `kedge.app.step_main`).
"""

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from kedge.core.engines import Answer

_PIECE_BYTES = 65536
_END_TIMEOUT_S = 2.0


class LocalProcess:
    """`StepProcess` as a child of this one."""

    def __init__(self, command: Sequence[str], environment: dict[str, str]) -> None:
        ours, theirs = socket.socketpair()
        self._socket = ours
        self._pending = b""
        alive, self._alive = os.pipe()
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own module, as a list
                [*command, "--socket", str(theirs.fileno()), "--alive", str(alive)],
                env=environment,
                pass_fds=[theirs.fileno(), alive],
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError:
            self._close()
            raise
        finally:
            theirs.close()
            os.close(alive)
        self._told = False

    @property
    def pid(self) -> int:
        """Of the process, and of the session that it leads."""
        return self._process.pid

    def fileno(self) -> int:
        """Of the socket."""
        return self._socket.fileno()

    def send(self, message: dict[str, Any]) -> None:
        try:
            self._socket.sendall(msgspec.json.encode(message) + b"\n")
        except OSError:  # it died; `wait` will see the end of the stream
            return

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._close()

    def _close(self) -> None:
        self._socket.close()
        if self._alive >= 0:
            os.close(self._alive)
            self._alive = -1

    def read(self) -> tuple[list[dict[str, Any]], str]:
        """Messages that have come, and how it died where the stream has ended."""
        try:
            piece = self._socket.recv(_PIECE_BYTES)
        except OSError:
            piece = b""
        if not piece:
            return [], self._epitaph()
        *lines, self._pending = (self._pending + piece).split(b"\n")
        return [msgspec.json.decode(line) for line in lines], ""

    def ended(self) -> str:
        """How it died, where it has; a child of it may still hold the stream open."""
        return "" if self._process.poll() is None else self._epitaph()

    def _epitaph(self) -> str:
        if self._told:
            return ""
        self._told = True
        try:
            code = self._process.wait(_END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            return "its process closed its connection"
        if code == -signal.SIGKILL:
            return "its process was killed (signal 9), probably because the machine ran out of memory"
        if code < 0:
            return f"its process was ended by {_signal_name(-code)}"
        return f"its process ended with code {code}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return f"signal {number}"


class LocalEngine:
    """`Engine` of local processes running `python -m module`."""

    def __init__(
        self, module: str, arguments: Sequence[str], environment: dict[str, str], capacity: int
    ) -> None:
        self._command = [sys.executable, "-m", module, *arguments]
        self._environment = environment
        self.capacity = capacity

    def start(self, environment: dict[str, str]) -> LocalProcess:
        return LocalProcess(self._command, {**self._environment, **environment})

    def wait(self, processes: Sequence[LocalProcess], timeout_s: float) -> list[Answer]:
        poll = select.poll()
        by_file = {process.fileno(): process for process in processes}
        for file in by_file:
            poll.register(file, select.POLLIN)
        answers = []
        for file, _ in poll.poll(timeout_s * 1000):
            messages, died = by_file[file].read()
            answers += [Answer(by_file[file], message) for message in messages]
            if died:
                answers.append(Answer(by_file[file], None, died))
        if not answers:
            answers = [Answer(each, None, died) for each in processes if (died := each.ended())]
        return answers


if TYPE_CHECKING:
    from kedge.core.engines import Engine

    _fits: Engine = LocalEngine("", (), {}, 1)
