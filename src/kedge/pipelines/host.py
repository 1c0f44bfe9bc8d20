"""The step process's side: load the user's code, trace, run steps. Takes messages and gives answers; no sockets here.

Messages: `{"do": "trace", entry, project, params}` and `{"do": "run", step, inputs, log}`, where `inputs` are the stored
outputs of the steps that it depends on. Every answer has `step` (None for the trace) and either its fields or `error`.
"""

import contextlib
import inspect
import io
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import msgspec

from kedge.core.errors import KedgeError
from kedge.core.objects import ObjectStore
from kedge.core.pipelines import StepOutput
from kedge.pipelines import entry as entries
from kedge.pipelines.code import snapshot
from kedge.pipelines.fingerprint import code_parts, value_hash
from kedge.pipelines.graph import Graph, Handle, Node, filled, handles
from kedge.pipelines.project import Project
from kedge.pipelines.values import load, store


class Host:
    """Runs one traced pipeline's steps, each inside `surroundings(step, code id)`."""

    def __init__(
        self, objects: ObjectStore, surroundings: Callable[[str, str], AbstractContextManager[None]]
    ) -> None:
        self._objects = objects
        self._surroundings = surroundings
        self._graph = Graph()
        self._code_id = ""

    def answer(self, message: dict[str, Any]) -> dict[str, Any]:
        """Do what the message asks; an exception of the user's code is an answer too."""
        step = message.get("step")
        try:
            if message["do"] == "trace":
                return self._trace(message)
            return self._run(message)
        except KedgeError as error:
            return {"step": step, "error": str(error), "kind": type(error).__name__}
        except BaseException as error:  # noqa: BLE001 - the edge: sys.exit in a step is a failed step
            return {"step": step, "error": _users_traceback(error), "kind": type(error).__name__}

    def _trace(self, message: dict[str, Any]) -> dict[str, Any]:
        entry, folder = message["entry"], Path(message["project"]).resolve()
        project = Project.of(entry, folder)
        os.chdir(folder)  # the one place that is the same for every worker
        pipeline = entries.load(entry, str(folder))
        self._graph = pipeline.trace(message["params"])
        code = snapshot(entry, project, self._objects)
        self._code_id = code.id
        return {
            "step": None,
            "nodes": [self._described(node, project) for node in self._graph.nodes.values()],
            "result": _marked(self._graph.result),
            "code": msgspec.structs.asdict(code),
        }

    def _described(self, node: Node, project: Project) -> dict[str, Any]:
        parts: dict[str, str] = {}
        if node.options.cache:
            bound = inspect.signature(node.function).bind(*node.args, **node.kwargs)
            parts = code_parts(node.function, project, bound.arguments.values())
            for name, value in bound.arguments.items():
                parts[f"input {name}"] = value_hash(filled(value, lambda other: f"<output of {other}>"))
        return {
            "name": node.name,
            "function": f"{node.function.__module__}.{node.function.__qualname__}",
            "depends_on": list(node.depends_on),
            "takes": sorted({handle.node for handle in handles((node.args, node.kwargs))}),
            "cache": node.options.cache,
            "retries": node.options.retries,
            "timeout_s": node.options.timeout_s,
            "parts": parts,
        }

    def _run(self, message: dict[str, Any]) -> dict[str, Any]:
        node = self._graph.nodes[message["step"]]
        inputs = {name: msgspec.convert(output, StepOutput) for name, output in message["inputs"].items()}
        with _written_to(Path(message["log"])), self._surroundings(node.name, self._code_id):
            args, kwargs = filled((node.args, node.kwargs), lambda name: load(inputs[name], self._objects))
            try:
                value = node.function(*args, **kwargs)
                output = store(value, self._objects, node.name)
            except BaseException as error:
                with contextlib.suppress(OSError, ValueError):  # the step may have closed it
                    print(_users_traceback(error), file=sys.stderr)  # noqa: T201 - into the step's log
                raise
        return {"step": node.name, "output": msgspec.structs.asdict(output)}


@contextlib.contextmanager
def _written_to(log: Path) -> Iterator[None]:
    """Send what this process and its children print to `log`, line by line as it comes.

    The step has streams of its own: one that closes or replaces them takes nothing from the next.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    streams = sys.stdout, sys.stderr
    _flush(*streams)
    kept = os.dup(1), os.dup(2)
    with log.open("ab", buffering=0) as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    own = _stream(1), _stream(2)
    sys.stdout, sys.stderr = own
    try:
        yield
    finally:
        _flush(sys.stdout, sys.stderr, *own, *streams)
        sys.stdout, sys.stderr = streams
        for descriptor, number in zip(kept, (1, 2), strict=True):
            os.dup2(descriptor, number)
            os.close(descriptor)


def _stream(descriptor: int) -> io.TextIOWrapper:
    """Unbuffered, so that what was printed is there however the process ends."""
    below = open(descriptor, "wb", buffering=0, closefd=False)  # noqa: SIM115 - there is nothing to close
    return io.TextIOWrapper(below, encoding="utf-8", errors="backslashreplace", write_through=True)


def _flush(*streams: Any) -> None:
    for stream in streams:
        with contextlib.suppress(AttributeError, OSError, ValueError):  # None, or closed
            stream.flush()


def _users_traceback(error: BaseException) -> str:
    """The traceback from the user's first frame on."""
    frames = traceback.extract_tb(error.__traceback__)
    own = str(Path(__file__).parent)
    start = max((i + 1 for i, frame in enumerate(frames) if frame.filename.startswith(own)), default=0)
    lines = traceback.format_list(frames[start:])
    head = ["Traceback (most recent call last):\n", *lines] if lines else []
    text = "".join([*_cause(error), *head, *traceback.format_exception_only(error)]).rstrip()
    return text.encode(errors="backslashreplace").decode()  # file names that are no text cannot be sent


def _cause(error: BaseException) -> list[str]:
    """What the error was raised from, as Python shows it."""
    if error.__cause__ is not None:
        said = "The above exception was the direct cause of the following exception:"
        return [*traceback.format_exception(error.__cause__), f"\n{said}\n\n"]
    return []


def _marked(value: Any) -> Any:
    """The pipeline's return value for the wire: handles as `{"$step": name}`, what is not plain as its text."""
    if isinstance(value, Handle):
        return {"$step": value.node}
    if isinstance(value, list | tuple):
        return [_marked(each) for each in value]
    if isinstance(value, dict):
        return {str(key): _marked(each) for key, each in value.items()}
    return value if isinstance(value, str | int | float | bool | None) else repr(value)
