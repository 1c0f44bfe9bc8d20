"""What a request comes to: a change to be made, or something to be read."""

from collections.abc import Callable
from typing import Any

import msgspec

from kedge.core.models import ModelChange
from kedge.core.routes import Permission
from kedge.core.runs import Change
from kedge.core.services import Tracking


class Write(msgspec.Struct, frozen=True):
    """Have the store make the change, then answer."""

    change: Change | ModelChange
    answer: Callable[[Any], bytes] = lambda _: b"{}"


class Read(msgspec.Struct, frozen=True):
    """Ask the store; `quick` reads touch a few rows and are not worth a thread."""

    answer: Callable[[Tracking], bytes]
    quick: bool = False


Plan = Write | Read


class Fresh(msgspec.Struct, frozen=True):
    """Where new ids and names come from."""

    run_id: Callable[[], str]
    run_name: Callable[[], str]


class Operation(msgspec.Struct, frozen=True):
    """A route: what it takes, and what it comes to, and who may; `shortcut` reads the commonest bodies without the long way round."""

    takes: Any
    plan: Callable[[dict[str, Any], Fresh], Plan]
    permission: Permission
    shortcut: Callable[[bytes, Fresh], Plan | None] | None = None
