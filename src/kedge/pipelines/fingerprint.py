"""What a step's result depends on, as named hashes: its code, the helpers that it reaches in the project, constants.

Code is hashed as its syntax tree without docstrings, so that comments and layout do not matter, and without decorators:
what they make of the function is reached through the function itself.
"""

import ast
import dis
import enum
import functools
import inspect
import pickle
import sys
import textwrap
import types
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from blake3 import blake3

from kedge.pipelines.pipeline import Pipeline
from kedge.pipelines.project import Project
from kedge.pipelines.step import Step

_MOST_WORDS = 6
_PLAIN = (int, float, complex, str, bytes, bool, type(None))


def code_parts(
    function: Callable[..., Any], project: Project, arguments: Iterable[Any] = ()
) -> dict[str, str]:
    """Hashes by name: the function, every function, class, module and constant of the project that it reaches, Python.

    Functions and classes among the arguments, and the classes of objects among them, are reached too.
    """
    reach = _Reach(project)
    reach.parts["python"] = "{}.{}".format(*sys.version_info)
    reach.function(function) if isinstance(function, types.FunctionType) else reach.value("step", function)
    for argument in arguments:
        reach.carried("argument", argument)
    return dict(sorted(reach.parts.items()))


def value_hash(value: Any) -> str:
    """Hash of an argument; its type counts."""
    return _hash(_text(value))


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
    if len(words) > _MOST_WORDS:
        words[_MOST_WORDS:] = [f"and {len(words) - _MOST_WORDS} more"]
    return ", ".join(words) or "nothing changed"


class _Reach:
    """Walks from a function to all that it can reach in the project, each thing once."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._seen: dict[int, Any] = {}  # holds what it has seen, so that no id is used twice
        self.parts: dict[str, str] = {}

    def value(self, name: str, value: Any) -> None:
        """Take in whatever a name stands for."""
        if isinstance(value, Step | Pipeline):
            self.value(name, value.function)
        elif isinstance(value, types.FunctionType):
            self._function(value)
        elif isinstance(value, type):
            self._class(value)
        elif isinstance(value, types.ModuleType):
            self._module(value)
        elif isinstance(value, types.MethodType):
            self.value(name, value.__func__)
            self.value(name, value.__self__)
        elif isinstance(value, functools.partial):
            self.value(name, value.func)
            self.value(name, [list(value.args), value.keywords])
        elif callable(value) and hasattr(value, "__wrapped__"):  # functools.cache and its like
            self.value(name, value.__wrapped__)
        elif isinstance(value, types.BuiltinFunctionType):
            return
        else:
            self._data(name, value)

    def function(self, function: types.FunctionType) -> None:
        """Its code, its defaults, and all that it names."""
        if not self._first(function):
            return
        name = f"{function.__module__}.{function.__qualname__}"
        tree = _parsed(function.__code__)
        self._put(f"code of {name}", ast.dump(tree) if tree else _code_text(function.__code__))
        self._imports(tree, Path(function.__code__.co_filename))
        for parameter in inspect.signature(function, follow_wrapped=False).parameters.values():
            if parameter.default is not parameter.empty:
                self.value(f"default of {name}({parameter.name})", parameter.default)
        for reached, value in _globals(function):
            self.value(f"constant {function.__module__}.{reached}", value)
        for reached, value in _enclosed(function):
            self.value(f"constant {name}.{reached}", value)

    def carried(self, name: str, value: Any) -> None:
        """Take in the code that comes with a value, not the value itself."""
        if isinstance(value, dict):
            value = [*value, *value.values()]
        if isinstance(value, list | tuple | set | frozenset):
            for each in value:
                self.carried(name, each)
        elif callable(value):
            self.value(name, value)
        elif not isinstance(value, _PLAIN) and self._first(value):
            self._object(name, value)

    def _object(self, name: str, value: Any) -> None:
        self._class(type(value))
        if self._is_own_class(type(value)):
            self.carried(name, list(getattr(value, "__dict__", {}).values()))

    def _function(self, function: types.FunctionType) -> None:
        """A library's function may stand around one of the project: a decorator's, or that of singledispatch."""
        if self._project.owns(function.__code__.co_filename):
            self.function(function)
            return
        if not self._first(function):
            return
        inside = [value for _, value in _enclosed(function)]
        self.carried("wrapped", [inside, getattr(function, "__wrapped__", None)])

    def _class(self, kind: type) -> None:
        if not self._is_own_class(kind) or not self._first(kind):
            return
        name = f"{kind.__module__}.{kind.__qualname__}"
        tree = _parsed(kind)
        self._put(f"code of {name}", ast.dump(tree) if tree else name)
        for base in kind.__bases__:
            self._class(base)
        for attribute, value in vars(kind).items():
            for function in _functions(value):
                if self._project.owns(function.__code__.co_filename):
                    self.function(function)
            for called in _called(value):
                self.value(f"{name}.{attribute}", called)
            if isinstance(value, _PLAIN) and not attribute.startswith("__"):
                self._put(f"constant {name}.{attribute}", _text(value))

    def _module(self, module: types.ModuleType) -> None:
        file = getattr(module, "__file__", None)
        if file and self._project.owns(file):
            self._files(Path(file))

    def _imports(self, tree: ast.AST | None, file: Path) -> None:
        """Modules that are imported inside a function, which are not among its globals."""
        if tree is not None and self._project.owns(file):
            for imported in self._project.imported(tree, file):
                self._files(imported)

    def _files(self, file: Path) -> None:
        for path in self._project.reached(file):
            name = f"module {self._project.name(path)}"
            if name not in self.parts:
                self.parts[name] = _hash(ast.dump(_normal(ast.parse(path.read_bytes()))))

    def _data(self, name: str, value: Any) -> None:
        if not isinstance(value, _PLAIN):
            if not self._first(value):
                return
            self._object(name, value)
            inner = value.values() if isinstance(value, dict) else value
            if isinstance(value, list | tuple | dict | set | frozenset):
                for each in inner:
                    if callable(each) or isinstance(each, list | tuple | dict):
                        self.value(f"{name}[]", each)
        self._put(name, _text(value))

    def _put(self, name: str, text: str) -> None:
        unique, number = name, 1
        while unique in self.parts:  # two of the same name: both count
            number += 1
            unique = f"{name} ({number})"
        self.parts[unique] = _hash(text)

    def _first(self, thing: Any) -> bool:
        if id(thing) in self._seen:
            return False
        self._seen[id(thing)] = thing
        return True

    def _is_own_class(self, kind: type) -> bool:
        file = getattr(sys.modules.get(kind.__module__), "__file__", None)
        return bool(file) and self._project.owns(str(file))


def _functions(value: Any) -> Iterator[types.FunctionType]:
    """What is a function among the kinds of things that stand in a class."""
    for each in (
        value,
        *(getattr(value, name, None) for name in ("__func__", "fget", "fset", "func", "__wrapped__")),
    ):
        if isinstance(each, types.FunctionType):
            yield each


def _globals(function: types.FunctionType) -> list[tuple[str, Any]]:
    """The globals that a function names, and the modules that it reaches through them."""
    known, found = function.__globals__, {}
    for code in _codes(function.__code__):
        name, value = "", None
        for instruction in dis.get_instructions(code):
            if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
                name, value = instruction.argval, known.get(instruction.argval)
                if name in known:
                    found[name] = value
            elif instruction.opname in ("LOAD_ATTR", "LOAD_METHOD") and isinstance(value, types.ModuleType):
                # `import package.module` binds the package; the module is its attribute.
                name, value = f"{name}.{instruction.argval}", getattr(value, instruction.argval, None)
                if isinstance(value, types.ModuleType):
                    found[name] = value
            elif instruction.opname not in ("CACHE", "EXTENDED_ARG"):
                value = None
    return sorted(found.items())


def _called(value: Any) -> Iterator[Any]:
    """Functions and classes that stand in a value."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple | set | frozenset):
        for each in value:
            yield from _called(each)
    elif callable(value):
        yield value


