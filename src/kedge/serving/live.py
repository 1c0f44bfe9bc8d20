"""Which deployment answers for which endpoint: a table that is changed an entry at a time, so a swap is atomic."""

import threading

from kedge.core.deployments import Deployment
from kedge.core.errors import Conflict, NotFound
from kedge.serving.batching import Batcher
from kedge.serving.model import Model


class Live:
    """A deployment that answers. Who holds one may finish with it after a swap."""

    def __init__(self, deployment: Deployment, model: Model, batcher: Batcher) -> None:
        self.deployment = deployment
        self.model = model
        self.batcher = batcher


class LiveTable:
    """Live deployments by endpoint; `ready` once the first look at what is wanted is done."""

    def __init__(self) -> None:
        self._live: dict[str, Live] = {}
        self.ready = threading.Event()

    def put(self, live: Live) -> None:
        """Answer with this from the next request on."""
        self._live[live.deployment.endpoint] = live

    def get(self, endpoint: str, version: str | None = None) -> Live:
        """Raises NotFound for an endpoint that does not answer, or answers with another version."""
        live = self._live.get(endpoint)
        if live is None:
            raise NotFound(
                f"no model answers for endpoint {endpoint!r} (answering: {', '.join(self.names()) or 'none'})"
            )
        if version is not None and version != live.deployment.model_version:
            raise NotFound(
                f"endpoint {endpoint!r} has no version {version!r}: version {live.deployment.model_version} answers"
            )
        return live

    def only(self) -> Live:
        """The live deployment when there is exactly one. Raises NotFound or Conflict."""
        names = self.names()
        if not names:
            raise NotFound("no model answers here yet")
        if len(names) > 1:
            raise Conflict(
                f"{len(names)} endpoints answer here ({', '.join(names)}): use /endpoints/NAME/invocations"
            )
        return self.get(names[0])

    def names(self) -> list[str]:
        """Endpoints that answer, by name."""
        return sorted(self._live)
