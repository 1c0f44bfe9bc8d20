"""What changed between two versions: files by content, rows, columns."""

import msgspec

from kedge.core.datasets import DatasetVersion


class VersionDiff(msgspec.Struct, frozen=True, kw_only=True):
    """From `old` to `new`; files and columns by name."""

    old: str
    new: str
    rows: int
    size_bytes: int
    files_added: tuple[str, ...]
    files_removed: tuple[str, ...]
    files_changed: tuple[str, ...]
    columns_added: tuple[str, ...]
    columns_removed: tuple[str, ...]
    columns_retyped: tuple[str, ...]


def diff(old: DatasetVersion, new: DatasetVersion) -> VersionDiff:
    """Compare two versions; they may be of different datasets."""
    before = {file.path: file.object_id for file in old.files}
    after = {file.path: file.object_id for file in new.files}
    had = {column.name: column.type for column in old.columns}
    has = {column.name: column.type for column in new.columns}
    return VersionDiff(
        old=old.id,
        new=new.id,
        rows=new.rows - old.rows,
        size_bytes=new.size_bytes - old.size_bytes,
        files_added=tuple(sorted(after.keys() - before.keys())),
        files_removed=tuple(sorted(before.keys() - after.keys())),
        files_changed=tuple(sorted(p for p in before.keys() & after.keys() if before[p] != after[p])),
        columns_added=tuple(sorted(has.keys() - had.keys())),
        columns_removed=tuple(sorted(had.keys() - has.keys())),
        columns_retyped=tuple(sorted(c for c in had.keys() & has.keys() if had[c] != has[c])),
    )
