"""What was asked and answered, written down beside the requests: Parquet segments and counts a minute.

A request only appends to a list; one thread writes. Segments are closed every FLUSH_S, or sooner at SEGMENT_ROWS, so
that a crash loses at most about a second of rows. When the disk cannot keep up, rows over MOST_ROWS are dropped,
counted and reported.
"""

import bisect
import logging
import os
import threading
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from kedge.core.clock import Clock
from kedge.core.deployments import LATENCY_BUCKETS_MS, Deployment, DeploymentStore, TrafficMinute
from kedge.core.ids import new_id
from kedge.core.inference import InferenceSegment, InferenceStore
from kedge.serving.model import scores
from kedge.serving.signature import Array, Inputs

FLUSH_S = 0.8
SEGMENT_ROWS = 5_000
MOST_ROWS = 500_000
_MINUTE_MS = 60_000

_log = logging.getLogger(__name__)


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """One answered request."""

    deployment: Deployment
    request_id: str
    at_ms: int
    inputs: Inputs
    answers: Array
    feature_names: tuple[str, ...] = ()


class _Count:
    """Running counts of one deployment in one minute."""

    def __init__(self) -> None:
        self.requests = self.rows = self.errors = 0
        self.latency_ms_sum = 0.0
        self.latency_ms_counts = [0] * (len(LATENCY_BUCKETS_MS) + 1)


class Recorder:
    """Takes answers and counts from the event loop and writes them from a thread of its own."""

    def __init__(self, inference: InferenceStore, deployments: DeploymentStore, clock: Clock) -> None:
        self._inference = inference
        self._deployments = deployments
        self._clock = clock
        self._changing = threading.Lock()
        self._answered: list[Answered] = []
        self._rows = 0
        self._counts: dict[tuple[str, str, int], _Count] = {}
        self.dropped_rows = 0
        self._reported_rows = 0
        self._wake = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="recorder")

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self) -> None:
        """Write what is left and end."""
        self._stopping = True
        self._wake.set()
        self._thread.join()

    def answered(self, answer: Answered) -> None:
        """Log the rows of an answered request."""
        with self._changing:
            if self._rows + answer.inputs.rows > MOST_ROWS:
                self.dropped_rows += answer.inputs.rows
                return
            self._answered.append(answer)
            self._rows += answer.inputs.rows
            full = self._rows >= SEGMENT_ROWS
        if full:
            self._wake.set()

    def count(self, deployment: Deployment, *, rows: int, latency_ms: float, failed: bool) -> None:
        """Count a request in the present minute."""
        minute = self._clock.now_ms() // _MINUTE_MS * _MINUTE_MS
        with self._changing:
            count = self._counts.setdefault((deployment.endpoint, deployment.id, minute), _Count())
            count.requests += 1
            count.rows += rows
            count.errors += failed
            count.latency_ms_sum += latency_ms
            count.latency_ms_counts[bisect.bisect_left(LATENCY_BUCKETS_MS, latency_ms)] += 1

    def _run(self) -> None:
        while not self._stopping:
            self._wake.wait(FLUSH_S)
            self._wake.clear()
            self.flush()
        self.flush()

    def flush(self) -> None:
        """Write what has gathered. What the disk refuses is kept and tried again."""
        with self._changing:
            answered, self._answered, self._rows = self._answered, [], 0
            counts, self._counts = self._counts, {}
        if counts:
            self._write_counts(counts)
        groups: dict[tuple[str, str], list[Answered]] = {}
        for answer in answered:
            groups.setdefault((answer.deployment.id, str(answer.inputs.schema())), []).append(answer)
        for group in groups.values():
            self._write(group)
        if self.dropped_rows > self._reported_rows:
            _log.error(
                "rows dropped from the inference log: the disk did not keep up",
                extra={"action": "drop", "rows": self.dropped_rows - self._reported_rows},
            )
            self._reported_rows = self.dropped_rows

    def _write(self, group: list[Answered]) -> None:
        segment: InferenceSegment | None = None
        try:
            folder = self._inference.folder(group[0].deployment.endpoint)
            segment = write_segment(folder, group, self._clock.now_ms())
            self._inference.add_segment(segment)
        except Exception:  # noqa: BLE001 - the thread must go on; the rows are kept
            _log.exception("a segment of the inference log could not be written", extra={"action": "segment"})
            if segment is not None:
                Path(segment.path).unlink(missing_ok=True)
            with self._changing:
                rows = sum(answer.inputs.rows for answer in group)
                if self._stopping or self._rows + rows > MOST_ROWS:
                    self.dropped_rows += rows
                else:
                    self._answered[:0] = group
                    self._rows += rows

    def _write_counts(self, counts: dict[tuple[str, str, int], _Count]) -> None:
        minutes = [
            TrafficMinute(
                endpoint=endpoint,
                deployment_id=deployment_id,
                minute_ms=minute,
                requests=count.requests,
                rows=count.rows,
                errors=count.errors,
                latency_ms_sum=count.latency_ms_sum,
                latency_ms_counts=tuple(count.latency_ms_counts),
            )
            for (endpoint, deployment_id, minute), count in counts.items()
        ]
        try:
            self._deployments.add_traffic(minutes)
        except Exception:  # noqa: BLE001 - the thread must go on
            _log.exception("traffic could not be counted", extra={"action": "traffic"})


