"""`python -m kedge.app.step_main`: a process that runs the steps of one pipeline run."""

import argparse
import json
import os
import queue
import signal
import socket
import threading
from pathlib import Path
from typing import Any

import msgspec

from kedge.core.home import Home
from kedge.pipelines.host import Host
from kedge.storage.objects import FolderObjects


def main() -> None:
    """Answer messages from the socket until it closes; then end, with all that the steps started."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--socket", type=int, required=True)
    arguments = parser.parse_args()
    connection = socket.socket(fileno=arguments.socket)
    messages: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(connection, messages), daemon=True).start()
    host = Host(FolderObjects(Home(arguments.home).objects), enter_step)
    while True:
        answer = host.answer(messages.get())
        connection.sendall(msgspec.json.encode(answer) + b"\n")


def _read(connection: socket.socket, messages: "queue.SimpleQueue[dict[str, Any]]") -> None:
    with connection.makefile("rb") as lines:
        for line in lines:
            messages.put(msgspec.json.decode(line))
    # The worker is gone or does not want us any more: nothing that a step started may stay behind.
    os.killpg(0, signal.SIGKILL)


def enter_step(step: str, code_id: str) -> None:
    """Tell the SDK and MLflow's client, through their variables, which step runs."""
    environment = os.environ  # noqa: TID251 - written, not read: it is how a step's libraries learn where they run
    run = environment["KEDGE_PIPELINE_RUN"]
    environment["KEDGE_STEP"] = step
    environment["MLFLOW_RUN_CONTEXT"] = json.dumps(
        {"kedge.pipeline_run": run, "kedge.step": step, "kedge.code": code_id}
    )


if __name__ == "__main__":
    main()
