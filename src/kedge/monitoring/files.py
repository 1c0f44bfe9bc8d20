"""Tables read from Parquet and CSV files, no more of them than is asked for."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from kedge.core.errors import Invalid, NotFound


def schema_of(path: Path) -> Any:
    """Names and types of a file's columns; of a CSV file the types are a guess from its first megabyte.

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
            with pa_csv.open_csv(path) as reader:
                schema = reader.schema
    except (pa.ArrowInvalid, OSError) as error:
        raise _unreadable(path, error) from error
    for name in schema.names:
        if schema.names.count(name) > 1:
            raise Invalid(f"{path} has two columns called {name!r}", hint="rename one of them")
    return schema


def read_table(path: Path, columns: Sequence[str] | None = None) -> Any:
    """A Parquet or CSV file as an Arrow table. Raises NotFound, or Invalid naming the columns that there are."""
    schema = schema_of(path)
    for name in columns or ():
        if name not in schema.names:
            raise Invalid(f"{path} has no column {name!r}", hint=f"its columns are {', '.join(schema.names)}")
    wanted = list(columns or schema.names)
    try:
        if is_parquet(path):
            return pq.read_table(path, columns=wanted).select(wanted)
        table = pa_csv.read_csv(path, convert_options=pa_csv.ConvertOptions(include_columns=wanted))
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
