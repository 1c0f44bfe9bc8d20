"""The database: transactions, migrations, refusal of newer data, and that what was acknowledged survives kill -9."""

import os
import random
import select
import signal
import sqlite3
import subprocess
import sys
import threading
import time

import pytest

from kedge.core.clock import SystemClock
from kedge.core.errors import Conflict, StorageError
from kedge.storage.database import migrations, open_database, schema_version

CLOCK = SystemClock()
LABELS = "SELECT row FROM kedge_label ORDER BY row"
INSERT = "INSERT INTO kedge_label VALUES ('e', 'r', ?, 0.5, 1)"


@pytest.fixture
def database(tmp_path):
    opened = open_database(tmp_path / "kedge.db", CLOCK)
    yield opened
    opened.close()


def insert(database, *numbers):
    with database.write() as connection:
        for number in numbers:
            connection.execute(INSERT, (int(number),))


def rows(database):
    return [row[0] for row in database.rows(LABELS)]


def test_a_transaction_is_all_or_nothing(database):
    insert(database, 1, 2)
    with pytest.raises(TypeError):
        insert(database, 3, object)
    assert rows(database) == [1, 2]


def test_after_an_error_the_next_transaction_works(database):
    with pytest.raises(sqlite3.IntegrityError):
        insert(database, 1, 1)
    insert(database, 2)
    assert rows(database) == [2]


def test_a_full_disk_is_a_storage_error_and_the_next_transaction_works(database):
    limit = database.row("PRAGMA page_count")[0] + 20
    database._writer.execute(f"PRAGMA max_page_count = {limit}")
    with pytest.raises(StorageError, match="full"):
        insert(database, *range(100_000))
    database._writer.execute("PRAGMA max_page_count = 1000000")
    insert(database, 7)
    assert rows(database) == [7]


def test_a_commit_that_fails_undoes_the_transaction(database):
    def use_unknown_version():
        with database.write() as connection:
            connection.execute("PRAGMA defer_foreign_keys = ON")  # so that the commit is what fails
            connection.execute(INSERT, (1,))
            connection.execute("INSERT INTO kedge_dataset_use VALUES ('run', 'step', 'no such version')")

    with pytest.raises(sqlite3.IntegrityError):
        use_unknown_version()
    assert rows(database) == []
    insert(database, 2)
    assert rows(database) == [2]


def test_a_reader_sees_neither_half_nor_waits(database):
    with database.write() as connection:
        connection.execute(INSERT, (1,))
        assert rows(database) == []
    assert rows(database) == [1]


def test_readers_cannot_write(database):
    with pytest.raises(StorageError, match="readonly"):
        database.rows("DELETE FROM kedge_label")


