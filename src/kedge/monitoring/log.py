"""Reading a window of the inference log: the rows of its segments whose event time lies in it, a batch at a time."""

import collections
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from kedge.core.errors import StorageError
from kedge.core.inference import InferenceSegment
from kedge.core.services import Services
from kedge.monitoring.windows import Window

INPUT = "input."
_BATCH_ROWS = 65_536


class Answered(NamedTuple):
    """How many rows of a window there are, and how many of them each deployment answered."""

    rows: int
    by_deployment: dict[str, int]

    @property
    def main(self) -> str | None:
        """The deployment that answered most rows."""
        ranked = sorted(self.by_deployment.items(), key=lambda item: (-item[1], item[0]))
        return ranked[0][0] if ranked else None


def segments_in(services: Services, endpoint: str, window: Window) -> list[InferenceSegment]:
    """The segments that hold rows of the window."""
    return services.inference.segments(endpoint, start_ms=window.start_ms, end_ms=window.end_ms)


def batches(
    services: Services, segments: Sequence[InferenceSegment], window: Window, columns: Sequence[str]
) -> Iterator[Any]:
    """Arrow record batches of the window's rows with just `columns`; a column that a segment lacks is null there."""
    for segment in segments:
        with _opened(services, segment) as file:
            present = set(file.schema_arrow.names)
            wanted = [name for name in columns if name in present]
            for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=list({"at_ms", *wanted})):
                at_ms = batch.column("at_ms")
                inside = pc.and_(pc.greater_equal(at_ms, window.start_ms), pc.less(at_ms, window.end_ms))
                kept = batch.filter(inside)
                if kept.num_rows:
                    yield _with_columns(kept, columns)


def answered(services: Services, segments: Sequence[InferenceSegment], window: Window) -> Answered:
    """Count the window's rows by deployment."""
    counts: collections.Counter[str] = collections.Counter()
    for batch in batches(services, segments, window, ("deployment_id",)):
        for entry in pc.value_counts(batch.column("deployment_id")).to_pylist():
            counts[entry["values"]] += entry["counts"]
    return Answered(counts.total(), dict(counts))


def input_columns(services: Services, segments: Sequence[InferenceSegment]) -> set[str]:
    """Names of the model inputs that any of the segments holds, without the prefix."""
    names: set[str] = set()
    for segment in segments:
        with _opened(services, segment) as file:
            names.update(
                name.removeprefix(INPUT) for name in file.schema_arrow.names if name.startswith(INPUT)
            )
    return names


def _opened(services: Services, segment: InferenceSegment) -> Any:
    path = services.home / segment.path
    try:
        return pq.ParquetFile(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise StorageError(
            f"segment {segment.id} of the inference log of {segment.endpoint!r} cannot be read: {error}",
            hint=f"restore {path}",
        ) from error


def _with_columns(batch: Any, columns: Sequence[str]) -> Any:
    present = set(batch.schema.names)
    arrays = [batch.column(name) if name in present else pa.nulls(batch.num_rows) for name in columns]
    return pa.record_batch(arrays, names=list(columns))
