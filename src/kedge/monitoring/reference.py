"""The reference of a drift monitor: columns of one or more dataset versions, read from their Parquet objects."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from kedge.core.errors import Invalid
from kedge.core.services import Services
from kedge.monitoring.values import Kind, kind_of

_BATCH_ROWS = 65_536


class Reference:
    """Opens the Parquet files of the versions; `kinds` says how each column is compared, `rows` how many there are."""

    def __init__(self, services: Services, version_ids: Sequence[str]) -> None:
        self._files = _parquet_files(services, version_ids)
        self.rows = sum(file.metadata.num_rows for file in self._files)
        self.kinds: dict[str, Kind] = {}
        for file in self._files:
            for field in file.schema_arrow:
                kind = kind_of(field.type)
                if kind is not None and self.kinds.setdefault(field.name, kind) != kind:
                    raise Invalid(
                        f"column {field.name!r} holds numbers in one reference version and text in another",
                        hint="use reference versions of one schema",
                    )

    def read(self, columns: Sequence[str], *, every: int = 1) -> dict[str, list[Any]]:
        """Arrow pieces of the columns, of every `every`-th row."""
        pieces: dict[str, list[Any]] = {name: [] for name in columns}
        row = 0
        for file in self._files:
            present = [name for name in columns if name in file.schema_arrow.names]
            for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=present):
                thin = thinned(batch, row, every)
                row += batch.num_rows
                for name in present:
                    pieces[name].append(thin.column(name))
        return pieces


def thinned(batch: Any, rows_before: int, every: int) -> Any:
    """The rows of a batch whose place in the whole is a multiple of `every`."""
    if every == 1:
        return batch
    first = -rows_before % every
    return batch.take(pa.array(range(first, batch.num_rows, every), pa.int64()))


def _parquet_files(services: Services, version_ids: Sequence[str]) -> list[Any]:
    files = []
    for version_id in version_ids:
        version = services.datasets.get_by_id(version_id)
        tables = [file for file in version.files if file.path.endswith(".parquet")]
        if not tables:
            raise Invalid(
                f"version {version.number} of dataset {version.dataset!r} holds no Parquet file to compare with",
                hint="add the reference as a table: kedge.dataset(name).add(table)",
            )
        files += [pq.ParquetFile(services.objects.path(table.object_id)) for table in tables]
    return files
