"""Compiled kernels that are older than what they call are removed.

Numba's cache looks at the time of a kernel's own file alone, but what a kernel calls, and every constant, is compiled into
it: who edits `concept.py` would go on running the old code by way of `single.py`.
"""

import re
from pathlib import Path

KERNELS = Path(__file__).parent.parent / "src" / "kedge" / "drift" / "kernels"
_PACKAGE = re.escape("kedge.drift.kernels")
_IMPORT = re.compile(rf"^(?:from {_PACKAGE}\.(\w+) import|from {_PACKAGE} import (\w+))", re.MULTILINE)


def remove_stale(folder: Path = KERNELS) -> list[str]:
    """The modules whose compiled kernels were removed from the folder's cache, because one they import is newer."""
    called = {
        each.stem: {first or second for first, second in _IMPORT.findall(each.read_text())}
        for each in folder.glob("*.py")
    }
    removed = set()
    for index in folder.glob("__pycache__/*.nbi"):
        module = index.name.partition(".")[0]
        sources = [folder / f"{name}.py" for name in _reached(module, called)]
        newest = max((each.stat().st_mtime for each in sources if each.exists()), default=0.0)
        if index.stat().st_mtime < newest:
            index.unlink(missing_ok=True)  # by another worker, it may be
            removed.add(module)
    return sorted(removed)


def _reached(module: str, called: dict[str, set[str]]) -> set[str]:
    reached: set[str] = set()
    left = [module]
    while left:
        name = left.pop()
        if name not in reached:
            reached.add(name)
            left += called.get(name, set())
    return reached
