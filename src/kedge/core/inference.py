"""The inference log: segments of rows that were asked and answered, and the labels that come late."""

from pathlib import Path
from typing import Protocol

import msgspec

LOG_COLUMNS = ("request_id", "row", "at_ms", "deployment_id", "model_version", "prediction")
"""Columns of every segment besides the model's inputs, which are stored as `input.<name>`.

`at_ms` is the event time: the request's own `event_time_ms` parameter where it has one, else the time of arrival.
"""


class InferenceSegment(msgspec.Struct, frozen=True, kw_only=True):
    """A closed Parquet file of logged rows of one deployment; times are event times."""

    id: str
    endpoint: str
    deployment_id: str
    path: str
    rows: int
    first_at_ms: int
    last_at_ms: int
    created_ms: int


class Label(msgspec.Struct, frozen=True, kw_only=True):
    """The truth about one logged row; `at_ms` is when it became known."""

    request_id: str
    row: int
    label: float
    at_ms: int


class InferenceStore(Protocol):
    """Which segments exist, and labels by (request, row): a later label for the same row replaces the earlier."""

    def folder(self, endpoint: str) -> Path:
        """Where the endpoint's segments lie; made when missing."""
        ...

    def add_segment(self, segment: InferenceSegment) -> None: ...
    def segments(self, endpoint: str, *, start_ms: int, end_ms: int) -> list[InferenceSegment]:
        """Segments with rows whose event time lies in [start, end), by first time."""
        ...

    def watermark_ms(self, endpoint: str) -> int | None:
        """The newest event time logged."""
        ...

    def rows(self, endpoint: str) -> int:
        """Rows logged."""
        ...

    def add_labels(self, endpoint: str, labels: list[Label]) -> int:
        """Store labels, all or none; returns how many rows were new."""
        ...

    def labels(self, endpoint: str, request_ids: list[str]) -> list[Label]:
        """The labels of the requests."""
        ...

    def label_watermark_ms(self, endpoint: str) -> int | None:
        """When the newest label became known."""
        ...