def test_threads_and_connections_lose_nothing(database, tmp_path):
    other = open_database(tmp_path / "kedge.db", CLOCK)

    def write(into, numbers):
        for number in numbers:
            with into.write() as connection:
                connection.execute(INSERT, (number,))

    jobs = [
        (database, range(10)),
        (database, range(10, 20)),
        (other, range(20, 30)),
        (other, range(30, 40)),
    ]
    threads = [threading.Thread(target=write, args=job) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert rows(database) == list(range(40))
    other.close()


def test_data_version_moves_when_another_connection_commits(database, tmp_path):
    other = open_database(tmp_path / "kedge.db", CLOCK)
    before = database.data_version()
    assert database.data_version() == before
    with other.write() as connection:
        connection.execute(INSERT, (1,))
    assert database.data_version() != before
    other.close()


def test_opening_again_migrates_nothing(database, tmp_path):
    applied = database.rows("SELECT * FROM kedge_migration")
    again = open_database(tmp_path / "kedge.db", CLOCK)
    assert [tuple(row) for row in again.rows("SELECT * FROM kedge_migration")] == [
        tuple(row) for row in applied
    ]
    assert schema_version(again) == migrations()[-1][0] == len(migrations())
    again.close()


def test_newer_data_is_refused_untouched(database, tmp_path):
    newer = migrations()[-1][0] + 1
    with database.write() as connection:
        connection.execute("INSERT INTO kedge_migration VALUES (?, 1)", (newer,))
    database.close()
    before = (tmp_path / "kedge.db").read_bytes()
    with pytest.raises(Conflict, match=f"schema {newer}.*up to {newer - 1}") as refused:
        open_database(tmp_path / "kedge.db", CLOCK)
    assert "newer Kedge" in refused.value.hint
    assert (tmp_path / "kedge.db").read_bytes() == before


def test_a_migration_that_fails_leaves_the_database_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "kedge.db"
    broken = (*migrations(), (migrations()[-1][0] + 1, "CREATE TABLE made (a);\nCREATE TABLE made (a);\n"))
    open_database(path, CLOCK).close()
    with monkeypatch.context() as patched:
        patched.setattr("kedge.storage.database.migrations", lambda: broken)
        with pytest.raises(StorageError, match="made already exists"):
            open_database(path, CLOCK)
    database = open_database(path, CLOCK)
    assert schema_version(database) == migrations()[-1][0]
    assert database.row("SELECT 1 FROM sqlite_master WHERE name = 'made'") is None
    database.close()


def test_two_processes_may_open_a_new_directory_at_once(tmp_path):
    failures = []

    def open_it():
        try:
            open_database(tmp_path / "kedge.db", CLOCK).close()
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    database = open_database(tmp_path / "kedge.db", CLOCK)
    assert len(database.rows("SELECT * FROM kedge_migration")) == len(migrations())
    database.close()


def test_what_is_no_database_is_refused(tmp_path):
    (tmp_path / "kedge.db").write_text(
        "a letter to a friend, long enough to be taken for something else" * 20
    )
    with pytest.raises(StorageError, match="not a database"):
        open_database(tmp_path / "kedge.db", CLOCK)
    with pytest.raises(StorageError, match="unable to open"):
        open_database(tmp_path / "missing" / "kedge.db", CLOCK)


WRITER = """
import sys
from pathlib import Path
from kedge.core.clock import SystemClock
from kedge.storage.database import open_database
database = open_database(Path(sys.argv[1]), SystemClock())
number = int(sys.argv[2])
while True:
    with database.write() as connection:
        for part in range(3):  # more rows than one, so that half a transaction would show
            connection.execute("INSERT INTO kedge_label VALUES ('e', ?, ?, 0.5, 1)", (str(number), part))
    sys.stdout.write(f"{number}\\n")
    sys.stdout.flush()
    number += 1
"""


def acknowledged_until_killed(path, first, moment_s):
    """Numbers that a writer acknowledged before `kill -9` met it `moment_s` after its first one."""
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), str(first)], stdout=subprocess.PIPE, bufsize=0
    )
    try:
        ready, _, _ = select.select([writer.stdout], [], [], 30)
        assert ready, "the writer wrote nothing within 30 s"
        text = os.read(writer.stdout.fileno(), 1 << 16)
        deadline = time.monotonic() + moment_s
        while (left := deadline - time.monotonic()) > 0:
            if select.select([writer.stdout], [], [], left)[0]:
                text += os.read(writer.stdout.fileno(), 1 << 16)
    finally:
        writer.send_signal(signal.SIGKILL)
        text += writer.stdout.read()
        writer.stdout.close()
        writer.wait()
    whole = text[: text.rfind(b"\n") + 1]
    return [int(line) for line in whole.splitlines()]


@pytest.mark.acceptance
@pytest.mark.slow
def test_what_was_acknowledged_survives_kill_9(tmp_path):
    path = tmp_path / "kedge.db"
    moments = random.Random(20130101)
    acknowledged = []
    for _ in range(5):
        first = max(acknowledged, default=-1) + 1_000
        acknowledged += acknowledged_until_killed(path, first, moments.uniform(0.01, 0.3))
        database = open_database(path, CLOCK)
        counts = dict(database.rows("SELECT request_id, count(*) FROM kedge_label GROUP BY request_id"))
        assert {str(number) for number in acknowledged} <= counts.keys()
        assert set(counts.values()) == {3}
        assert database.row("PRAGMA integrity_check")[0] == "ok"
        database.close()
    assert len(acknowledged) > 5
