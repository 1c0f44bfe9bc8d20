"""Detectors on files, without a server: two tables compared, or one column read as a stream."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from kedge.core.errors import Invalid, NotFound
from kedge.core.monitors import ColumnResult
from kedge.monitoring.comparison import compare_column, ready, specs_of
from kedge.monitoring.definitions import ANY_CATEGORICAL, ANY_NUMERIC, DEFAULT_DETECTORS
from kedge.monitoring.detectors import StreamDetector
from kedge.monitoring.specs import DETECTORS, checked
from kedge.monitoring.values import as_numbers, kind_of
from kedge.monitoring.verdict import column_results, drifted_columns


class TablesCompared(NamedTuple):
    """What was found in the columns that both tables have; `drifted` names the columns that drift."""

    results: list[ColumnResult]
    drifted: list[str]
    columns: int


class Alarm(NamedTuple):
    """A place in a stream where a detector saw a change; `row` counts from 0."""

    row: int
    value: float


def read_table(path: Path, columns: list[str] | None = None) -> Any:
    """A Parquet or CSV file as an Arrow table. Raises NotFound, or Invalid naming the columns that there are."""
    if not path.is_file():
        raise NotFound(f"there is no file {path}")
    try:
        table = pq.read_table(path) if path.suffix in (".parquet", ".pq") else pa_csv.read_csv(path)
    except pa.ArrowInvalid as error:
        raise Invalid(f"{path} cannot be read: {error}", hint="give a .parquet or a .csv file") from error
    for name in columns or ():
        if name not in table.column_names:
            raise Invalid(
                f"{path} has no column {name!r}", hint=f"its columns are {', '.join(table.column_names)}"
            )
    return table.select(columns) if columns else table


def compare_files(
    reference: Path, current: Path, columns: list[str] | None = None, detectors: Sequence[str] = ()
) -> TablesCompared:
    """Compare two files column by column, by the rule of drift monitors (see `kedge.monitoring.verdict`)."""
    first, second = read_table(reference, columns), read_table(current, columns)
    chosen = _chosen(detectors)
    found = []
    for name in first.column_names:
        kind = kind_of(first.schema.field(name).type)
        if kind is None or name not in second.column_names:
            continue
        kind, specs = specs_of(name, kind, chosen)
        if specs:
            samples = [ready(name, kind, table.column(name).chunks) for table in (first, second)]
            found += compare_column(name, kind, specs, *samples)[0]
    if not found:
        raise Invalid(f"{reference} and {current} share no column that these detectors can compare")
    results = column_results(found)
    return TablesCompared(results, *drifted_columns(results))


def run_detector(path: Path, column: str, spec: dict[str, Any]) -> tuple[list[Alarm], int]:
    """Feed a column to a streaming detector, row by row: the alarms, and how many rows were read."""
    numbers = as_numbers(column, read_table(path, [column]).column(column).chunks)
    if numbers.missing:
        raise Invalid(
            f"column {column!r} of {path} has {numbers.missing} rows without a finite number",
            hint="drop them or fill them in first: a stream has no gaps",
        )
    detector = StreamDetector.fresh(checked(spec, "kedge drift run", streaming=True))
    alarms = [Alarm(row, float(numbers.values[row])) for row in detector.feed_many(numbers.values)]
    return alarms, len(numbers.values)


def _chosen(names: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Detectors for numbers and for categories; by default those of monitors."""
    if not names:
        return DEFAULT_DETECTORS["drift"]
    specs = [checked({"name": name.strip()}, "--detectors", streaming=False) for name in names]
    return {
        ANY_NUMERIC: [spec for spec in specs if DETECTORS[spec["name"]].takes != "categorical"],
        ANY_CATEGORICAL: [spec for spec in specs if DETECTORS[spec["name"]].takes != "numeric"],
    }
