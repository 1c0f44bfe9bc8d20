"""The columns of two files that detectors can compare, as arrays; and those that they cannot, with the reason."""

import math
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kedge.core.errors import Invalid
from kedge.monitoring.files import is_parquet, read_table, schema_of
from kedge.monitoring.values import MISSING, Kind, as_text, kind_of, with_gaps

Missing = Literal["raise", "skip", "monitors"]
"""What rows without a value do: end the comparison with an error, stay away, or, as in monitors, stay away from numbers
and be a category of their own."""

Values = npt.NDArray[Any]

_TOLD = 6
"""Columns whose reasons a message tells."""

_CALLED: dict[Kind, str] = {"numeric": "numbers", "categorical": "text or booleans"}


class Asked(NamedTuple):
    """What is compared: the columns (none: all), those of numbers to read as categories, and the one with the class.

    Of `sample` rows or more in a file, detectors of rows get so many, drawn at random; 0 is all.
    """

    columns: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    label: str | None = None
    missing: Missing = "raise"
    sample: int = 0


class Column(NamedTuple):
    """A column in both files, row by row: float64, NaN where a value is missing, or objects, None where it is."""

    kind: Kind
    reference: Values
    current: Values


class Columns(NamedTuple):
    """Columns to compare in their order; `label` apart, its `current` empty where that file has none.

    `left_out` says why columns are not compared, `missing` how many rows of either file have no value in a column.
    """

    read: dict[str, Column]
    label: Column | None
    left_out: dict[str, str]
    missing: dict[str, tuple[int, int]]


class _Pair(NamedTuple):
    """Two files, and their schemas or tables."""

    paths: tuple[Path, Path]
    tables: tuple[Any, Any]

    def types(self, name: str) -> list[Any]:
        return [table.field(name).type for table in self.tables]


def read_columns(reference: Path, current: Path, asked: Asked, wanted: Collection[Kind]) -> Columns:
    """Read the columns of kinds that are wanted, and no others.

    Raises
    ------
    NotFound
        There is no such file.
    Invalid
        A file cannot be read or has no rows, a column that is asked for cannot be compared, or a value is missing.
    """
    pair = _Pair((reference, current), (schema_of(reference), schema_of(current)))
    names, left_out = _names(pair, asked)
    if not all(is_parquet(path) for path in pair.paths):  # what a CSV file holds is known when it is read
        pair = _read(pair.paths, names, asked.label)
    kinds: dict[str, Kind] = {}
    for name in names:
        kind, why = _kind(name, pair, asked, wanted)
        if why and asked.columns:
            raise Invalid(f"column {name!r} cannot be compared: {why}", hint=_hint(name, why, kind))
        if kind is None or why:
            left_out[name] = why
        else:
            kinds[name] = kind
    if not kinds:
        raise Invalid(
            f"{reference} and {current} share no column that these detectors can compare",
            hint=_reasons(left_out),
        )
    if isinstance(pair.tables[0], pa.Schema):
        pair = _read(pair.paths, list(kinds), asked.label)
    return _arrays(pair, kinds, asked, left_out)


def _names(pair: _Pair, asked: Asked) -> tuple[list[str], dict[str, str]]:
    """The columns asked for, or those of both files; why others are left out."""
    first, second = (dict.fromkeys(schema.names) for schema in pair.tables)  # in order, and fast to look up
    for name in (*asked.columns, *((asked.label,) if asked.label else ())):
        for path, there in zip(pair.paths, (first, second), strict=True):
            if name not in there and not (name == asked.label and there is second):
                raise Invalid(f"{path} has no column {name!r}", hint=f"its columns are {', '.join(there)}")
    common = [name for name in asked.columns or first if name in second and name != asked.label]
    for name in asked.categorical:
        if name not in common:
            raise Invalid(
                f"--categorical {name!r}: it is not among the columns compared",
                hint=f"these are {', '.join(common)}",
            )
    left_out = {}
    if not asked.columns:
        left_out = {name: f"only in {pair.paths[0]}" for name in first if name not in second}
        left_out |= {name: f"only in {pair.paths[1]}" for name in second if name not in first}
        left_out.pop(asked.label or "", None)
    return list(dict.fromkeys(common)), left_out


def _reasons(left_out: Mapping[str, str]) -> str:
    # Those that both files have come first: they are what may be made to fit.
    told = sorted((f"{name}: {why}" for name, why in left_out.items()), key=lambda each: ": only in " in each)
    return "; ".join([*told[:_TOLD], *([f"and {len(told) - _TOLD} more"] if len(told) > _TOLD else [])])


def _read(paths: tuple[Path, Path], names: list[str], label: str | None) -> _Pair:
    tables = []
    for path in paths:
        wanted = [*names, label] if label is not None and label in schema_of(path).names else names
        # No columns asked for would be all of them.
        tables.append(read_table(path, wanted) if wanted else pa.table({}))
        if wanted and not tables[-1].num_rows:
            raise Invalid(f"{path} has no rows")
    return _Pair(paths, (tables[0], tables[1]))


