"""MLflow's tables of an older release, met where Kedge is to start: backed up, then upgraded by MLflow's own migrations.

A SQLite file is upgraded as a copy that takes the place of the original in one step: what ends the process in between
leaves the original as it was. In PostgreSQL the migrations are one transaction, and the backup is a database made by the
server itself from the old one, which is exact and needs no program beside the server.
"""

from collections.abc import Callable
from pathlib import Path

from kedge.app.mlflow_tools import known_revisions, upgrade
from kedge.core.clock import Clock
from kedge.core.errors import KedgeError, StorageError
from kedge.storage import adoption
from kedge.storage.mlflow_schema import SCHEMA_REVISION

Told = Callable[[str], None]


def sqlalchemy_address(place: Path | str) -> str:
    """The address of a database as MLflow takes it, with the driver that is installed; MLflow's own default is another."""
    if isinstance(place, Path):
        return f"sqlite:///{place}"
    return "postgresql+psycopg:" + place.partition(":")[2]


def adopt(place: Path | str, clock: Clock, told: Told) -> None:
    """Bring MLflow's tables to the pinned release where they are older; do nothing where they are not there, or are of it.

    Raises
    ------
    Conflict
        A newer release made them, or no backup can be made now.
    MissingExtra
        They are older, and MLflow is not installed.
    StorageError
        The upgraded tables do not hold the same; a SQLite file is as it was, in PostgreSQL the backup is named.
    """
    if isinstance(place, Path) and not place.exists():
        return
    have = adoption.revision(place)
    if have in ("", SCHEMA_REVISION) or not adoption.needs_upgrade(place, known_revisions()):
        return
    told(f"MLflow's tables are of an older release (revision {have}); backing them up and upgrading them")
    if isinstance(place, Path):
        backup = str(_upgrade_file(place, f"{place.name}.{have}.{clock.now_ms()}.backup"))
    else:
        backup = _upgrade_database(place, f"before_{have}_{clock.now_ms()}")
    told(f"MLflow's tables are of revision {SCHEMA_REVISION} now; as they were, they are kept in {backup}")


def _upgrade_file(file: Path, backup: str) -> Path:
    adoption.settle(file)  # a log left beside the file would be taken for the log of the one that replaces it
    kept, incoming = file.with_name(backup), file.with_name(f"{file.name}.incoming")
    adoption.forget(incoming)
    try:
        adoption.copy(file, incoming)
        _upgrade(incoming)
        adoption.settle(incoming)
        kept.hardlink_to(file)
        incoming.replace(file)
    finally:
        adoption.forget(incoming)
    return kept


def _upgrade_database(address: str, backup: str) -> str:
    kept = adoption.duplicate(address, backup)
    try:
        _upgrade(address)
    except KedgeError as error:
        raise StorageError(f"{error.message} (as it was, the database is kept in {kept})") from error
    return f"the database {kept}"


def _upgrade(place: Path | str) -> None:
    before = adoption.counted(place)
    upgrade(sqlalchemy_address(place))
    adoption.require_all(before, adoption.counted(place))
