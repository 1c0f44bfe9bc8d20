"""Which files are the user's own: those that are kept as a run's code, and whose changes end a cached result."""

import ast
import dataclasses
import sys
from collections.abc import Iterator
from pathlib import Path

_NOT_OWN = frozenset({"site-packages", "dist-packages", ".venv", "venv", "node_modules"})


@dataclasses.dataclass(frozen=True)
class Project:
    """`folder` is where imports begin; own files lie below `root`, which is narrower when the code is installed."""

    folder: Path
    root: Path

    @classmethod
    def of(cls, entry: str, folder: Path) -> "Project":
        """The project of an entry. In `site-packages` only the entry's own package belongs to it."""
        folder = folder.resolve()
        where = entry.rpartition(":")[0]
        if where.endswith(".py") or not _NOT_OWN.intersection(folder.parts):
            return cls(folder, folder)
        return cls(folder, folder / where.partition(".")[0])

    def owns(self, file: Path | str) -> bool:
        """Whether this is a source file of the project."""
        path = Path(file).resolve()
        if path.suffix != ".py" or not path.is_relative_to(self.root):
            return False
        return not _NOT_OWN.intersection(path.relative_to(self.root).parts)

    def name(self, file: Path) -> str:
        """The path by which a file of the project is known."""
        return file.resolve().relative_to(self.folder).as_posix()

    def imported(self, tree: ast.AST, file: Path) -> Iterator[Path]:
        """Own files that the import statements in `tree`, at whatever depth, name."""
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield from self._found(self.folder, alias.name)
            elif isinstance(node, ast.ImportFrom):
                base = self.folder if not node.level else file.resolve().parents[node.level - 1]
                for alias in node.names:
                    yield from self._found(base, f"{node.module or ''}.{alias.name}".strip("."))

    def _found(self, base: Path, dotted: str) -> Iterator[Path]:
        place = base
        for part in dotted.split("."):
            place = place / part
            for file in (place.with_name(f"{part}.py"), place / "__init__.py"):
                if file.is_file() and self.owns(file):
                    yield file.resolve()

    def reached(self, file: Path) -> list[Path]:
        """The file and all own files that it imports, directly or through others, sorted."""
        seen: set[Path] = set()
        waiting = [file.resolve()]
        while waiting:
            here = waiting.pop()
            if here in seen or not self.owns(here):
                continue
            seen.add(here)
            waiting += self.imported(_tree(here), here)
        return sorted(seen)

    def sources(self, entry: str) -> dict[str, Path]:
        """Every own file that the entry reaches or that is imported by now, by its path in the project."""
        where = entry.rpartition(":")[0]
        module = sys.modules.get(where)
        file = where if where.endswith(".py") else getattr(module, "__file__", None)
        found = set(self.reached(Path(file))) if file else set()
        for loaded in list(sys.modules.values()):
            file = getattr(loaded, "__file__", None)
            if file and self.owns(file):
                found.add(Path(file).resolve())
        return {self.name(path): path for path in sorted(found)}


def _tree(file: Path) -> ast.AST:
    try:
        return ast.parse(file.read_bytes())
    except SyntaxError:  # an own file that nothing runs may be broken
        return ast.Module(body=[], type_ignores=[])
