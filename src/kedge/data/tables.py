"""Arrow tables to and from Parquet; the same table always gives the same bytes, so that it has one content id."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv

from kedge.core.errors import Invalid

ROW_GROUP_ROWS = 128 * 1024


def to_parquet(table: pa.Table) -> bytes:
    """The table as Parquet. Chunking and metadata (pandas', field ids) do not matter: they are not content.

    Another release of Arrow may write other bytes for the same table; the content id is of the bytes.

    Raises
    ------
    Invalid
        The table has no column, two of one name, or one of a type that Parquet does not know.
    """
    buffer = pa.BufferOutputStream()
    write_parquet(table, buffer)
    return bytes(buffer.getvalue())


def write_parquet(table: pa.Table, where: pa.NativeFile | Path) -> None:
    """As `to_parquet`, into a file."""
    names = table.column_names
    if not names:
        raise Invalid("a table without columns cannot be a version")
    twice = next((name for name, count in Counter(names).items() if count > 1), None)
    if twice is not None:
        raise Invalid(f"the table has two columns {twice!r}", hint="give every column its own name")
    try:
        plain = table.cast(pa.schema([_plain(field) for field in table.schema])).combine_chunks()
        pq.write_table(plain, where, compression="zstd", row_group_size=ROW_GROUP_ROWS, version="2.6")
    except pa.ArrowException as error:
        raise Invalid(f"the table cannot be written as Parquet: {error}") from error


def _plain(field: pa.Field, name: str | None = None) -> pa.Field:
    """The field as Parquet gives it back: without metadata, the items of lists called `element`."""
    kind = field.type
    if pa.types.is_list(kind):
        kind = pa.list_(_plain(kind.value_field, "element"))
    elif pa.types.is_large_list(kind):
        kind = pa.large_list(_plain(kind.value_field, "element"))
    elif pa.types.is_struct(kind):
        kind = pa.struct([_plain(each) for each in kind])
    return pa.field(name or field.name, kind, field.nullable)


def read_files(files: Sequence[Path], columns: Sequence[str] | None = None) -> pa.Table:
    """The Parquet files, one after the other, as one table. Raises Invalid when a column is missing or types differ."""
    return _joined([_read(file, columns) for file in files])


def parquet_rows(file: Path) -> int:
    """Rows of a Parquet file, by its footer. Raises Invalid when it is none."""
    try:
        return int(pq.read_metadata(file).num_rows)
    except (OSError, pa.ArrowException) as error:
        raise Invalid(f"{file.name} cannot be read as Parquet: {error}") from error


def columns_of(files: Sequence[Path]) -> Iterator[tuple[str, pa.ChunkedArray]]:
    """The columns of the files as `read_files` joins them, one at a time."""
    names = list(_joined([pq.read_schema(file).empty_table() for file in files]).column_names)
    for name in names:
        having = [file for file in files if name in pq.read_schema(file).names]
        absent = sum(parquet_rows(file) for file in files if file not in having)
        values = _joined([_read(file, [name]) for file in having]).column(0)
        yield name, pa.chunked_array([*values.chunks, pa.nulls(absent, values.type)], values.type)


def read_local(path: Path) -> pa.Table:
    """A .parquet or .csv file of the user's. Raises Invalid for anything else or what cannot be read."""
    if not path.exists():
        raise Invalid(f"there is no file or folder {path}")
    if path.suffix.lower() == ".parquet":
        return _read(path, None)
    if path.suffix.lower() == ".csv":
        try:
            return csv.read_csv(path)
        except (OSError, pa.ArrowException) as error:
            raise Invalid(f"{path} cannot be read as CSV: {error}") from error
    raise Invalid(f"{path} is neither .parquet nor .csv", hint="a folder is taken as it is, file by file")


def _read(file: Path, columns: Sequence[str] | None) -> pa.Table:
    # Not `read_table`: that makes columns of folders that are named `key=value`.
    try:
        with pq.ParquetFile(file) as opened:
            names = opened.schema_arrow.names
            missing = next((name for name in columns or () if name not in names), None)
            if missing is not None:
                raise Invalid(f"there is no column {missing!r}; there are {', '.join(names)}")
            table = opened.read(columns=list(columns) if columns is not None else None)
    except (OSError, pa.ArrowException) as error:
        raise Invalid(f"{file.name} cannot be read as Parquet: {error}") from error
    return table.select(list(columns)) if columns is not None else table


def _joined(tables: Sequence[pa.Table]) -> pa.Table:
    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except pa.ArrowException as error:
        raise Invalid(f"the files do not fit together: {error}") from error
