"""Tracing: while a pipeline function runs, calling a step adds a node and returns a handle instead of a value."""

import collections
import contextlib
import contextvars
import dataclasses
import inspect
from collections.abc import Callable, Iterator
from typing import Any

from kedge.core.errors import Invalid


@dataclasses.dataclass(frozen=True)
class Options:
    """How a step is run."""

    cache: bool = False
    retries: int = 0
    timeout_s: float | None = None


@dataclasses.dataclass(frozen=True)
class Handle:
    """Stands for the value that a step will have given; it can be passed on, but not looked into."""

    node: str

    def _not_yet(self, *_: Any) -> Any:
        raise Invalid(
            f"the pipeline looks into the output of step {self.node!r}, which does not exist while the graph is drawn",
            hint="do it inside a step: pass the whole output to it",
        )

    def __eq__(self, other: object) -> bool:
        # Else `if status == "ok":` in a pipeline would take the wrong branch without a word.
        return self.node == other.node if isinstance(other, Handle) else bool(self._not_yet())

    def __hash__(self) -> int:
        return hash(self.node)

    __iter__ = __getitem__ = __bool__ = __len__ = __format__ = __float__ = __int__ = __contains__ = _not_yet


@dataclasses.dataclass(frozen=True)
class Node:
    """A call of a step inside a pipeline."""

    name: str
    index: int
    function: Callable[..., Any]
    options: Options
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    depends_on: tuple[str, ...]


@dataclasses.dataclass
class Graph:
    """The calls of one tracing, in order; a call can depend on earlier ones only, so there are no circles."""

    nodes: dict[str, Node] = dataclasses.field(default_factory=dict)
    result: Any = None
    calls: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)

    def call(
        self, function: Callable[..., Any], options: Options, args: Any, kwargs: Any, after: Any = ()
    ) -> Handle:
        """Add a node; repeated calls of one function are numbered."""
        base = function.__name__
        self.calls[base] += 1
        name = base if self.calls[base] == 1 else f"{base}-{self.calls[base]}"
        try:
            inspect.signature(function).bind(*args, **kwargs)
        except TypeError as error:
            raise Invalid(f"step {name!r}: {error}") from error
        depends_on = tuple(dict.fromkeys(handle.node for handle in handles((args, kwargs, tuple(after)))))
        for other in depends_on:
            if other not in self.nodes:
                raise Invalid(f"step {name!r} was given a handle of another run ({other!r})")
        try:
            filled((args, kwargs), lambda _: None)
        except Invalid as error:
            raise Invalid(f"step {name!r}: {error.message}", hint=error.hint) from error
        self.nodes[name] = Node(name, len(self.nodes), function, options, args, kwargs, depends_on)
        return Handle(name)


_tracing: contextvars.ContextVar[Graph | None] = contextvars.ContextVar("kedge_graph", default=None)


def current() -> Graph | None:
    """The graph being traced."""
    return _tracing.get()


@contextlib.contextmanager
def tracing(graph: Graph) -> Iterator[None]:
    """Collect the calls of steps in `graph` while the block runs."""
    token = _tracing.set(graph)
    try:
        yield
    finally:
        _tracing.reset(token)


def handles(value: Any) -> Iterator[Handle]:
    """Every handle inside lists, tuples, sets and dicts."""
    if isinstance(value, Handle):
        yield value
    elif isinstance(value, list | tuple | set | frozenset):
        for each in value:
            yield from handles(each)
    elif isinstance(value, dict):
        for each in value.values():
            yield from handles(each)


def filled(value: Any, get: Callable[[str], Any]) -> Any:
    """`value` with every handle replaced by what `get` gives for its node."""
    if isinstance(value, Handle):
        return get(value.node)
    if isinstance(value, tuple) and hasattr(value, "_make"):  # a named one keeps its names
        return value._make(filled(each, get) for each in value)
    if type(value) in (list, tuple, set, frozenset):
        return type(value)(filled(each, get) for each in value)
    if type(value) is dict:
        return {key: filled(each, get) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset | dict) and next(handles(value), None) is not None:
        raise Invalid(
            f"an output of a step cannot be passed inside a {type(value).__name__}", hint="use a plain one"
        )
    return value
