"""By which names a process may be reached: a page of another site whose name was pointed at us (DNS rebinding) comes
with that site's name in its Host header, and is told apart by it."""

from collections.abc import Iterable

LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
"""Names of this machine for itself, always known."""

_EVERY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 - compared, not bound


def known_hosts(listening: str, allowed: Iterable[str]) -> frozenset[str]:
    """The loopback names, those that the operator allowed, and the address listened on where it is a single one."""
    own = [] if listening in _EVERY_ADDRESS else [f"[{listening}]" if ":" in listening else listening]
    return LOOPBACK | {host.lower() for host in [*allowed, *own]}


def name_of(host: str) -> str:
    """The name in a Host header, in lower case and without its port."""
    if host.startswith("["):
        return host.partition("]")[0].lower() + "]"
    return host.partition(":")[0].lower()
