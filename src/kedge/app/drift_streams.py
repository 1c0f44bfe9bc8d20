"""A streaming detector fed from the columns of a file."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kedge.core.errors import Invalid
from kedge.drift.detectors import ALL
from kedge.drift.errors import DriftError, ParameterError
from kedge.drift.overview import DetectorRecord, table
from kedge.drift.streaming.base import StreamingDetector
from kedge.drift.streaming.referenced import ReferencedDetector
from kedge.monitoring.files import read_table
from kedge.monitoring.values import as_numbers

Floats = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class StreamRun:
    """The values read, the detector's statistic after each, and the rows of its changes and warnings."""

    detector: str
    values: Floats
    statistics: Floats
    drifts: tuple[int, ...]
    warnings: tuple[int, ...]


def overview() -> list[DetectorRecord]:
    """The records of all detectors."""
    return table()


def run_stream(
    path: Path, columns: Sequence[str], name: str, given: Mapping[str, Any], reference: Path | None = None
) -> StreamRun:
    """Feed the columns, row by row, to a new detector: several make the vectors of one that takes such.

    With a reference file, a detector that holds the stream against a reference takes its rows.

    Raises
    ------
    Invalid
        No streaming detector has that name or takes these parameters or columns, or a row holds no finite number.
    """
    detector = _made(name, given)
    flat = detector.spec.input != "vector" and len(columns) == 1
    values = _rows(path, columns, flat)
    try:
        if reference is not None:
            _referenced(detector).fit(_rows(reference, columns, flat))
        result = detector.update_many(values, statistics=True)
    except DriftError as error:
        raise Invalid(
            str(error), hint=f"{name} takes {detector.spec.input} values, one column each"
        ) from error
    statistics = result.statistics if result.statistics is not None else np.empty(0)
    drifts, warnings = (tuple(each.tolist()) for each in (result.drifts, result.warnings))
    return StreamRun(repr(detector), values, statistics, drifts, warnings)


def _made(name: str, given: Mapping[str, Any]) -> StreamingDetector:
    known = {kind.__name__: kind for kind in ALL if issubclass(kind, StreamingDetector)}
    kind = {each.lower(): cls for each, cls in known.items()}.get(name.lower())
    if kind is None:
        raise Invalid(
            f"no streaming detector is called {name!r}", hint=f"there are {', '.join(sorted(known))}"
        )
    for parameter in given:
        if parameter not in kind.spec.params:
            takes = ", ".join(kind.spec.params)
            raise Invalid(f"{kind.__name__} has no parameter {parameter!r}", hint=f"it has {takes}")
    try:
        return kind(**given)
    except ParameterError as error:
        raise Invalid(str(error)) from error


def _referenced(detector: StreamingDetector) -> ReferencedDetector:
    if isinstance(detector, ReferencedDetector):
        return detector
    takes = sorted(kind.__name__ for kind in ALL if issubclass(kind, ReferencedDetector))
    raise Invalid(f"{detector.spec.name} takes no reference", hint=f"those that do are {', '.join(takes)}")


def _rows(path: Path, columns: Sequence[str], flat: bool) -> Floats:
    rows = np.stack([_numbers(path, column) for column in columns], axis=1)
    return rows[:, 0] if flat else rows


def _numbers(path: Path, column: str) -> Floats:
    pieces = read_table(path, [column]).column(column)
    try:
        numbers = as_numbers(column, pieces.chunks)
    except Invalid as error:
        raise Invalid(
            f"column {column!r} of {path} holds {pieces.type} values, not numbers",
            hint="a streaming detector reads numbers; name a column of them",
        ) from error
    if numbers.missing:
        raise Invalid(
            f"column {column!r} of {path} has {numbers.missing} rows without a finite number",
            hint="drop them or fill them in first: a stream has no gaps",
        )
    return numbers.values
