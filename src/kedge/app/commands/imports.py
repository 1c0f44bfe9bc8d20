"""`kedge import`: what MLflow has, into a data directory of Kedge's; the source stays as it is."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from kedge.app.config import IN_HOME, Config, read_config, shown_address
from kedge.app.mlflow_tools import known_revisions, run_mlflow, upgrade
from kedge.core.artifacts import ArtifactStore
from kedge.core.clock import SystemClock
from kedge.core.errors import Conflict, KedgeError, NotFound, StorageError
from kedge.core.home import Home as HomePaths
from kedge.storage import adoption, file_store
from kedge.storage.database import open_database
from kedge.storage.mlflow_schema import SCHEMA_REVISION
from kedge.storage.s3_artifacts import S3Artifacts
from kedge.storage.tracking_store import SqlTracking

Home = Annotated[Path | None, typer.Option(help="The data directory to make.", show_default="./kedge-data")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(cli: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(
        help="Take over what MLflow has: a database, or an mlruns folder.", no_args_is_help=True
    )
    group.command("mlflow")(mlflow)
    group.command("mlruns")(mlruns)
    cli.add_typer(group, name="import")


def mlflow(
    source: Annotated[str, typer.Argument(help="MLflow's database: mlflow.db or sqlite:///mlflow.db.")],
    artifacts: Annotated[
        Path | None, typer.Option(help="The folder of MLflow's artifact proxy (mlartifacts).")
    ] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Copy a database of MLflow's, with its artifacts, into a new data directory.

    Example: kedge import mlflow mlflow.db --artifacts mlartifacts && kedge up
    """
    file = Path(source.removeprefix("sqlite:///"))
    if not file.is_file():
        raise NotFound(f"there is no file {file}")
    if artifacts is not None and not artifacts.is_dir():
        raise NotFound(f"there is no folder {artifacts}")
    paths, config = _paths(home)
    with _incoming(paths) as incoming:
        adoption.copy(file, incoming)
        before = adoption.counted(incoming)
        if adoption.revision(incoming) != SCHEMA_REVISION and adoption.needs_upgrade(
            incoming, known_revisions()
        ):
            _told("upgrading the copy with MLflow's own migrations")
            upgrade(f"sqlite:///{incoming}")
        adoption.require_all(before, adoption.counted(incoming))
        if artifacts is not None:
            if config.artifacts is None:
                _copy_tree(artifacts, paths.artifacts)
            else:
                _send_tree(artifacts, S3Artifacts(config.artifacts))
        elsewhere = adoption.elsewhere(incoming)
        left = adoption.proxied(incoming) if artifacts is None else {}
        _finish(incoming, paths)
    _report(paths, elsewhere, left, as_json=as_json)


