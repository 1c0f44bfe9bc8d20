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
from kedge.monitoring.choice import named
from kedge.monitoring.files import read_table
from kedge.monitoring.values import with_gaps

Floats = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class StreamRun:
    """The values read, the detector's statistic after each, and the rows of its changes and warnings."""

    detector: str
    values: Floats
    statistics: Floats
    drifts: tuple[int, ...]
    warnings: tuple[int, ...]
    measures: str
    """What the statistic is."""
    alarm_level: float
    """What it must pass to alarm; NaN where that is not one number."""


def overview(name: str | None = None) -> list[DetectorRecord]:
    """The records of all detectors, or of the one of that name, whole or short; raises Invalid when there is none."""
    if name is None:
        return table()
    full = named(name).__name__
    return [record for record in table() if record.name == full]


def run_stream(
    path: Path, columns: Sequence[str], name: str, given: Mapping[str, Any], reference: Path | None = None
) -> StreamRun:
    """Feed the columns, row by row, to a new detector: several make the vectors of one that takes such.

    With a reference file, a detector that holds the stream against a reference takes its rows.

    Raises
    ------
    Invalid
        No streaming detector has that name or takes these parameters or columns, or a row holds no finite number and the
        detector is not to skip it.
    """
    detector = _made(name, given)
    flat = detector.spec.input != "vector" and len(columns) == 1
    gaps = detector.missing == "skip"
    values = _rows(path, columns, flat, gaps)
    try:
        if reference is not None:
            _referenced(detector).fit(_rows(reference, columns, flat, gaps))
        result = detector.update_many(values, statistics=True)
    except DriftError as error:
        raise Invalid(
            str(error), hint=f"{name} takes {detector.spec.input} values, one column each"
        ) from error
    statistics = result.statistics if result.statistics is not None else np.empty(0)
    drifts, warnings = (tuple(each.tolist()) for each in (result.drifts, result.warnings))
    return StreamRun(
        repr(detector), values, statistics, drifts, warnings, detector.measures, detector.alarm_level
    )


def _made(name: str, given: Mapping[str, Any]) -> StreamingDetector:
    kind = named(name, "streaming")
    if not issubclass(kind, StreamingDetector):
        raise Invalid(
            f"no streaming detector is called {name!r}: {kind.__name__} compares windows",
            hint=f"use `kedge drift test --detectors {kind.__name__}`, or one that reads streams: `kedge drift list`",
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


def _rows(path: Path, columns: Sequence[str], flat: bool, gaps: bool) -> Floats:
    rows = np.stack([_numbers(path, column, gaps) for column in columns], axis=1)
    return rows[:, 0] if flat else rows


def _numbers(path: Path, column: str, gaps: bool) -> Floats:
    pieces = read_table(path, [column]).column(column)
    try:
        values = with_gaps(column, pieces.chunks)
    except Invalid as error:
        raise Invalid(
            f"column {column!r} of {path} holds {pieces.type} values, not numbers",
            hint="a streaming detector reads numbers; name a column of them",
        ) from error
    missing = int(np.isnan(values).sum())
    if missing and not gaps:
        raise Invalid(
            f"column {column!r} of {path} has {missing} rows without a finite number",
            hint="fill them in first, or leave them out with --param missing=skip",
        )
    return values
