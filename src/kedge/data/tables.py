"""Arrow tables to and from Parquet; the same table always gives the same bytes, so that it has one content id."""

import io
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv

from kedge.core.errors import Invalid

ROW_GROUP_ROWS = 128 * 1024


def to_parquet(table: pa.Table) -> bytes:
    """The table as Parquet. Chunking and schema metadata (pandas') do not matter: they are not content.

    Raises Invalid for what Parquet cannot hold: two columns of one name, some types.
    """
    twice = next((name for name, count in Counter(table.column_names).items() if count > 1), None)
    if twice is not None:
        raise Invalid(f"the table has more than one column {twice!r}", hint="rename them first")
    plain = table.replace_schema_metadata(None).combine_chunks()
    buffer = io.BytesIO()
    try:
        pq.write_table(plain, buffer, compression="zstd", row_group_size=ROW_GROUP_ROWS, version="2.6")
    except pa.ArrowException as error:
        raise Invalid(f"the table cannot be written as Parquet: {error}") from error
    return buffer.getvalue()


def read_files(files: Sequence[Path], columns: Sequence[str] | None = None) -> pa.Table:
    """The Parquet files, one after the other, as one table. Raises Invalid when a column is missing or types differ."""
    tables = [_read(file, columns) for file in files]
    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except pa.ArrowException as error:
        raise Invalid(f"the files do not fit together: {error}") from error


def _read(file: Path, columns: Sequence[str] | None) -> pa.Table:
    try:
        there = pq.read_schema(file).names
        missing = sorted(set(columns or ()) - set(there))
        if missing:
            raise Invalid(f"no column {missing[0]!r}; there are {', '.join(there)}")
        return pq.read_table(file, columns=list(columns) if columns is not None else None)
    except pa.ArrowException as error:
        raise Invalid(f"{file.name} cannot be read as Parquet: {error}") from error


def read_local(path: Path) -> pa.Table:
    """A .parquet or .csv file of the user's. Raises Invalid for anything else or what cannot be read."""
    try:
        if path.suffix == ".parquet":
            return pq.read_table(path)
        if path.suffix == ".csv":
            return csv.read_csv(path)
    except (OSError, pa.ArrowException) as error:
        raise Invalid(f"{path} cannot be read: {error}") from error
    raise Invalid(f"{path} is neither .parquet nor .csv", hint="a folder is taken as it is, file by file")
