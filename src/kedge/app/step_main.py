"""`python -m kedge.app.step_main`: a process that runs the steps of one pipeline run."""

import argparse
import fcntl
import json
import os
import queue
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from kedge.core.home import Home
from kedge.pipelines.host import Host
from kedge.storage.objects import FolderObjects

_F_SETSIG = 10  # Linux; Python's fcntl module does not name it


def main() -> None:
    """Answer messages from the socket until it closes; then end, with all that the steps started."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--socket", type=int, required=True)
    parser.add_argument("--alive", type=int, required=True)
    arguments = parser.parse_args()
    die_at_end_of(arguments.alive)
    connection = socket.socket(fileno=arguments.socket)
    messages: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(connection, messages), daemon=True).start()
    host = Host(FolderObjects(Home(arguments.home).objects), surroundings)
    own = os.getpid()
    while True:
        answer = host.answer(messages.get())
        if os.getpid() != own:  # a process that the step forked came back as if it were the step
            os._exit(0)
        connection.sendall(msgspec.json.encode(answer) + b"\n")


def die_at_end_of(pipe: int) -> None:
    """Have the kernel kill this process and all that it starts when the pipe's writing end closes.

    The kernel's own signal (Linux, F_SETSIG) needs no thread of ours, so a step that never lets one run is killed too.
    """
    if sys.platform == "linux":
        fcntl.fcntl(pipe, fcntl.F_SETOWN, -os.getpgrp())
        fcntl.fcntl(pipe, _F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(pipe, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
        try:
            os.read(pipe, 1)  # the end, when the worker died before we asked
        except BlockingIOError:
            return
        _end()


def _read(connection: socket.socket, messages: "queue.SimpleQueue[dict[str, Any]]") -> None:
    with connection.makefile("rb") as lines:
        for line in lines:
            messages.put(msgspec.json.decode(line))
    _end()


def _end() -> None:
    """The worker is gone or does not want us any more: nothing that a step started may stay behind."""
    os.killpg(0, signal.SIGKILL)


@contextmanager
def surroundings(step: str, code_id: str) -> Iterator[None]:
    """Tell the SDK and MLflow's client which step runs; afterwards all is as before, for the next step."""
    environment = os.environ  # noqa: TID251 - written, and put back: it is how libraries learn where they run
    before, folder = dict(environment), Path.cwd()
    run = environment["KEDGE_PIPELINE_RUN"]
    environment["KEDGE_STEP"] = step
    environment["MLFLOW_RUN_CONTEXT"] = json.dumps(
        {"kedge.pipeline_run": run, "kedge.step": step, "kedge.code": code_id}
    )
    try:
        yield
    except BaseException:
        _end_mlflow_runs("FAILED")
        raise
    else:
        _end_mlflow_runs("FINISHED")
    finally:
        environment.clear()
        environment.update(before)
        os.chdir(folder)


def _end_mlflow_runs(status: str) -> None:
    """A run that a step left open would be the next step's."""
    mlflow: Any = sys.modules.get("mlflow")
    while mlflow is not None and mlflow.active_run() is not None:
        mlflow.end_run(status)


if __name__ == "__main__":
    main()
