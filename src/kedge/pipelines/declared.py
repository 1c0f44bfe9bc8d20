"""What the source of a pipeline says of it, read without running it, so that a wrong start is refused at once."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from kedge.core.errors import Invalid, NotFound


class Declared(msgspec.Struct, frozen=True):
    """What the source says of a pipeline: its name and parameters."""

    name: str
    required: tuple[str, ...]
    optional: tuple[str, ...]
    takes_any: bool

    def check(self, params: Mapping[str, Any]) -> None:
        """Raise Invalid naming parameters that are missing or unknown."""
        known = {*self.required, *self.optional}
        missing = [name for name in self.required if name not in params]
        unknown = [] if self.takes_any else [name for name in params if name not in known]
        words = [f"missing {', '.join(missing)}"] if missing else []
        words += [f"unknown {', '.join(unknown)}"] if unknown else []
        if words:
            takes = ", ".join([*self.required, *(f"{name} (optional)" for name in self.optional)])
            raise Invalid(
                f"parameters of pipeline {self.name!r}: {'; '.join(words)}",
                hint=f"it takes {takes or 'none'}",
            )


def declared(entry: str, project: str) -> Declared | None:
    """What can be known of a pipeline without running its file; None where that is nothing.

    Raises NotFound when the file has no such name, Invalid when it cannot be parsed.
    """
    where, _, name = entry.rpartition(":")
    file = Path(where) if where.endswith(".py") else _module_file(where, Path(project))
    if file is None:
        return None
    try:
        tree = ast.parse(file.read_bytes())
    except SyntaxError as error:
        raise Invalid(f"{file}, line {error.lineno}: {error.msg}") from error
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    found = next((node for node in functions if node.name == name), None)
    if found is not None:
        return _from_tree(found)
    if any(name == bound for node in tree.body for bound in _bound(node)):
        return None  # imported or assigned: only running the file tells
    candidates = [node.name for node in functions if _decorator(node) is not None]
    raise NotFound(
        f"{file} has no {name!r}",
        hint=f"its pipelines: {', '.join(candidates)}"
        if candidates
        else "decorate a function with @kedge.pipeline",
    )


def _module_file(module: str, project: Path) -> Path | None:
    place = project.joinpath(*module.split("."))
    return next((file for file in (place.with_suffix(".py"), place / "__init__.py") if file.is_file()), None)


def _bound(node: ast.stmt) -> Iterator[str]:
    """Names that a statement may bind."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.alias):
            yield "*" if inner.name == "*" else (inner.asname or inner.name).partition(".")[0]
        elif isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
            yield inner.id
        elif isinstance(inner, ast.FunctionDef | ast.ClassDef):
            yield inner.name


def _decorator(node: ast.FunctionDef) -> ast.expr | None:
    """The decorator that is called `pipeline`."""
    for each in node.decorator_list:
        called = each.func if isinstance(each, ast.Call) else each
        if (isinstance(called, ast.Name) and called.id == "pipeline") or (
            isinstance(called, ast.Attribute) and called.attr == "pipeline"
        ):
            return each
    return None


def _from_tree(node: ast.FunctionDef) -> Declared | None:
    decorator = _decorator(node)
    if decorator is None:
        return None
    name = node.name
    if isinstance(decorator, ast.Call):
        given = next((word.value for word in decorator.keywords if word.arg == "name"), None)
        if isinstance(given, ast.Constant) and isinstance(given.value, str):
            name = given.value
    positional = [arg.arg for arg in node.args.args]
    split = len(positional) - len(node.args.defaults)
    keyword = list(zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True))
    required = [*positional[:split], *(arg.arg for arg, default in keyword if default is None)]
    optional = [*positional[split:], *(arg.arg for arg, default in keyword if default is not None)]
    return Declared(name, tuple(required), tuple(optional), node.args.kwarg is not None)
