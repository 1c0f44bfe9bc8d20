"""What to do next, from the states of the steps alone: no I/O, so that every engine is driven by the same decisions."""

from collections.abc import Mapping, Sequence

import msgspec

from kedge.core.pipelines import StepState

_DONE: frozenset[StepState] = frozenset({"succeeded", "cached"})
_BLOCKING: frozenset[StepState] = frozenset({"failed", "skipped", "cancelled"})


class Decision(msgspec.Struct, frozen=True):
    """Steps to skip, steps that may start now (in order), and whether nothing is left to do."""

    skip: tuple[str, ...]
    start: tuple[str, ...]
    finished: bool


def decide(
    depends_on: Mapping[str, Sequence[str]], states: Mapping[str, StepState], capacity: int
) -> Decision:
    """Skip what stands on a failure, start what has all it needs, at most `capacity` at once.

    Parameters
    ----------
    depends_on : mapping
        Steps in the order of their calls, each with the steps whose outputs it takes.
    states : mapping
        The state of every step.
    capacity : int >= 1
        How many may run at once.
    """
    after = dict(states)
    skip = []
    for name, needs in depends_on.items():
        if after[name] == "pending" and any(after[need] in _BLOCKING for need in needs):
            after[name] = "skipped"
            skip.append(name)
    ready = [
        name
        for name, needs in depends_on.items()
        if after[name] == "pending" and all(after[need] in _DONE for need in needs)
    ]
    running = sum(state == "running" for state in after.values())
    start = tuple(ready[: max(0, capacity - running)])
    finished = not running and not start and not any(state == "pending" for state in after.values())
    return Decision(tuple(skip), start, finished)
