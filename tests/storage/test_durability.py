"""What was acknowledged is there after kill -9; objects and migrations are whole or not at all."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from kedge.core.clock import SystemClock
from kedge.core.errors import Conflict, NotFound, StorageError
from kedge.storage.database import migrations, open_database, schema_version
from kedge.storage.objects import FolderObjects

WRITER = """
import sys
from pathlib import Path
from kedge.core.clock import SystemClock
from kedge.core.jobs import Job
from kedge.storage.database import open_database
from kedge.storage.jobs import SqlJobs
from kedge.storage.objects import FolderObjects
home = Path(sys.argv[1])
jobs = SqlJobs(open_database(home / "kedge.db", SystemClock()), SystemClock())
objects = FolderObjects(home / "objects")
number = 0
while True:
    number += 1
    stored = objects.put([f"{sys.argv[2]} {number} ".encode() * 500])
    print(jobs.enqueue("pipeline", {"object": stored}).id, stored, flush=True)
"""


@pytest.mark.slow
def test_kill_9_at_random_moments_loses_nothing_acknowledged(tmp_path: Path) -> None:
    moments = random.Random(20130101)
    acknowledged: list[tuple[str, str]] = []
    for round_number in range(8):
        command = [sys.executable, "-c", WRITER, str(tmp_path), str(round_number)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        lines = [process.stdout.readline()]
        timer = threading.Timer(moments.uniform(0.0, 0.25), os.kill, (process.pid, signal.SIGKILL))
        timer.start()
        lines += process.stdout.readlines()
        process.wait()
        process.stdout.close()
        whole = [line.split() for line in lines if line.endswith("\n")]
        acknowledged += [(job, stored) for job, stored in whole]
        database = open_database(tmp_path / "kedge.db", SystemClock())
        assert database.row("PRAGMA integrity_check")[0] == "ok"
        there = {row["id"] for row in database.rows("SELECT id FROM kedge_job")}
        assert {job for job, _ in acknowledged} <= there
        database.close()
    objects = FolderObjects(tmp_path / "objects")
    for _, stored in acknowledged:
        assert FolderObjects(tmp_path / "check").put([objects.path(stored).read_bytes()]) == stored
    assert len(acknowledged) > 40


def test_a_newer_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "kedge.db"
    open_database(path, SystemClock()).close()
    with sqlite3.connect(path) as connection:
        connection.execute("INSERT INTO kedge_migration VALUES (900, 0)")
    connection.close()
    with pytest.raises(Conflict, match="schema 900"):
        open_database(path, SystemClock())


def test_what_is_no_database_is_told(tmp_path: Path) -> None:
    path = tmp_path / "kedge.db"
    path.write_text("this is not a database, and long enough to be looked at " * 20)
    with pytest.raises(StorageError, match="not a database"):
        open_database(path, SystemClock())


def test_opening_twice_migrates_once(tmp_path: Path) -> None:
    first = open_database(tmp_path / "kedge.db", SystemClock())
    second = open_database(tmp_path / "kedge.db", SystemClock())
    assert schema_version(first) == schema_version(second) == migrations()[-1][0]
    assert first.row("PRAGMA journal_mode")[0] == "wal"
    assert first.row("PRAGMA synchronous")[0] == 2  # FULL


def test_a_transaction_that_raises_leaves_nothing(tmp_path: Path) -> None:
    database = open_database(tmp_path / "kedge.db", SystemClock())

    def write() -> None:
        with database.write() as connection:
            connection.execute("INSERT INTO kedge_label VALUES ('e', 'r', 0, 1.0, 0)")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write()
    assert database.rows("SELECT * FROM kedge_label") == []


def test_a_reader_does_not_write(tmp_path: Path) -> None:
    database = open_database(tmp_path / "kedge.db", SystemClock())
    with pytest.raises(StorageError, match="readonly"):
        database.rows("DELETE FROM kedge_label")


# Objects ---------------------------------------------------------------------------------------------------------


def test_the_same_bytes_are_one_object(tmp_path: Path) -> None:
    objects = FolderObjects(tmp_path)
    ids: list[str] = []
    threads = [
        threading.Thread(target=lambda: ids.append(objects.put([b"ab", b"c" * 100_000]))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 8
    assert len(set(ids)) == 1
    assert objects.size_bytes(ids[0]) == 100_002
    assert list((tmp_path / "incoming").iterdir()) == []


def test_a_put_that_fails_leaves_nothing(tmp_path: Path) -> None:
    objects = FolderObjects(tmp_path)

    def pieces():
        yield b"half"
        raise RuntimeError

    with pytest.raises(RuntimeError):
        objects.put(pieces())
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "..",
        "../../etc/passwd",
        "/etc/passwd",
        "0" * 63,
        "0" * 65,
        "Z" * 64,
        "ab/../" + "0" * 58,
        "\0" * 64,
    ],
)
def test_malformed_ids_name_nothing(tmp_path: Path, bad: str) -> None:
    objects = FolderObjects(tmp_path)
    assert not objects.has(bad)
    with pytest.raises(NotFound):
        objects.open(bad)


def test_objects_cannot_be_written_over(tmp_path: Path) -> None:
    objects = FolderObjects(tmp_path)
    path = objects.path(objects.put([b"x"]))
    assert path.stat().st_mode & 0o222 == 0
