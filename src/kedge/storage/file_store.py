"""What an `mlruns/` folder holds, read straight from its files, to check an import against."""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from kedge.core.errors import Invalid


class FoundRun(msgspec.Struct, frozen=True):
    """A run's folder: parameters, tags, and per metric the number of points and the last of them."""

    run_id: str
    params: dict[str, str]
    tags: dict[str, str]
    metrics: dict[str, tuple[int, float]]


def root_of(path: Path) -> Path:
    """The folder that holds experiments, given it or the one above. Raises Invalid."""
    for folder in (path / "mlruns", path):
        if folder.is_dir() and next(_experiments(folder), None) is not None:
            return folder
    raise Invalid(
        f"{path} is no mlruns folder: it holds no experiment", hint="name the folder with 0/meta.yaml"
    )


def _experiments(root: Path) -> Iterator[Path]:
    for folder in (root, root / ".trash"):
        if folder.is_dir():
            yield from sorted(each for each in folder.iterdir() if (each / "meta.yaml").is_file())


def runs(root: Path) -> Iterator[FoundRun]:
    """Every run of every experiment, deleted ones too."""
    for experiment in _experiments(root):
        for folder in sorted(experiment.iterdir()):
            if (folder / "meta.yaml").is_file() and (folder / "params").exists():
                yield FoundRun(
                    folder.name,
                    _texts(folder / "params"),
                    _texts(folder / "tags"),
                    _points(folder / "metrics"),
                )


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    for file in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if file.is_file():
            yield file.relative_to(folder).as_posix(), file


def _texts(folder: Path) -> dict[str, str]:
    return {name: file.read_text() for name, file in _files(folder)}


def _points(folder: Path) -> dict[str, tuple[int, float]]:
    found = {}
    for name, file in _files(folder):
        lines = [line.split() for line in file.read_text().splitlines() if line.strip()]
        if lines:  # time, value, step
            found[name] = (len(lines), max((_step(line), int(line[0]), float(line[1])) for line in lines)[2])
    return found


def _step(line: list[str]) -> int:
    return int(line[2]) if len(line) > 2 else 0
