"""Paths inside a dataset version: relative, forward slashes, never out of the folder they are checked out into."""

from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from kedge.core.errors import Invalid

LONGEST_PATH_BYTES = 1024
LONGEST_PART_BYTES = 255
_HINT = "relative, with forward slashes, without '..', '.' and control characters"


def checked(path: str) -> PurePosixPath:
    """`path` as a relative path. Raises Invalid for what is absolute, climbs, or is no plain path."""
    pure = PurePosixPath(path)
    try:
        encoded = path.encode()
    except UnicodeEncodeError:
        raise Invalid(f"{path!r} is not a path inside a dataset: it is no Unicode text", hint=_HINT) from None
    bad = (
        not pure.parts
        or len(encoded) > LONGEST_PATH_BYTES
        or pure.is_absolute()
        or str(pure) != path
        or any(part in ("..", ".") or len(part.encode()) > LONGEST_PART_BYTES for part in pure.parts)
        or any(character == "\\" or not character.isprintable() for character in path)
        or path[1:2] == ":"
    )
    if bad:
        raise Invalid(f"{path!r} is not a path inside a dataset", hint=_HINT)
    return pure


def checked_together(paths: Iterable[str]) -> tuple[PurePosixPath, ...]:
    """All of a version's paths. Raises Invalid also when one is there twice or is a folder to another."""
    pure = tuple(checked(path) for path in paths)
    seen = set(pure)
    if len(seen) != len(pure):
        twice = next(path for path in pure if pure.count(path) > 1)
        raise Invalid(f"the path {str(twice)!r} is there twice")
    for path in pure:
        above = next((parent for parent in path.parents if parent in seen), None)
        if above is not None:
            raise Invalid(f"{str(above)!r} is a file, so {str(path)!r} cannot lie in it")
    return pure


def inside(folder: Path, path: str) -> Path:
    """Where `path` lies below `folder`. Raises Invalid when it, or a link on the way, leads out."""
    place = folder / checked(path)
    if not place.resolve().is_relative_to(folder.resolve()):
        raise Invalid(f"{path!r} leads out of {folder}")
    return place


def files_below(folder: Path) -> tuple[Path, ...]:
    """Every file below `folder`, sorted by relative path.

    Raises Invalid when there is none, for a link out of the folder or to a folder, and for what is no file at all (a
    pipe, a device): leaving them out would make a version that is not what the folder holds.
    """
    found: list[Path] = []
    pending = [folder]
    while pending:
        for entry in sorted(pending.pop().iterdir()):
            if entry.is_symlink() and not _stays(entry, folder):
                raise Invalid(
                    f"{entry} is a link that leads out of {folder} or to no file", hint="copy what it names"
                )
            if entry.is_dir():
                pending.append(entry)
            elif entry.is_file():
                found.append(entry)
            else:
                raise Invalid(f"{entry} is neither a file nor a folder")
    if not found:
        raise Invalid(f"the folder {folder} holds no file", hint="empty folders are not kept")
    by_path = sorted(found, key=lambda each: each.relative_to(folder).as_posix())
    checked_together(each.relative_to(folder).as_posix() for each in by_path)
    return tuple(by_path)


def _stays(link: Path, folder: Path) -> bool:
    return link.is_file() and link.resolve().is_relative_to(folder.resolve())
