"""The rules of the house that no linter holds: sizes, empty `__init__`s, imports, and words that do not belong in files."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted((ROOT / "src").rglob("*.py"))
MAX_LINES = 400
MAX_STATEMENTS = 40
# The lazy names of the facade: `import kedge.drift` must not bring the rest.
CODE_ALLOWED_IN_INIT = {"src/kedge/__init__.py"}


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.fixture(scope="module")
def trees() -> dict[str, ast.Module]:
    return {_name(path): ast.parse(path.read_text()) for path in SOURCES}


def test_files_are_short() -> None:
    long = {_name(path): n for path in SOURCES if (n := len(path.read_text().splitlines())) > MAX_LINES}
    assert not long


def test_functions_are_short(trees: dict[str, ast.Module]) -> None:
    long = [
        f"{name}:{node.lineno} {node.name}"
        for name, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and sum(isinstance(inner, ast.stmt) for inner in ast.walk(node)) - 1 > MAX_STATEMENTS
    ]
    assert not long


def test_init_files_hold_no_code(trees: dict[str, ast.Module]) -> None:
    allowed = (ast.Import, ast.ImportFrom, ast.Assign, ast.Expr)
    bad = [
        name
        for name, tree in trees.items()
        if name.endswith("__init__.py") and name not in CODE_ALLOWED_IN_INIT
        if not all(isinstance(node, allowed) for node in tree.body)
    ]
    assert not bad


def test_own_modules_are_imported_at_the_top(trees: dict[str, ast.Module]) -> None:
    """A function-local import of Kedge hides an arrow of the import graph."""
    lazy = [
        f"{name}:{inner.lineno}"
        for name, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in ast.walk(node)
        if isinstance(inner, ast.ImportFrom) and (inner.module or "").startswith("kedge")
    ]
    assert not lazy


def test_every_room_says_what_it_is(trees: dict[str, ast.Module]) -> None:
    silent = [
        name for name, tree in trees.items() if name.endswith("__init__.py") and not ast.get_docstring(tree)
    ]
    assert not silent


def test_all_names_of_the_facade_exist() -> None:
    import kedge

    assert sorted(kedge.__all__) == list(kedge.__all__)
    for name in kedge.__all__:
        assert getattr(kedge, name) is not None


def test_locks_and_sources_name_no_index() -> None:
    lock = (ROOT / "requirements" / "dev.lock").read_text()
    assert not re.search(r"https?://|--index-url|--find-links", lock)
