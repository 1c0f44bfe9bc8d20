"""Many streams side by side: a detector for each column, in threads."""

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar, Self

from kedge.drift.codec import decode, encode
from kedge.drift.ensemble.members import as_texts, from_texts, read, written
from kedge.drift.errors import DataError, ParameterError, StateError
from kedge.drift.spec import Interval
from kedge.drift.streaming.base import Result, State, StreamingDetector


class StreamColumns:
    """A streaming detector for each column of a table that comes in pieces.

    Columns are fed in threads, for the detectors' kernels run without the interpreter's lock; each gives what it gives alone,
    however the table is cut. False alarms add up over columns: of k detectors with a run time of k * t values each, one
    alarms falsely about every t values.

    Parameters
    ----------
    detectors : mapping of name to StreamingDetector
        They are used themselves, not copied, so each may stand for one column only.
    threads : int in [0, 1024], default 0
        Columns fed at the same time; 0 is one a core.

    Examples
    --------
    >>> import numpy as np
    >>> from kedge.drift import ADWIN, DDM
    >>> rng = np.random.default_rng(1)
    >>> streams = StreamColumns({"price": ADWIN(), "error": DDM()})
    >>> piece = {"price": rng.normal(np.repeat([0, 1], 1000), 1), "error": rng.random(2000) < 0.2}
    >>> {name: result.drifts[:1].tolist() for name, result in streams.update_many(piece).items()}
    {'price': [1055], 'error': []}
    """

    state_version: ClassVar[int] = 1

    def __init__(self, detectors: Mapping[str, StreamingDetector], *, threads: int = 0) -> None:
        rule = Interval(int, 0, 1024)
        if not rule.admits(threads):
            raise ParameterError("StreamColumns", "threads", threads, str(rule))
        made = dict(detectors) if isinstance(detectors, Mapping) else {}
        sound = all(isinstance(each, StreamingDetector) for each in made.values())
        if not made or not sound or not all(isinstance(name, str) for name in made):
            kinds = "a mapping of one name or more to streaming detectors"
            raise ParameterError("StreamColumns", "detectors", detectors, kinds)
        if len({id(each) for each in made.values()}) < len(made):
            raise ParameterError("StreamColumns", "detectors", detectors, "another detector for each column")
        self.detectors = made
        self.threads = threads

    def update(self, row: Mapping[str, Any]) -> dict[str, State]:
        """Take one value for each column and say what it brought; raises as `update_many`."""
        self._match(row)
        results = self.update_many({name: [row[name]] for name in self.detectors})
        return {name: _state(result) for name, result in results.items()}

    def update_many(self, table: Any, *, statistics: bool = False) -> dict[str, Result]:
        """Take a piece of every column, in the order of the detectors.

        Parameters
        ----------
        table : mapping of name to array of shape (n,), or (n, d) for a detector of vectors
            Of the detectors' columns, no more and no fewer. A frame of pandas will do. Pieces may differ in length.
        statistics : bool, default False
            Whether the results shall hold the statistic after every value.

        Raises
        ------
        DataError
            A column lacks or is one too many, or its detector would refuse it, which the message names; no detector took
            anything.
        """
        self._match(table)
        pieces = {name: table[name] for name in self.detectors}
        for name, detector in self.detectors.items():
            try:
                detector.checked(pieces[name])
            except DataError as error:
                raise DataError(f"column {name!r}: {error}") from error

        def fed(name: str) -> Result:
            return self.detectors[name].update_many(pieces[name], statistics=statistics)

        with ThreadPoolExecutor(self.threads or os.cpu_count() or 1) as pool:
            return dict(zip(pieces, pool.map(fed, pieces), strict=True))

    def _match(self, table: Any) -> None:
        if not hasattr(table, "keys"):  # pandas' frames have them too
            raise DataError(f"StreamColumns: expected a mapping of columns, got {type(table).__name__}")
        given = set(table.keys())
        lacking, foreign = (
            sorted(map(str, each)) for each in (self.detectors.keys() - given, given - self.detectors.keys())
        )
        if lacking or foreign:
            raise DataError(
                f"StreamColumns: columns that lack: {lacking}; columns without a detector: {foreign}"
            )

    def reset(self) -> None:
        """Forget everything, in every column."""
        for each in self.detectors.values():
            each.reset()

    def state(self) -> bytes:
        """Names, detectors and all that they know, as a versioned byte string (no pickle); see `from_state`."""
        parameters = {
            "detectors": [written(each) for each in self.detectors.values()],
            "threads": self.threads,
        }
        values = {"names": tuple(self.detectors), "members": as_texts(self.detectors.values())}
        return encode(type(self).__name__, self.state_version, parameters, values)

    @classmethod
    def from_state(cls, state: bytes) -> Self:
        """Columns that continue where `state` was taken, bit for bit; the detectors' classes must be loaded.

        Raises
        ------
        StateError
            The bytes are cut or changed, or are not a state of this class and version.
        """
        stored, values = decode(cls.__name__, cls.state_version, state)
        try:
            blank = read(stored["detectors"], StreamingDetector)
            known = from_texts(blank, values["members"])
            names = map(str, values["names"])
            return cls(dict(zip(names, known, strict=True)), threads=stored["threads"])
        except (ParameterError, TypeError, KeyError, ValueError, AttributeError) as error:
            raise StateError(f"{cls.__name__}: the state's columns are not its own: {error}") from error

    def __repr__(self) -> str:
        return f"StreamColumns({self.detectors!r}, threads={self.threads!r})"


def _state(result: Result) -> State:
    return "drift" if result.drifts.size else ("warning" if result.warnings.size else "normal")
