"""What changed between two versions: files by content, rows, columns by what their profiles say."""

import bisect
import itertools
import math

import msgspec

from kedge.core.datasets import ColumnProfile, DatasetVersion


class ColumnChange(msgspec.Struct, frozen=True, kw_only=True):
    """A column that both versions have and whose profiles differ; pairs are (old, new).

    `distance` tells how far apart the values are, from 0 (alike) to 1 (nothing in common): for numbers the largest gap
    between the two cumulative histograms, for text half the summed differences of the shares of the commonest values.
    None where the profiles cannot tell.
    """

    name: str
    type: tuple[str, str]
    nulls: tuple[int, int]
    distinct: tuple[int | None, int | None]
    minimum: tuple[float | str | None, float | str | None]
    maximum: tuple[float | str | None, float | str | None]
    mean: tuple[float | None, float | None]
    distance: float | None


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
    columns_changed: tuple[ColumnChange, ...]


def diff(old: DatasetVersion, new: DatasetVersion) -> VersionDiff:
    """Compare two versions; they may be of different datasets."""
    before = {file.path: file.object_id for file in old.files}
    after = {file.path: file.object_id for file in new.files}
    had = {column.name: column for column in old.columns}
    has = {column.name: column for column in new.columns}
    both = [name for name in has if name in had]
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
        columns_retyped=tuple(sorted(name for name in both if had[name].type != has[name].type)),
        columns_changed=tuple(_change(had[name], has[name]) for name in both if had[name] != has[name]),
    )


def _change(old: ColumnProfile, new: ColumnProfile) -> ColumnChange:
    return ColumnChange(
        name=new.name,
        type=(old.type, new.type),
        nulls=(old.nulls, new.nulls),
        distinct=(old.distinct, new.distinct),
        minimum=(old.minimum, new.minimum),
        maximum=(old.maximum, new.maximum),
        mean=(old.mean, new.mean),
        distance=distance(old, new),
    )


def distance(old: ColumnProfile, new: ColumnProfile) -> float | None:
    """How far apart the values of two profiles are; see `ColumnChange`."""
    if old.bins and new.bins:
        return _between_histograms(old, new)
    if old.top and new.top:
        return _between_shares(dict(old.top), dict(new.top))
    return None


def _between_histograms(old: ColumnProfile, new: ColumnProfile) -> float:
    one, other = _spread(old, new), _spread(new, old)
    if one.bins[0] == one.bins[-1] or other.bins[0] == other.bins[-1]:
        return float(one.bins != other.bins)
    # Both are straight between edges, so the largest gap is at one.
    return max(abs(_share_below(one, edge) - _share_below(other, edge)) for edge in {*one.bins, *other.bins})


def _spread(of: ColumnProfile, like: ColumnProfile) -> ColumnProfile:
    """A profile of one single value, as wide as the bin of the other profile that holds the value."""
    value = of.bins[0]
    if value != of.bins[-1] or not like.bins[0] <= value <= like.bins[-1]:
        return of
    at = min(bisect.bisect_right(like.bins, value), len(like.bins) - 1)
    return msgspec.structs.replace(of, bins=like.bins[at - 1 : at + 1], counts=(sum(of.counts),))


def _share_below(of: ColumnProfile, value: float) -> float:
    """Share of the values below `value`, taken as lying evenly in their bins."""
    if value <= of.bins[0]:
        return 0.0
    if value >= of.bins[-1]:
        return 1.0
    at = bisect.bisect_right(of.bins, value) - 1
    part = (value - of.bins[at]) / (of.bins[at + 1] - of.bins[at])
    return (sum(itertools.islice(of.counts, at)) + part * of.counts[at]) / sum(of.counts)


def _between_shares(old: dict[str, int], new: dict[str, int]) -> float:
    olds, news = sum(old.values()), sum(new.values())
    gaps = (abs(old.get(value, 0) / olds - new.get(value, 0) / news) for value in old.keys() | new.keys())
    return min(math.fsum(gaps) / 2, 1.0)
