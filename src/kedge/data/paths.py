"""Paths inside a dataset version: relative, forward slashes, never out of the folder they are checked out into."""

from pathlib import Path, PurePosixPath

from kedge.core.errors import Invalid

_LONGEST = 1024


def checked(path: str) -> PurePosixPath:
    """`path` as a relative path. Raises Invalid for what is absolute, climbs, or is no plain path."""
    pure = PurePosixPath(path)
    bad = (
        not path
        or len(path) > _LONGEST
        or pure.is_absolute()
        or str(pure) != path
        or any(part in ("..", ".") for part in pure.parts)
        or any(character in path for character in "\\\0\n\r")
        or (len(path) > 1 and path[1] == ":")
    )
    if bad:
        raise Invalid(
            f"{path!r} is not a path inside a dataset: relative, with forward slashes, without '..'"
        )
    return pure


def inside(folder: Path, path: str) -> Path:
    """Where `path` lies below `folder`. Raises Invalid when it, or a link on the way, leads out."""
    place = folder / checked(path)
    if not place.resolve().is_relative_to(folder.resolve()):
        raise Invalid(f"{path!r} leads out of {folder}")
    return place
