"""Segments of the inference log, and labels, in SQL; the segments themselves are files in a folder an endpoint."""

import math
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from kedge.core.errors import Invalid
from kedge.core.ids import is_name
from kedge.core.inference import InferenceSegment, Label
from kedge.storage.database import Database
from kedge.storage.statements import chunks, placed, statements

_SQL = statements("inference")
_INTEGER_LIMIT = 2**63


class SqlInference:
    """`InferenceStore` on SQL. Paths are kept relative to `root`, so that a data directory may move."""

    def __init__(self, database: Database, root: Path) -> None:
        self._database = database
        self._root = root

    def folder(self, endpoint: str) -> Path:
        if not is_name(endpoint):
            raise Invalid(
                f"{endpoint!r} cannot name an endpoint: letters, digits, `.`, `_`, `-`, at most 128 of them"
            )
        folder = self._root / endpoint
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def add_segment(self, segment: InferenceSegment) -> None:
        values = msgspec.structs.asdict(segment)
        path = Path(segment.path)
        if path.is_absolute():
            values["path"] = path.relative_to(self._root).as_posix()
        with self._database.write() as connection:
            connection.execute(_SQL["add_segment"], values)

    def segments(self, endpoint: str, *, start_ms: int, end_ms: int) -> list[InferenceSegment]:
        found = self._database.rows(
            _SQL["segments"], {"endpoint": endpoint, "start_ms": start_ms, "end_ms": end_ms}
        )
        return [InferenceSegment(**{**dict(row), "path": str(self._root / row["path"])}) for row in found]

    def watermark_ms(self, endpoint: str) -> int | None:
        row = self._database.row(_SQL["watermark"], (endpoint,))
        return row["newest_ms"] if row else None

    def rows(self, endpoint: str) -> int:
        row = self._database.row(_SQL["watermark"], (endpoint,))
        return row["total_rows"] if row else 0

    def add_labels(self, endpoint: str, labels: list[Label]) -> int:
        for label in labels:
            _check(label)
        if not labels:
            return 0
        added = 0
        with self._database.write() as connection:
            for label in labels:
                values = {"endpoint": endpoint, **msgspec.structs.asdict(label)}
                added += connection.execute(_SQL["has_label"], values).fetchone() is None
                connection.execute(_SQL["set_label"], values)
            newest = max(label.at_ms for label in labels)
            connection.execute(_SQL["raise_label_watermark"], {"endpoint": endpoint, "at_ms": newest})
        return added

    def labels(self, endpoint: str, request_ids: list[str]) -> list[Label]:
        found: list[Label] = []
        for some in chunks(sorted(set(request_ids))):
            query = placed(_SQL["labels"], len(some)) + "\n" + _SQL["labels_order"]
            found += [Label(**dict(row)) for row in self._database.rows(query, (endpoint, *some))]
        return found

    def label_watermark_ms(self, endpoint: str) -> int | None:
        row = self._database.row(_SQL["label_watermark"], (endpoint,))
        return row["at_ms"] if row else None


def _check(label: Label) -> None:
    where = f"the label of request {label.request_id!r}, row {label.row}"
    if not math.isfinite(label.label):
        raise Invalid(f"{where} is {label.label}: a label is a finite number")
    if not 0 <= label.row < _INTEGER_LIMIT:
        raise Invalid(f"{where}: a row counts from 0")
    if not -_INTEGER_LIMIT <= label.at_ms < _INTEGER_LIMIT:
        raise Invalid(f"{where} has at_ms {label.at_ms}: it must fit 64 bits")


if TYPE_CHECKING:
    from typing import cast

    from kedge.core.inference import InferenceStore

    _fits: InferenceStore = cast("SqlInference", None)
