"""Changes that share a commit: answered after it, refused alone, lost together only when the commit is."""

import contextlib
import sqlite3
import threading

import pytest

from kedge.storage.group_commit import GroupWriter, Together


class Ledger:
    """A table of numbers; odd things can be had of its transactions."""

    def __init__(self, path) -> None:
        self.connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.connection.execute("CREATE TABLE numbers (n INTEGER PRIMARY KEY)")
        self.commits = 0
        self.fails = False
        self.gate = threading.Event()
        self.gate.set()

    @contextlib.contextmanager
    def transaction(self):
        self.gate.wait(10)
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield self.connection
            if self.fails:
                raise OSError("disk full")  # noqa: TRY301
            self.connection.execute("COMMIT")
            self.commits += 1
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise

    def numbers(self) -> list[int]:
        return [row[0] for row in self.connection.execute("SELECT n FROM numbers ORDER BY n")]


def insert(connection, number: int) -> int:
    if number < 0:
        connection.execute("INSERT INTO numbers VALUES (?)", (1000 - number,))
        raise ValueError(number)
    connection.execute("INSERT INTO numbers VALUES (?)", (number,))
    return number * 10


@pytest.fixture
def ledger(tmp_path):
    made = Ledger(tmp_path / "numbers.db")
    yield made
    made.connection.close()


@pytest.fixture
def writer(ledger):
    made = GroupWriter(ledger.transaction, insert, lambda _: 1)
    yield made
    made.close()


def submitted(writer, ledger, numbers):
    """All of them at once: they wait while the gate is shut, then share what they share."""
    outcomes: dict[int, object] = {}
    heard = threading.Semaphore(0)

    def done_of(number):
        def done(outcome):
            outcomes[number] = outcome
            heard.release()

        return done

    for number in numbers:
        writer.submit(number, done_of(number))
    ledger.gate.set()
    for _ in numbers:
        assert heard.acquire(timeout=10)
    return outcomes


def test_those_that_wait_together_are_committed_together(writer, ledger):
    ledger.gate.clear()
    outcomes = submitted(writer, ledger, range(50))
    assert outcomes == {n: n * 10 for n in range(50)}
    assert ledger.numbers() == list(range(50))
    assert ledger.commits <= 2  # the first may have gone alone


def test_one_that_is_refused_leaves_its_neighbours_alone(writer, ledger):
    ledger.gate.clear()
    outcomes = submitted(writer, ledger, [1, -2, 3, 3 - 10, 4])
    assert isinstance(outcomes[-2], ValueError)
    assert isinstance(outcomes[-7], ValueError)
    assert [outcomes[n] for n in (1, 3, 4)] == [10, 30, 40]
    assert ledger.numbers() == [1, 3, 4]


def test_one_alone_that_is_refused_is_undone(writer, ledger):
    assert isinstance(submitted(writer, ledger, [-5])[-5], ValueError)
    assert ledger.numbers() == []
    assert submitted(writer, ledger, [6]) == {6: 60}


def test_a_commit_that_fails_is_told_to_all_it_held(writer, ledger):
    ledger.fails = True
    ledger.gate.clear()
    outcomes = submitted(writer, ledger, [1, -2, 3])
    assert isinstance(outcomes[1], OSError)
    assert isinstance(outcomes[3], OSError)
    assert isinstance(outcomes[-2], (ValueError, OSError))
    assert ledger.numbers() == []
    ledger.fails = False
    assert submitted(writer, ledger, [1]) == {1: 10}  # and it goes on


def test_a_commit_does_not_grow_for_ever(ledger):
    writer = GroupWriter(ledger.transaction, insert, lambda _: 15_000)
    ledger.gate.clear()
    submitted(writer, ledger, range(6))
    assert ledger.commits >= 3
    writer.close()


def test_closing_applies_what_waits(ledger):
    writer = GroupWriter(ledger.transaction, insert, lambda _: 1)
    ledger.gate.clear()
    for number in range(20):
        writer.submit(number, lambda _: None)
    ledger.gate.set()
    writer.close()
    assert ledger.numbers() == list(range(20))


def insert_all(connection, numbers):
    """As `insert`, of many at once; a 13 breaks it after the rows are there."""
    connection.executemany("INSERT INTO numbers VALUES (?)", [(n,) for n in numbers if n >= 0])
    if 13 in numbers:
        raise OSError("what breaks all of them")
    return [n * 10 if n >= 0 else ValueError(n) for n in numbers]


@pytest.mark.parametrize("odd", [[], [13]])
def test_neighbours_of_a_kind_share_their_statements(ledger, odd):
    """Even numbers are of the kind; where their statements break, each is applied alone and tells its own."""
    shared = []

    def together(connection, numbers):
        shared.append(list(numbers))
        return insert_all(connection, numbers)

    writer = GroupWriter(
        ledger.transaction, insert, lambda _: 1, Together(lambda n: n % 2 == 0 or n == 13, together)
    )
    ledger.gate.clear()
    outcomes = submitted(writer, ledger, [99, 2, 4, -6, *odd, 5, 8, 10, 7])
    assert isinstance(outcomes.pop(-6), ValueError)
    assert outcomes == {n: n * 10 for n in outcomes}
    assert ledger.numbers() == sorted([99, 2, 4, *odd, 5, 8, 10, 7])
    assert shared == [[2, 4, -6, *odd], [8, 10]]
    writer.close()


def test_neighbours_that_a_commit_loses_are_told(ledger):
    writer = GroupWriter(ledger.transaction, insert, lambda _: 1, Together(lambda _: True, insert_all))
    ledger.fails = True
    ledger.gate.clear()
    outcomes = submitted(writer, ledger, [2, 4, -6, 8])
    assert all(isinstance(outcome, (OSError, ValueError)) for outcome in outcomes.values())
    assert ledger.numbers() == []
    writer.close()
