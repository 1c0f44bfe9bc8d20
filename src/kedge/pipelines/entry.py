"""Finding a pipeline by its entry: `module:function` or `/path/file.py:function`."""

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from kedge.core.errors import Invalid, NotFound
from kedge.pipelines.pipeline import Pipeline


def resolved(entry: str, folder: Path) -> tuple[str, str]:
    """(entry, project) of what a user wrote: a path becomes absolute. Raises Invalid, NotFound."""
    where, _, function = entry.rpartition(":")
    if not where or not function.isidentifier():
        raise Invalid(
            f"{entry!r} names no pipeline", hint="write path/to/file.py:function or package.module:function"
        )
    if where.endswith(".py"):
        path = (folder / where).resolve()
        if not path.is_file():
            raise NotFound(f"there is no file {path}")
        return f"{path}:{function}", str(path.parent)
    return entry, str(folder.resolve())


def load(entry: str, project: str) -> Pipeline[..., object]:
    """Import the pipeline; its project comes first on the path. Raises Invalid when it is not one."""
    where, _, name = entry.rpartition(":")
    if project not in sys.path:
        sys.path.insert(0, project)
    module = _from_file(Path(where)) if where.endswith(".py") else importlib.import_module(where)
    found = getattr(module, name, None)
    if not isinstance(found, Pipeline):
        what = "there is no" if found is None else "it is not a pipeline:"
        raise Invalid(
            f"{entry!r}: {what} {name!r} in {where}", hint="decorate the function with @kedge.pipeline"
        )
    return found


def _from_file(path: Path) -> ModuleType:
    # A file that is called like a module of Python must not take its place.
    name = f"_kedge_{path.stem}" if path.stem in sys.stdlib_module_names else path.stem
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise NotFound(f"there is no file {path}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