def write_segment(folder: Path, group: list[Answered], now_ms: int) -> InferenceSegment:
    """Write answers of one deployment and schema as a Parquet file that is whole or not there."""
    import pyarrow as pa  # when something is first logged
    import pyarrow.parquet as pq

    rows = [answer.inputs.rows for answer in group]
    deployment = group[0].deployment
    total = sum(rows)
    columns: dict[str, pa.Array] = {
        "request_id": pa.array(np.repeat([answer.request_id for answer in group], rows), pa.string()),
        "row": pa.array(np.concatenate([np.arange(count) for count in rows]), pa.int32()),
        "at_ms": pa.array(np.repeat([answer.at_ms for answer in group], rows), pa.int64()),
        "deployment_id": pa.repeat(deployment.id, total),
        "model_version": pa.repeat(deployment.model_version, total),
        "prediction": _parquet(np.concatenate([scores(answer.answers) for answer in group]), numeric=True),
    }
    columns |= {f"input.{name}": _parquet(values) for name, values in _inputs(group).items()}
    identifier = new_id()
    place = folder / f"{identifier}.parquet"
    beside = folder / f".{identifier}.tmp"
    try:
        with beside.open("wb") as file:
            pq.write_table(pa.table(columns), file, compression="zstd")
            file.flush()
            os.fsync(file.fileno())
        beside.rename(place)
    finally:
        beside.unlink(missing_ok=True)
    _sync_folder(folder)
    times = [answer.at_ms for answer in group]
    return InferenceSegment(
        id=identifier,
        endpoint=deployment.endpoint,
        deployment_id=deployment.id,
        path=str(place),
        rows=total,
        first_at_ms=min(times),
        last_at_ms=max(times),
        created_ms=now_ms,
    )


def _inputs(group: list[Answered]) -> dict[str, Array]:
    first = group[0].inputs
    if first.matrix is None:
        return {
            name: np.concatenate([answer.inputs.columns[name] for answer in group]) for name in first.columns
        }
    matrix = np.concatenate(
        [a.inputs.matrix.reshape(a.inputs.rows, -1) for a in group if a.inputs.matrix is not None]
    )
    names = group[0].feature_names
    if len(names) != matrix.shape[1]:
        names = tuple(str(place) for place in range(matrix.shape[1]))
    return {name: matrix[:, place] for place, name in enumerate(names)}


def _parquet(values: Array, *, numeric: bool = False) -> Any:
    import pyarrow as pa

    if values.dtype.kind in "OU":
        return pa.array([None if value is None else str(value) for value in values.tolist()], pa.string())
    return pa.array(values.astype(np.float64) if numeric else values)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