def _enclosed(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=False):
        try:
            yield name, cell.cell_contents
        except ValueError:  # not bound yet
            continue


def _codes(code: types.CodeType) -> list[types.CodeType]:
    inner = [constant for constant in code.co_consts if isinstance(constant, types.CodeType)]
    return [code] + [deeper for each in inner for deeper in _codes(each)]


def _parsed(thing: types.CodeType | type) -> ast.Module | None:
    """The normal tree of a function's code (not of what it wraps) or a class; None where there is no source."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(thing)))
    except (OSError, SyntaxError, TypeError):  # made by exec, or a lambda inside an expression
        return None
    if tree.body and isinstance(tree.body[0], ast.FunctionDef | ast.AsyncFunctionDef):
        tree.body[0].decorator_list = []
    return _normal(tree)


def _normal(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module)
            and ast.get_docstring(node, clean=False) is not None
        ):
            node.body = node.body[1:] or [ast.Pass()]
    return tree


def _code_text(code: types.CodeType) -> str:
    constants = [
        _code_text(each) if isinstance(each, types.CodeType) else _text(each) for each in code.co_consts
    ]
    return repr((code.co_code, constants, code.co_names, code.co_varnames))


def _text(value: Any) -> str:  # noqa: PLR0911 - one line a kind of value
    """A text that is equal for equal values in every process; where there is none, the type's name."""
    kind = f"{type(value).__module__}.{type(value).__qualname__}"
    if isinstance(value, enum.Enum):
        return f"{kind}.{value.name}"
    if type(value) in _PLAIN:
        return f"{kind}:{value!r}"
    if isinstance(value, Step | Pipeline):
        return _text(value.function)
    if isinstance(value, type | types.FunctionType):
        return f"<{value.__module__}.{value.__qualname__}>"
    if isinstance(value, list | tuple):
        return f"{kind}({','.join(map(_text, value))})"
    if isinstance(value, set | frozenset):
        return f"{kind}({','.join(sorted(map(_text, value)))})"
    if isinstance(value, dict):
        return f"{kind}({','.join(sorted(f'{_text(key)}:{_text(each)}' for key, each in value.items()))})"
    try:
        return f"{kind}#{blake3(pickle.dumps(value, protocol=5)).hexdigest()}"
    except Exception:  # noqa: BLE001 - whatever an object's own pickling raises: connections, locks, loggers
        return f"{kind}"


def _hash(text: str) -> str:
    return blake3(text.encode(errors="surrogatepass")).hexdigest()
