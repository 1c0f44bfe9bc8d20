"""Changes that wait together share one commit: a disk can end a few thousand transactions a second, not more.

Each change stands behind a savepoint, so that one that is refused leaves its neighbours alone, and is answered only after
the commit that holds it. Neighbours of a kind that can be made by the same few statements are: a driver lets go of the
interpreter at every statement and has to get it back from the thread that answers requests.
"""

import dataclasses
import itertools
import queue
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Generic, TypeVar

Change = TypeVar("Change")
Done = Callable[[Any], None]

MOST_ROWS = 20_000
"""A commit is not grown beyond: who came first would wait for all the others' rows."""


@dataclasses.dataclass(frozen=True)
class Together(Generic[Change]):
    """How neighbours that `fits` holds for are applied by the same statements.

    `apply` gives an outcome each, an exception for a change that is refused and leaves nothing. Where it raises, what it
    did is undone and each is applied alone.
    """

    fits: Callable[[Change], bool]
    apply: Callable[[Any, Sequence[Change]], list[Any]]


class GroupWriter(Generic[Change]):
    """One thread that applies changes in the order in which they came.

    `transaction` gives a connection inside a transaction that is committed when the block ends, `apply` makes one change
    on it and gives its outcome, and `rows` says about how many rows a change writes.
    """

    def __init__(
        self,
        transaction: Callable[[], AbstractContextManager[Any]],
        apply: Callable[[Any, Change], Any],
        rows: Callable[[Change], int],
        together: Together[Change] | None = None,
    ) -> None:
        self._transaction = transaction
        self._apply = apply
        self._rows = rows
        self._together = together
        self._waiting: queue.SimpleQueue[tuple[Change, Done] | None] = queue.SimpleQueue()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def submit(self, change: Change, done: Done) -> None:
        """Have the change applied; `done` gets its outcome, or the exception, from the writing thread."""
        if self._thread is None:
            self._start()
        self._waiting.put((change, done))

    def close(self) -> None:
        """Apply what waits, then end the thread."""
        if self._thread is not None:
            self._waiting.put(None)
            self._thread.join()
            self._thread = None

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="group-commit", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        ends = False
        while not ends:
            taken = self._waiting.get()
            if taken is None:
                return
            batch, rows = [taken], self._rows(taken[0])
            while rows < MOST_ROWS:
                try:
                    more = self._waiting.get_nowait()
                except queue.Empty:
                    break
                if more is None:
                    ends = True
                    break
                batch.append(more)
                rows += self._rows(more[0])
            for (_, done), outcome in zip(
                batch, self._committed([change for change, _ in batch]), strict=True
            ):
                done(outcome)

    def _committed(self, changes: list[Change]) -> list[Any]:
        """The outcome of each after the commit; exceptions where it was refused, or the commit failed."""
        outcomes: list[Any] = []
        try:
            with self._transaction() as connection:
                if len(changes) == 1:  # refused means undone: no savepoint is needed
                    return [self._apply(connection, changes[0])]
                for fits, neighbours in itertools.groupby(changes, self._fits):
                    outcomes += self._neighbours(connection, list(neighbours), fits)
        except Exception as error:  # noqa: BLE001 - each caller gets it and raises it where it was asked
            told = [outcome if isinstance(outcome, Exception) else error for outcome in outcomes]
            return told + [error] * (len(changes) - len(told))
        return outcomes

    def _fits(self, change: Change) -> bool:
        return self._together is not None and self._together.fits(change)

    def _neighbours(self, connection: Any, changes: list[Change], fits: bool) -> list[Any]:
        if self._together is None or not fits or len(changes) == 1:
            return [self._one_of_many(connection, change) for change in changes]
        connection.execute("SAVEPOINT many")
        try:
            outcomes = self._together.apply(connection, changes)
        except Exception:  # noqa: BLE001 - each is applied alone, and tells its own
            connection.execute("ROLLBACK TO SAVEPOINT many")
            outcomes = [self._one_of_many(connection, change) for change in changes]
        connection.execute("RELEASE SAVEPOINT many")
        return outcomes

    def _one_of_many(self, connection: Any, change: Change) -> Any:
        connection.execute("SAVEPOINT one")
        try:
            outcome = self._apply(connection, change)
        except Exception as error:  # noqa: BLE001 - see above
            connection.execute("ROLLBACK TO SAVEPOINT one")
            connection.execute("RELEASE SAVEPOINT one")
            return error
        connection.execute("RELEASE SAVEPOINT one")
        return outcome
