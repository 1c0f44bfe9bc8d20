"""Dataset versions from user code."""

import dataclasses
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa
from blake3 import blake3

from kedge.client.connection import connection
from kedge.client.settings import running_step
from kedge.core.datasets import DatasetFile, DatasetSummary, DatasetUse, DatasetVersion
from kedge.core.errors import Conflict, Invalid, NotFound, StorageError
from kedge.core.ids import is_name
from kedge.data.paths import inside
from kedge.data.profile import profile
from kedge.data.tables import read_files, read_local, to_parquet

if TYPE_CHECKING:
    import pandas as pd

_PIECE_BYTES = 1024 * 1024
TABLE_FILE = "data.parquet"


class _Stored(msgspec.Struct, frozen=True):
    object_id: str
    size_bytes: int


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
        """All rows, of the columns named (default: all). Raises Invalid for an unknown column."""
        with tempfile.TemporaryDirectory(prefix="kedge-") as folder:
            tables = [file for file in self.record.files if file.path.endswith(".parquet")]
            if not tables:
                raise Invalid(
                    f"version {self.number} of {self.record.dataset!r} holds no table; use checkout"
                )
            paths = [_fetch(file, Path(folder)) for file in tables]
            table = read_files(paths, columns)
        self._remember()
        return table

    def to_pandas(self, columns: Sequence[str] | None = None) -> "pd.DataFrame":
        """As `to_arrow`, as a DataFrame."""
        frame: pd.DataFrame = self.to_arrow(columns).to_pandas()
        return frame

    def checkout(self, folder: str | Path, *, force: bool = False) -> Path:
        """Write all files below `folder`, which appears complete or not at all.

        Raises
        ------
        Conflict
            The folder is not empty and `force` is not set, or it is the current one.
        Invalid
            A path of the version would leave the folder; nothing is written.
        """
        target = Path(folder).resolve()
        if Path.cwd().is_relative_to(target):
            raise Conflict(
                f"{target} is where you are, and cannot be replaced", hint="name a folder below it"
            )
        if target.exists() and (not target.is_dir() or any(target.iterdir())) and not force:
            raise Conflict(f"{target} is there and not empty", hint="choose another folder, or force")
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".kedge-", dir=target.parent) as scratch:
            made = Path(scratch) / "files"
            made.mkdir()
            for file in self.record.files:
                inside(made, file.path)
            for file in self.record.files:
                _fetch(file, made)
            if target.exists():
                target.rename(Path(scratch) / "old")
            made.rename(target)
        self._remember()
        return Path(folder)

    def _remember(self) -> None:
        step = running_step()
        if step:
            use = DatasetUse(pipeline_run_id=step[0], step=step[1], dataset_version_id=self.id)
            connection().call("POST", "/dataset-uses", dict[str, Any], body=use)


@dataclasses.dataclass(frozen=True)
class Dataset:
    """A named dataset; see `dataset`."""

    name: str

    def __post_init__(self) -> None:
        if not is_name(self.name):
            raise Invalid(
                f"dataset name {self.name!r}: letters, digits, '.', '_' and '-', at most 128, ends alphanumeric"
            )

    def add(
        self, source: "pa.Table | pd.DataFrame | str | Path", *, tag: str | None = None, message: str = ""
    ) -> Version:
        """Record a version: a table, a .parquet or .csv file, or a folder file by file.

        Content that is there already, under the same tag, gives the version that holds it.
        """
        step = running_step()
        files, table = _collect(source)
        body = {
            "files": files,
            "columns": profile(table) if table is not None else (),
            "rows": table.num_rows if table is not None else 0,
            "tag": tag,
            "message": message,
            "pipeline_run_id": step[0] if step else None,
        }
        return Version(
            connection().call("POST", f"/datasets/{self.name}/versions", DatasetVersion, body=body)
        )

    def version(self, ref: str = "latest") -> Version:
        """By tag, number, id, or `latest`. Raises NotFound."""
        if not is_name(ref):  # it would lead the request elsewhere
            raise NotFound(f"dataset {self.name!r} has no version {ref!r}")
        return Version(connection().call("GET", f"/datasets/{self.name}/versions/{ref}", DatasetVersion))

    def versions(self) -> list[Version]:
        """Newest first. Raises NotFound for an unknown dataset."""
        found = connection().call("GET", f"/datasets/{self.name}", list[DatasetVersion])
        return [Version(each) for each in found]


def dataset(name: str) -> Dataset:
    """The dataset `name`; it comes to be with its first version."""
    return Dataset(name)


def datasets() -> list[DatasetSummary]:
    """All datasets."""
    return connection().call("GET", "/datasets", list[DatasetSummary])


def _collect(source: "pa.Table | pd.DataFrame | str | Path") -> tuple[list[DatasetFile], pa.Table | None]:
    if isinstance(source, str | Path):
        path = Path(source)
        if path.is_dir():
            return [_put_file(path, each) for each in sorted(path.rglob("*")) if each.is_file()], None
        table = read_local(path)
    else:
        table = source if isinstance(source, pa.Table) else _from_pandas(source)
    content = to_parquet(table)
    stored = connection().call("PUT", "/objects", _Stored, content=content)
    file = DatasetFile(
        path=TABLE_FILE, object_id=stored.object_id, size_bytes=stored.size_bytes, rows=table.num_rows
    )
    return [file], table


def _from_pandas(frame: Any) -> pa.Table:
    try:
        return pa.Table.from_pandas(frame, preserve_index=False)
    except (TypeError, AttributeError, ValueError, pa.ArrowException) as error:
        raise Invalid(f"cannot make a table of {type(frame).__name__}: {error}") from error


def _put_file(root: Path, path: Path) -> DatasetFile:
    def pieces() -> Iterator[bytes]:
        with path.open("rb") as file:
            while piece := file.read(_PIECE_BYTES):
                yield piece

    stored = connection().call("PUT", "/objects", _Stored, content=pieces())
    name = path.relative_to(root).as_posix()
    return DatasetFile(path=name, object_id=stored.object_id, size_bytes=stored.size_bytes)


def _fetch(file: DatasetFile, folder: Path) -> Path:
    """Write one file below `folder`, its content checked against its id."""
    place = inside(folder, file.path)
    place.parent.mkdir(parents=True, exist_ok=True)
    hasher = blake3()
    with place.open("wb") as out:
        for piece in connection().download(f"/objects/{file.object_id}"):
            hasher.update(piece)
            out.write(piece)
    if hasher.hexdigest() != file.object_id:
        shutil.rmtree(folder, ignore_errors=True)
        raise StorageError(f"{file.path!r} arrived with another content than recorded", hint="fetch it again")
    return place
