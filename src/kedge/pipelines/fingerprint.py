"""What a step's result depends on, as named hashes: its code, the helpers that it reaches in the project, constants.

Code is hashed as its syntax tree without docstrings, so that comments and layout do not matter.
"""

import ast
import dis
import inspect
import sys
import textwrap
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from blake3 import blake3

_CONSTANTS = (int, float, complex, str, bytes, bool, tuple, frozenset, type(None))


def code_parts(function: Callable[..., Any], project: Path) -> dict[str, str]:
    """Hashes by name: the function, every function, class and constant of the project that it reaches, Python."""
    parts = {"python": "{}.{}".format(*sys.version_info)}
    _visit(function, project, parts)
    return dict(sorted(parts.items()))


def value_hash(value: Any) -> str:
    """Hash of a plain argument; its type counts."""
    return _hash(f"{type(value).__name__}:{_plain(value)}")


def key_of(parts: dict[str, str]) -> str:
    """The cache key."""
    return blake3(msgspec.json.encode(sorted(parts.items()))).hexdigest()


def difference(now: dict[str, str], before: dict[str, str]) -> str:
    """In words, what changed between two sets of parts."""
    changed = sorted(name for name in now.keys() & before.keys() if now[name] != before[name])
    added, gone = sorted(now.keys() - before.keys()), sorted(before.keys() - now.keys())
    words = [f"{name} changed" for name in changed]
    words += [f"{name} is new" for name in added]
    words += [f"{name} is gone" for name in gone]
    return ", ".join(words) or "nothing changed"


def _visit(thing: Any, project: Path, parts: dict[str, str]) -> None:
    name = f"code of {thing.__qualname__}"
    if name in parts:
        return
    parts[name] = _hash(_normal_source(thing))
    functions = [thing] if isinstance(thing, types.FunctionType) else _methods(thing)
    for function in functions:
        for reached, value in _reached(function):
            _take(reached, value, project, parts)


def _methods(thing: Any) -> list[types.FunctionType]:
    return [value for value in vars(thing).values() if isinstance(value, types.FunctionType)]


def _take(name: str, value: Any, project: Path, parts: dict[str, str]) -> None:
    value = getattr(value, "function", value)  # a step or pipeline is its function
    if isinstance(value, types.ModuleType):
        file = getattr(value, "__file__", None)
        if file and Path(file).is_relative_to(project):
            parts[f"module {name}"] = _hash(Path(file).read_text())
    elif isinstance(value, types.FunctionType | type):
        if _in_project(value, project):
            _visit(value, project, parts)
    elif isinstance(value, (_CONSTANTS, list | dict | set)):
        parts[f"constant {name}"] = _hash(_plain(value))


def _reached(function: types.FunctionType) -> list[tuple[str, Any]]:
    """(name, value) of the globals and closed-over variables that the code and the code inside it name."""
    names: dict[str, Any] = {}
    cells = function.__closure__ or ()
    for name, cell in zip(function.__code__.co_freevars, cells, strict=False):
        try:
            names[name] = cell.cell_contents
        except ValueError:  # not bound yet
            continue
    for code in _codes(function.__code__):
        for instruction in dis.get_instructions(code):
            if (
                instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME")
                and instruction.argval in function.__globals__
            ):
                names[instruction.argval] = function.__globals__[instruction.argval]
    return sorted(names.items())


def _codes(code: types.CodeType) -> list[types.CodeType]:
    inner = [constant for constant in code.co_consts if isinstance(constant, types.CodeType)]
    return [code] + [deeper for each in inner for deeper in _codes(each)]


def _in_project(thing: Any, project: Path) -> bool:
    try:
        file = inspect.getsourcefile(thing)
    except TypeError:  # built in
        return False
    return file is not None and Path(file).resolve().is_relative_to(project)


def _normal_source(thing: Any) -> str:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(thing)))
    except (OSError, SyntaxError, TypeError):  # made by exec, or a lambda inside an expression
        code = getattr(thing, "__code__", None)
        return repr((code.co_code, code.co_consts, code.co_names)) if code else repr(thing)
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            and ast.get_docstring(node) is not None
        ):
            node.body = node.body[1:] or [ast.Pass()]
    return ast.dump(tree)


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return (
            "{"
            + ",".join(
                f"{_plain(k)}:{_plain(v)}" for k, v in sorted(value.items(), key=lambda kv: repr(kv[0]))
            )
            + "}"
        )
    if isinstance(value, set | frozenset):
        return "{" + ",".join(sorted(_plain(each) for each in value)) + "}"
    if isinstance(value, list | tuple):
        return f"{type(value).__name__}(" + ",".join(_plain(each) for each in value) + ")"
    return repr(value)


def _hash(text: str) -> str:
    return blake3(text.encode()).hexdigest()