def _kind(name: str, pair: _Pair, asked: Asked, wanted: Collection[Kind]) -> tuple[Kind | None, str]:
    """How a column is read, and why it is not compared, if it is not. Raises Invalid for two kinds of one name."""
    types = [each for each in pair.types(name) if not pa.types.is_null(each)]
    if not types:
        return None, "it has no values in either file"
    kinds = [kind_of(each) for each in types]
    for kind, each in zip(kinds, types, strict=True):
        if kind is None:
            bytes_ = " (in a CSV file: text that is not UTF-8)" if pa.types.is_binary(each) else ""
            return None, f"it holds {each}{bytes_}, which no detector reads"
    if name in asked.categorical:
        kinds = ["categorical"]
    if len(set(kinds)) > 1:
        told = " and ".join(
            f"{_CALLED[kind or 'numeric']} in {path}" for kind, path in zip(kinds, pair.paths, strict=True)
        )
        raise Invalid(
            f"column {name!r} holds {told}",
            hint=f"read both as categories with --categorical {name}, or name other columns with --columns",
        )
    kind = kinds[0]
    if kind in wanted:
        return kind, ""
    return kind, f"it holds {_CALLED[kind or 'numeric']}, which none of the detectors reads"


def _hint(name: str, why: str, kind: Kind | None) -> str:
    if "none of the detectors" not in why:
        return "leave it out, or store numbers or text in its place"
    if kind == "numeric":
        return f"leave it out, read it as categories with --categorical {name}, or name a detector of numbers"
    return "leave it out, or name a detector of categories, such as chi2 or psi"


def _arrays(pair: _Pair, kinds: dict[str, Kind], asked: Asked, left_out: dict[str, str]) -> Columns:
    read: dict[str, Column] = {}
    missing: dict[str, tuple[int, int]] = {}
    for name, kind in kinds.items():
        column = _column(name, kind, pair, asked.missing)
        gaps = [gaps_of(values) for values in (column.reference, column.current)]
        if any(each.any() for each in gaps):
            missing[name] = (int(gaps[0].sum()), int(gaps[1].sum()))
        empty = [path for path, each in zip(pair.paths, gaps, strict=True) if each.all()]
        if empty and asked.columns:
            raise Invalid(f"column {name!r} of {empty[0]} has no values", hint="leave it out")
        if empty:
            left_out[name] = f"it has no values in {empty[0]}"
        else:
            read[name] = column
    if not read:
        raise Invalid("there is no column with values to compare", hint=_reasons(left_out))
    return Columns(read, _label(pair, asked), left_out, missing)


def _column(name: str, kind: Kind, pair: _Pair, missing: Missing) -> Column:
    both = []
    for path, table in zip(pair.paths, pair.tables, strict=True):
        values = _values(name, kind, table.column(name))
        gaps = gaps_of(values)
        if missing == "raise" and gaps.any():
            row, others = int(np.argmax(gaps)), int(gaps.sum()) - 1
            what = "finite number" if kind == "numeric" else "value"
            raise Invalid(
                f"column {name!r} of {path} has no {what} in row {row}"
                + (f", nor in {others} more" if others else "")
                + " (rows count from 0)",
                hint="--missing skip leaves such rows out",
            )
        if missing == "monitors" and kind == "categorical":
            values[gaps] = MISSING
        both.append(values)
    return Column(kind, both[0], both[1])


def _values(name: str, kind: Kind, column: Any) -> Values:
    if kind == "numeric":
        return with_gaps(name, column.chunks)
    if pa.types.is_floating(column.type):  # whole ones read as integers, so that 3.0 and 3 are one category
        return np.array([_category(each) for each in with_gaps(name, column.chunks).tolist()], object)
    texts: Values = as_text(column.chunks).to_numpy(zero_copy_only=False)
    return texts.astype(object)


def _category(number: float) -> str | None:
    if math.isnan(number):
        return None
    return str(int(number)) if number.is_integer() else repr(number)


def gaps_of(values: Values) -> npt.NDArray[np.bool_]:
    """Where a value is missing."""
    if values.dtype.kind == "f":
        return np.isnan(values)
    return np.fromiter((each is None for each in values), bool, len(values))


def _label(pair: _Pair, asked: Asked) -> Column | None:
    """The column with the class, as numbers; classes that are text are numbered in alphabetical order."""
    if asked.label is None:
        return None
    name = asked.label
    there = [table for table in pair.tables if name in table.column_names]
    kinds = {kind_of(table.schema.field(name).type) for table in there}
    if len(kinds) > 1 or None in kinds:
        raise Invalid(f"--label {name!r}: it must hold numbers, text or booleans, of one kind in both files")
    kind: Kind = "numeric" if "numeric" in kinds else "categorical"
    pair = _Pair(pair.paths, (there[0], there[-1]))
    column = _column(name, kind, pair, "skip" if asked.missing == "monitors" else asked.missing)
    reference, current = column.reference, column.current
    if kind == "categorical":
        classes = sorted({each for each in (*reference, *current) if each is not None})
        number = {each: float(place) for place, each in enumerate(classes)}
        reference, current = (
            np.array([number.get(each, np.nan) for each in values], float) for values in (reference, current)
        )
    return Column("numeric", reference, current if len(there) == 2 else np.empty(0))
