"""Loads begun and not ended, in a file, so that the next process knows over which deployments the ones before it died.

A model can end the process that loads it: the kernel kills what asks for too much memory, foreign compiled code can
crash. Nothing can be caught then, so the attempt is written down before it begins and struck out when it has ended.
"""

import logging
import threading
from collections.abc import Collection
from pathlib import Path

import msgspec

MOST_DEATHS = 2
"""Processes that may die over a deployment before it has failed. One is too few: a kill -9 or a power cut is no fault of
the model's."""
MOST_DEATHS_OF_PROVEN = 5
"""The same for one that has answered before: it loads, so its endpoint is given up only when that no longer can be so."""

_log = logging.getLogger(__name__)
_counts = msgspec.json.Decoder(dict[str, int])


class Attempts:
    """Of one serving process at a time. A file that cannot be written is told and lets the load go on."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._changing = threading.Lock()
        self._loading: str | None = None
        self._begun = self._read()

    def deaths(self, deployment_id: str) -> int:
        """How many processes ended while they were loading this deployment."""
        return self._begun.get(deployment_id, 0)

    def begin(self, deployment_id: str) -> None:
        """To be called before anything of the deployment is loaded."""
        with self._changing:
            self._loading = deployment_id
            self._write({**self._begun, deployment_id: self.deaths(deployment_id) + 1})

    def end(self, deployment_id: str) -> None:
        """The load has ended, well or badly, and this process lives."""
        with self._changing:
            self._loading = None
            self._write(self._without(deployment_id))

    def abandon(self) -> None:
        """This process is being stopped: what is loading now is not at fault."""
        with self._changing:
            if self._loading is not None:
                left = self.deaths(self._loading) - 1
                self._write({**self._begun, self._loading: left} if left else self._without(self._loading))
                self._loading = None

    def keep(self, deployment_ids: Collection[str]) -> None:
        """Forget all but these."""
        with self._changing:
            kept = {known: count for known, count in self._begun.items() if known in deployment_ids}
            if kept != self._begun:
                self._write(kept)

    def _without(self, deployment_id: str) -> dict[str, int]:
        return {known: count for known, count in self._begun.items() if known != deployment_id}

    def _read(self) -> dict[str, int]:
        try:
            return _counts.decode(self._file.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.DecodeError) as error:
            _log.warning("%s cannot be read: %s", self._file, error, extra={"action": "attempts"})
            return {}

    def _write(self, begun: dict[str, int]) -> None:
        # No fsync: the file outlives the process, and a machine that lost its power says nothing about the model.
        self._begun = begun
        beside = self._file.with_suffix(".new")
        try:
            beside.write_bytes(msgspec.json.encode(begun))
            beside.rename(self._file)
        except OSError as error:
            _log.warning("%s cannot be written: %s", self._file, error, extra={"action": "attempts"})
