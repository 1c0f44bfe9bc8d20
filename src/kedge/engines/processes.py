"""Step processes on this machine: each in a session of its own, spoken to over a socket pair, one JSON line a message.

A process ends itself when the socket closes, so that none outlives the worker, however that ended.
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


class LocalProcess:
    """`StepProcess` as a child of this one."""

    def __init__(self, command: Sequence[str], environment: dict[str, str]) -> None:
        ours, theirs = socket.socketpair()
        self._socket = ours
        self._pending = b""
        self._process = subprocess.Popen(  # noqa: S603 - our own module, as a list
            [*command, "--socket", str(theirs.fileno())],
            env=environment,
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        theirs.close()

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
        self._socket.close()

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

    def _epitaph(self) -> str:
        code = self._process.wait()
        if code == -signal.SIGKILL:
            return "its process was killed (signal 9), probably because the machine ran out of memory"
        if code < 0:
            return f"its process was ended by {signal.Signals(-code).name}"
        return f"its process ended with code {code}"


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
        ready, _, _ = select.select(processes, [], [], timeout_s)
        answers = []
        for process in ready:
            messages, died = process.read()
            answers += [Answer(process, message) for message in messages]
            if died:
                answers.append(Answer(process, None, died))
        return answers


if TYPE_CHECKING:
    from kedge.core.engines import Engine

    _fits: Engine = LocalEngine("", (), {}, 1)
