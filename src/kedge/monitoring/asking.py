"""Asking for an evaluation, from whatever process; it is done by the worker."""

from kedge.core.jobs import Job
from kedge.core.services import Services


def enqueue(services: Services, monitor: str, until_ms: int | None = None) -> Job:
    """Queue an evaluation; while one of the monitor is queued or running, that one is returned (see its payload)."""
    payload = {"monitor": monitor, "until_ms": until_ms}
    return services.jobs.enqueue("monitor", payload, unique=f"monitor:{monitor}")
