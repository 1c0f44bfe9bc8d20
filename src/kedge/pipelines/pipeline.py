"""`@kedge.pipeline`: a function whose calls of steps are the graph."""

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, ParamSpec, TypeVar, overload

from kedge.core.errors import Invalid
from kedge.core.ids import is_name
from kedge.pipelines.graph import Graph, tracing

P = ParamSpec("P")
R = TypeVar("R")


class Pipeline(Generic[P, R]):
    """A traced function. Called directly it runs all steps here and now; `trace` gives its graph."""

    def __init__(self, function: Callable[P, R], name: str) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self.name = name

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.function(*args, **kwargs)

    def trace(self, params: dict[str, Any]) -> Graph:
        """The graph for these parameters. Raises Invalid naming parameters that are missing or unknown."""
        self.check(params)
        graph = Graph()
        with tracing(graph):
            graph.result = self.function(**params)  # type: ignore[call-arg]
        if not graph.nodes:
            raise Invalid(
                f"pipeline {self.name!r} called no step", hint="decorate its functions with @kedge.step"
            )
        return graph

    def check(self, params: dict[str, Any]) -> None:
        """Raise Invalid for parameters that the function does not take, or lacks."""
        signature = inspect.signature(self.function)
        try:
            signature.bind(**params)
        except TypeError as error:
            raise Invalid(f"pipeline {self.name}{signature}: {error}") from error

    def entry(self) -> tuple[str, str]:
        """(entry, project) by which a worker finds this function again."""
        module = inspect.getmodule(self.function)
        file = inspect.getsourcefile(self.function)
        if file is None or "<locals>" in self.function.__qualname__:
            raise Invalid(f"pipeline {self.name!r} must be a top-level function in a file")
        path = Path(file).resolve()
        if module is not None and module.__spec__ is not None and module.__name__ != "__main__":
            depth = module.__name__.count(".") + (1 if path.name == "__init__.py" else 0)
            return f"{module.__name__}:{self.function.__name__}", str(path.parents[depth])
        return f"{path}:{self.function.__name__}", str(path.parent)


@overload
def pipeline(function: Callable[P, R], /) -> Pipeline[P, R]: ...
@overload
def pipeline(*, name: str = "") -> Callable[[Callable[P, R]], Pipeline[P, R]]: ...
def pipeline(function: Callable[..., Any] | None = None, /, *, name: str = "") -> Any:
    """Make a function a pipeline: its calls of steps, and what it passes from one to the other, are the graph.

    Parameters
    ----------
    name : str, optional
        Under which its runs are listed; default the function's name.

    Examples
    --------
    >>> from kedge.pipelines.step import step
    >>> @step
    ... def double(x: int) -> int:
    ...     return 2 * x
    >>> @pipeline
    ... def quadruple(x: int) -> int:
    ...     return double(double(x))
    >>> quadruple(3), list(quadruple.trace({"x": 3}).nodes)
    (12, ['double', 'double-2'])
    """

    def make(real: Callable[..., Any]) -> Pipeline[..., Any]:
        chosen = name or real.__name__
        if not is_name(chosen):
            raise Invalid(f"pipeline name {chosen!r}: letters, digits, '.', '_' and '-', at most 128")
        return Pipeline(real, chosen)

    return make if function is None else make(function)
