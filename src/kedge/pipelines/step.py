"""`@kedge.step`: a plain function that a pipeline may call."""

import functools
from collections.abc import Callable
from typing import Any, Generic, ParamSpec, TypeVar, overload

from kedge.core.errors import Invalid
from kedge.pipelines.graph import Options, current

P = ParamSpec("P")
R = TypeVar("R")


class Step(Generic[P, R]):
    """A function with options. Inside a pipeline a call returns a handle; elsewhere it just runs."""

    def __init__(self, function: Callable[P, R], options: Options) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self.options = options

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        graph = current()
        if graph is None:
            return self.function(*args, **kwargs)
        handle: Any = graph.call(self.function, self.options, args, kwargs)
        return handle  # type: ignore[no-any-return]

    def after(self, *handles: Any) -> Callable[P, R]:
        """The step, called so that it also waits for `handles` without taking their values."""

        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            graph = current()
            if graph is None:
                return self.function(*args, **kwargs)
            handle: Any = graph.call(self.function, self.options, args, kwargs, handles)
            return handle  # type: ignore[no-any-return]

        return call


@overload
def step(function: Callable[P, R], /) -> Step[P, R]: ...
@overload
def step(
    *, cache: bool = False, retries: int = 0, timeout_s: float | None = None
) -> Callable[[Callable[P, R]], Step[P, R]]: ...
def step(
    function: Callable[..., Any] | None = None,
    /,
    *,
    cache: bool = False,
    retries: int = 0,
    timeout_s: float | None = None,
) -> Any:
    """Make a function a step.

    Parameters
    ----------
    cache : bool, default False
        Take the stored output when the code of the step, the helpers that it calls and its inputs are as before. For steps
        whose result depends on nothing else: one that reads a dataset should take the version as an argument.
    retries : int >= 0, default 0
        How often to try again after a failure.
    timeout_s : float > 0, optional
        Seconds after which the step is stopped and has failed.

    Examples
    --------
    >>> @step(cache=True)
    ... def double(x: int) -> int:
    ...     return 2 * x
    >>> double(4)
    8
    """
    if isinstance(retries, bool) or not isinstance(retries, int) or retries < 0:
        raise Invalid(f"step(retries={retries!r}): retries must be a whole number, 0 or more")
    if timeout_s is not None and not timeout_s > 0:
        raise Invalid(f"step(timeout_s={timeout_s!r}): timeout_s must be more than 0")
    options = Options(cache=cache, retries=retries, timeout_s=timeout_s)
    if function is not None:
        return Step(function, options)
    return lambda real: Step(real, options)
