"""A route of the web process: what is asked, who answers, and who may."""

import dataclasses
from collections.abc import Awaitable, Callable
from typing import Any, Literal

Permission = Literal["public", "read", "write"]
"""`public` needs nothing, `read` a known host name, `write` also the page's own origin. No default: see `Route`."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """One row of the route table. `permission` has no default, so a route without a rule cannot be made."""

    method: Literal["GET", "POST", "PUT", "DELETE", "PATCH", "*"]
    path: str
    handler: Callable[[Any], Awaitable[Any]]
    permission: Permission
    max_body_bytes: int = 16 * 1024 * 1024
