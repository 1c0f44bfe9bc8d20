"""Dataset versions from user code."""

import dataclasses
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from kedge.client.connection import connection
from kedge.client.settings import running_step
from kedge.client.transfers import OnBytes, check_out, fetch, upload
from kedge.core.datasets import ColumnProfile, DatasetFile, DatasetSummary, DatasetUse, DatasetVersion
from kedge.core.errors import Invalid
from kedge.core.ids import is_name
from kedge.data.paths import files_below
from kedge.data.profile import profile, profile_columns
from kedge.data.tables import columns_of, parquet_rows, read_files, read_local, write_parquet

if TYPE_CHECKING:
    import pandas as pd

TABLE_FILE = "data.parquet"


@dataclasses.dataclass(frozen=True)
class Version:
    """A recorded version; reading it inside a step is remembered."""

    record: DatasetVersion

    @property
    def id(self) -> str:
        """Its id, unique over all datasets."""
        return self.record.id

    @property
    def tag(self) -> str | None:
        """Its tag."""
        return self.record.tag

    @property
    def number(self) -> int:
        """Its number in the dataset, from 1."""
        return self.record.number

    @property
    def rows(self) -> int:
        """Rows of its tables."""
        return self.record.rows

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of its columns."""
        return tuple(column.name for column in self.record.columns)

    def to_arrow(self, columns: Sequence[str] | None = None) -> pa.Table:
        """All rows of its Parquet files, of the columns named, in that order (default: all).

        Raises
        ------
        Invalid
            There is no such column, or the version holds no Parquet file or some that do not fit together.
        """
        tables = [file for file in self.record.files if _is_parquet(file.path)]
        if not tables:
            raise Invalid(
                f"version {self.number} of dataset {self.record.dataset!r} holds no Parquet file",
                hint="use checkout, and read its files",
            )
        with tempfile.TemporaryDirectory(prefix="kedge-") as folder:
            table = read_files([fetch(file, Path(folder)) for file in tables], columns)
        self._remember()
        return table

    def to_pandas(self, columns: Sequence[str] | None = None) -> "pd.DataFrame":
        """As `to_arrow`, as a DataFrame."""
        frame: pd.DataFrame = self.to_arrow(columns).to_pandas()
        return frame

    def checkout(self, folder: str | Path, *, force: bool = False, on_bytes: OnBytes | None = None) -> Path:
        """Write all files below `folder`, which appears complete or not at all.

        Parameters
        ----------
        folder
            Made, with its parents. What is there already must be an empty folder.
        force
            Replace what is there, whatever it is.
        on_bytes
            Called with the length of each piece that has arrived; together they are `record.size_bytes`.

        Raises
        ------
        Conflict
            The folder is not empty and `force` is not set.
        Invalid
            A path of the version would leave the folder; nothing is written.
        StorageError
            The disk refused, or a file arrived with another content; nothing is left behind.
        """
        target = Path(folder)
        check_out(self.record.files, target, force=force, on_bytes=on_bytes)
        self._remember()
        return target

    def _remember(self) -> None:
        step = running_step()
        if step:
            use = DatasetUse(pipeline_run_id=step[0], step=step[1], dataset_version_id=self.id)
            connection().call("POST", "/dataset-uses", dict[str, Any], body=use)


@dataclasses.dataclass(frozen=True)
class Dataset:
    """A named dataset; see `dataset`."""

    name: str

    def add(
        self,
        source: "pa.Table | pd.DataFrame | str | Path",
        *,
        tag: str | None = None,
        message: str = "",
        on_bytes: OnBytes | None = None,
    ) -> Version:
        """Record a version. Content that is there already, under the same tag or given without, is that version.

        Parameters
        ----------
        source
            A pyarrow Table, a pandas DataFrame (its index is left out) or a .parquet or .csv file: kept as one Parquet
            file, the same bytes for the same table. Or a folder: kept file by file, as it is.
        tag
            A name for the version; it moves here from the version that bore it.
        message
            What the version is, for people.
        on_bytes
            Called with the length of each piece that the platform has.

        Raises
        ------
        Invalid
            The source cannot be read or made a table, or the tag is no name.
        """
        step = running_step()
        with tempfile.TemporaryDirectory(prefix="kedge-") as scratch:
            files, columns = _put(source, Path(scratch), on_bytes)
        body = {
            "files": files,
            "columns": columns,
            "rows": sum(file.rows for file in files),
            "tag": tag,
            "message": message,
            "pipeline_run_id": step[0] if step else None,
        }
        return Version(
            connection().call("POST", f"/datasets/{self.name}/versions", DatasetVersion, body=body)
        )

    def version(self, ref: str | int = "latest") -> Version:
        """By tag, number, 8 or more digits of its id or content id, or `latest`. Raises NotFound."""
        if not is_name(str(ref)):
            own = str(ref).removeprefix(f"{self.name}@")
            hint = f"write {own!r}" if own != str(ref) else _NAMES
            raise Invalid(f"{ref!r} cannot name a version of dataset {self.name!r}", hint=hint)
        return Version(connection().call("GET", f"/datasets/{self.name}/versions/{ref}", DatasetVersion))

    def versions(self) -> list[Version]:
        """Newest first. Raises NotFound for an unknown dataset."""
        found = connection().call("GET", f"/datasets/{self.name}", list[DatasetVersion])
        return [Version(each) for each in found]


_NAMES = "letters, digits, '.', '_' and '-', at most 128, first and last a letter or digit"


def dataset(name: str) -> Dataset:
    """The dataset `name`; it comes to be with its first version. Raises Invalid for what is no name."""
    if not is_name(name):
        raise Invalid(f"{name!r} cannot name a dataset", hint=_NAMES)
    return Dataset(name)


def datasets() -> list[DatasetSummary]:
    """All datasets."""
    return connection().call("GET", "/datasets", list[DatasetSummary])


def source_bytes(source: Path) -> int:
    """About how many bytes `add` will report through `on_bytes`: exact for a folder."""
    if source.is_dir():
        return sum(file.stat().st_size for file in files_below(source))
    return source.stat().st_size


def _put(
    source: "pa.Table | pd.DataFrame | str | Path", scratch: Path, on_bytes: OnBytes | None
) -> tuple[list[DatasetFile], tuple[ColumnProfile, ...]]:
    if isinstance(source, str | Path):
        path = Path(source)
        if path.is_dir():
            return _put_folder(path, on_bytes)
        table = read_local(path)
    else:
        table = source if isinstance(source, pa.Table) else _from_pandas(source)
    write_parquet(table, scratch / TABLE_FILE)
    columns = profile(table)
    return [upload(scratch / TABLE_FILE, TABLE_FILE, rows=table.num_rows, on_bytes=on_bytes)], columns


def _put_folder(
    folder: Path, on_bytes: OnBytes | None
) -> tuple[list[DatasetFile], tuple[ColumnProfile, ...]]:
    found = files_below(folder)
    tables = [file for file in found if _is_parquet(file.name)]
    rows: dict[Path, int] = {}
    columns: tuple[ColumnProfile, ...] = ()
    try:
        rows = {file: parquet_rows(file) for file in tables}
        columns = tuple(profile_columns(columns_of(tables))) if tables else ()
    except Invalid:
        # A folder may hold tables that are no one table, or broken ones: it is kept all the same, without a profile.
        rows = {}
    paths = [file.relative_to(folder).as_posix() for file in found]
    files = [
        upload(file, path, rows=rows.get(file, 0), on_bytes=on_bytes)
        for file, path in zip(found, paths, strict=True)
    ]
    return files, columns


def _is_parquet(path: str) -> bool:
    return path.endswith(".parquet")


def _from_pandas(frame: Any) -> pa.Table:
    try:
        return pa.Table.from_pandas(frame, preserve_index=False)
    except (TypeError, AttributeError, pa.ArrowException) as error:
        raise Invalid(f"cannot make a table of {type(frame).__name__}: {error}") from error
