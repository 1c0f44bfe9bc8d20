"""Follows what is wanted: loads wanted deployments, swaps them in, and records what became of them."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path

from kedge.core.deployments import Deployment, DeploymentStore
from kedge.core.errors import Conflict, Invalid, KedgeError, Unavailable
from kedge.serving.attempts import MOST_DEATHS, MOST_DEATHS_OF_PROVEN, Attempts
from kedge.serving.batching import Batcher
from kedge.serving.copies import ModelCopies
from kedge.serving.live import Live, LiveTable
from kedge.serving.model import Model, load_model

POLL_S = 0.1
RETRY_POLLS = 20
"""After so many polls what could not be fetched is asked for again."""

_log = logging.getLogger(__name__)


class Watcher:
    """One thread that compares what is wanted with what is live, whenever the database has changed."""

    def __init__(
        self,
        deployments: DeploymentStore,
        table: LiveTable,
        executor: Executor,
        attempts: Attempts,
        *,
        change: Callable[[], int],
        trust_pickle: bool,
        copies: ModelCopies | None = None,
    ) -> None:
        self._deployments = deployments
        self._table = table
        self._executor = executor
        self._attempts = attempts
        self._change = change
        self._trust_pickle = trust_pickle
        self._copies = copies
        self._polls_until_retry = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def stop(self) -> None:
        """End; a load in progress is abandoned and begins again at the next start."""
        self._stopping.set()
        self._thread.join(timeout=0.3)
        self._attempts.abandon()

    def _run(self) -> None:
        seen: int | None = None
        while not self._stopping.is_set():
            try:
                change = self._change()
                if change != seen or self._retry_is_due():
                    self.look()
                    seen = change
                self._table.ready.set()
            except Exception:  # noqa: BLE001 - the thread must go on
                _log.exception("what is wanted could not be read; trying again", extra={"action": "watch"})
            self._stopping.wait(POLL_S)

    def _retry_is_due(self) -> bool:
        due = self._polls_until_retry == 1
        self._polls_until_retry = max(0, self._polls_until_retry - 1)
        return due

    def look(self) -> None:
        """Bring every endpoint to what is wanted; what fails to load leaves the live deployment in place.

        A deployment whose loading ended earlier processes is loaded last, and after the most deaths not at all.
        """
        waiting: list[tuple[Deployment, bool]] = []
        endpoints = self._deployments.endpoints()
        for endpoint in endpoints:
            wanted = self._deployments.get(endpoint.wanted)
            if endpoint.live is not None and not self._answers(endpoint.name, endpoint.live):
                waiting.append((self._deployments.get(endpoint.live), False))
            if wanted.state in ("pending", "loading") and not self._answers(endpoint.name, wanted.id):
                waiting.append((wanted, True))
        # What a process died over comes last: were it to happen again, the others have answered meanwhile.
        waiting.sort(key=lambda each: (self._attempts.deaths(each[0].id), each[1]))
        for deployment, announce in waiting:
            if self._stopping.is_set():
                return
            self._bring(deployment, announce=announce)
        self._attempts.keep([deployment.id for deployment, _ in waiting])
        if self._copies is not None:
            self._copies.keep(
                {each for endpoint in endpoints for each in (endpoint.wanted, endpoint.live) if each}
            )

    def _answers(self, endpoint: str, deployment_id: str) -> bool:
        return endpoint in self._table.names() and self._table.get(endpoint).deployment.id == deployment_id

    def _bring(self, deployment: Deployment, *, announce: bool) -> None:
        fields = {"endpoint": deployment.endpoint, "deployment": deployment.id}
        if announce and deployment.state != "loading":
            self._deployments.mark(deployment.id, "loading")
        try:
            model = self._load(deployment)
        except Unavailable as error:  # it is where it was, and can be had later
            self._polls_until_retry = RETRY_POLLS
            if announce and deployment.error != str(error):
                self._deployments.mark(deployment.id, "loading", error=str(error))
            _log.warning("could not be fetched yet: %s", error, extra={"action": "load", **fields})
            return
        except KedgeError as error:
            self._deployments.mark(deployment.id, "failed", error=str(error))
            _log.warning("could not load: %s", error, extra={"action": "load", **fields})
            return
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a foreign model may fail anyhow; it is told
            self._deployments.mark(deployment.id, "failed", error=f"{type(error).__name__}: {error}")
            _log.exception("could not load", extra={"action": "load", **fields})
            return
        if self._stopping.is_set():
            return
        if announce and self._deployments.endpoint(deployment.endpoint).wanted != deployment.id:
            self._deployments.mark(deployment.id, "retired")
            return
        self._table.put(Live(deployment, model, Batcher(model.predict, self._executor)))
        if announce:
            self._deployments.mark(deployment.id, "live")
        _log.info("live", extra={"action": "live", **fields})

    def _load(self, deployment: Deployment) -> Model:
        deaths = self._attempts.deaths(deployment.id)
        if deaths >= (MOST_DEATHS if deployment.live_ms is None else MOST_DEATHS_OF_PROVEN):
            raise Conflict(
                f"loading it ended the serving process {deaths} times",
                hint="is there memory enough? logs/serving.log may say more; deploy it again for another try",
            )
        source = deployment.source if self._copies is None else self._copies.source(deployment)
        self._attempts.begin(deployment.id)
        try:
            return load_source(source, trust_pickle=self._trust_pickle)
        finally:
            self._attempts.end(deployment.id)


def load_source(source: str, *, trust_pickle: bool) -> Model:
    """Load the model folder that a deployment names. Raises KedgeError with the reason."""
    folder = Path(source)
    if not folder.is_absolute():
        raise Invalid(
            f"the model lies at {source!r}, which is not a folder of this data directory",
            hint="log the model through this platform, so that its files lie here",
        )
    return load_model(folder, trust_pickle=trust_pickle)
