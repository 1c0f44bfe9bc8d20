"""Tables read from Parquet and CSV files, no more of them than is asked for."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from kedge.core.errors import Invalid, NotFound

_BLOCKS = pa_csv.ReadOptions(block_size=1 << 26)
"""Bytes: no row may be longer, nor lie in three blocks."""


def schema_of(path: Path) -> Any:
    """Names and types of a file's columns; of a CSV file the types are a guess from its first 64 megabytes.

    Raises
    ------
    NotFound
        There is no such file.
    Invalid
        It is neither Parquet nor CSV, or has two columns of one name.
    """
    if not path.is_file():
        raise NotFound(f"there is no file {path}")
    try:
        if is_parquet(path):
            schema = pq.read_schema(path)
        else:
            with pa_csv.open_csv(path, read_options=_BLOCKS) as reader:
                schema = reader.schema
    except (pa.ArrowInvalid, OSError) as error:
        raise _unreadable(path, error) from error
    twice = next((name for name, count in Counter(schema.names).items() if count > 1), None)
    if twice is not None:
        raise Invalid(f"{path} has two columns called {twice!r}", hint="rename one of them")
    return schema


def read_table(path: Path, columns: Sequence[str] | None = None) -> Any:
    """A Parquet or CSV file as an Arrow table. Raises NotFound, or Invalid naming the columns that there are."""
    names = schema_of(path).names  # made anew each time that it is asked for
    known = set(names)
    for name in columns or ():
        if name not in known:
            raise Invalid(f"{path} has no column {name!r}", hint=f"its columns are {', '.join(names)}")
    wanted = list(columns or names)
    try:
        if is_parquet(path):
            return pq.read_table(path, columns=wanted).select(wanted)
        table = pa_csv.read_csv(
            path, read_options=_BLOCKS, convert_options=pa_csv.ConvertOptions(include_columns=wanted)
        )
    except (pa.ArrowInvalid, OSError) as error:
        raise _unreadable(path, error) from error
    # An empty cell is no value, of text as of numbers: Parquet files written from the same table have none there either.
    return pa.table({name: _without_empty(table.column(name)) for name in wanted})


def _without_empty(column: Any) -> Any:
    if not pa.types.is_string(column.type):
        return column
    return pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)


def is_parquet(path: Path) -> bool:
    """Whether the file's name says so."""
    return path.suffix in (".parquet", ".pq")


def _unreadable(path: Path, error: Exception) -> Invalid:
    return Invalid(f"{path} cannot be read: {error}", hint="give a .parquet or a .csv file")