def mlruns(
    source: Annotated[Path, typer.Argument(help="The folder mlruns, or the one that holds it.")],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Bring an mlruns folder into a new data directory, and check every run against its files.

    Artifacts stay where they lie.

    Example: kedge import mlruns ./mlruns && kedge up
    """
    root = file_store.root_of(source)
    paths, _ = _paths(home)
    with _incoming(paths) as incoming:
        run_mlflow("migrate-filestore", "--source", str(root.parent if root.name == "mlruns" else root),
                    "--target", f"sqlite:///{incoming}", "--no-progress")  # fmt: skip
        elsewhere = adoption.elsewhere(incoming)
        _finish(incoming, paths)
        try:
            checked = _check(root, paths)
        except KedgeError:
            paths.database.unlink()
            raise
    _told(
        f"{checked:,} runs compared with their files: parameters, tags, and every metric's points and last value"
    )
    _report(paths, elsewhere, {}, as_json=as_json)


def _paths(home: Path | None) -> tuple[HomePaths, Config]:
    config = read_config({"home": home})
    if config.database != IN_HOME:
        raise Conflict(
            f"imports make a data directory with a database of its own, and {shown_address(config.database)} is configured",
            hint="unset KEDGE_DATABASE; a PostgreSQL database of MLflow's needs no import: name its address there",
        )
    return HomePaths(config.home), config


@contextlib.contextmanager
def _incoming(paths: HomePaths) -> Iterator[Path]:
    """Where the database is made ready; a directory that has one is refused, and nothing half-made is left."""
    if paths.database.exists():
        raise Conflict(
            f"{paths.root} already has data", hint="name a new data directory: kedge import ... --home DIR"
        )
    try:
        paths.root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{paths.root} cannot be written: {error}") from error
    incoming = paths.root / "incoming.db"
    adoption.forget(incoming)
    try:
        yield incoming
    finally:
        adoption.forget(incoming)


def _finish(incoming: Path, paths: HomePaths) -> None:
    """Fold the log into the file, let it take its place, add Kedge's tables."""
    adoption.settle(incoming)
    incoming.replace(paths.database)
    open_database(paths.database, SystemClock()).close()


def _copy_tree(source: Path, target: Path) -> None:
    """The same files by hard links where the disk allows it: artifacts are replaced, never changed."""

    def link(this: str, there: str) -> None:
        try:
            os.link(this, there)
        except OSError:
            shutil.copy2(this, there)

    shutil.copytree(source, target, copy_function=link, dirs_exist_ok=True)


def _send_tree(source: Path, target: ArtifactStore) -> None:
    files = [each for each in sorted(source.rglob("*")) if each.is_file()]
    for each in files:
        sending = target.receive(str(each.relative_to(source)))
        try:
            with each.open("rb") as file:
                while chunk := file.read(1 << 20):
                    sending.write(chunk)
            sending.finish()
        finally:
            sending.abort()
    _told(f"{len(files):,} files sent to the artifact store")


def _check(root: Path, paths: HomePaths) -> int:
    """Compare every run with its files. Raises StorageError for the first that differs."""
    database = open_database(paths.database, SystemClock())
    store, count = SqlTracking(database, SystemClock()), 0
    try:
        for found in file_store.runs(root):
            kept = store.run(found.run_id)
            params = {each.key: each.value for each in kept.params}
            tags = {each.key: each.value for each in kept.tags}
            latest = {each.key: each.value for each in kept.metrics}
            same = params == found.params and found.tags.items() <= tags.items()
            for name, (points, last) in found.metrics.items():
                history, _ = store.history(found.run_id, name, limit=None, offset=0)
                same = same and len(history) == points and _equal(latest.get(name), last)
            if not same:
                raise StorageError(f"run {found.run_id} is not what its files say; nothing was taken over")
            count += 1
    finally:
        database.close()
    return count


def _equal(kept: float | None, last: float) -> bool:
    return kept is not None and (kept == last or (kept != kept and last != last) or abs(last) == float("inf"))  # noqa: PLR0124


def _told(line: str) -> None:
    Console(stderr=True, highlight=False).print(line)


def _report(paths: HomePaths, elsewhere: int, left: dict[str, int], *, as_json: bool) -> None:
    counts = adoption.counted(paths.database).rows
    runs, models = left.get("runs", 0), left.get("logged_models", 0)
    if as_json:
        answer = {
            "home": str(paths.root),
            "rows": counts,
            "runs_with_artifacts_elsewhere": elsewhere,
            "artifacts_left_behind": {"runs": runs, "logged_models": models},
        }
        print(msgspec.json.encode(answer).decode())
        return
    console = Console(highlight=False)
    for table, count in counts.items():
        if count:
            console.print(f"  {table.replace('_', ' '):26}{count:>12,}")
    if elsewhere:
        console.print(
            f"The artifacts of {elsewhere:,} runs lie outside the data directory and are read where they are."
        )
    if runs or models:
        console.print(
            f"{runs:,} runs and {models:,} logged models have their artifacts in the folder of MLflow's artifact proxy, "
            "which was not brought along: import into a new data directory with --artifacts DIR (mlartifacts, beside the "
            "database, unless MLflow was told otherwise), or their files are not found.",
            soft_wrap=True,
        )
    console.print(f"Start with: kedge up --home {paths.root}")
