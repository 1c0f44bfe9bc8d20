"""What detectors share whose every value goes through one compiled kernel: a call for one value that makes no array."""

import abc
from collections.abc import Callable
from importlib import import_module
from types import MethodType
from typing import Any

import numpy as np

from kedge.drift.kernels.layout import ROOM_HEAD
from kedge.drift.streaming.base import Flags, Floats, State, StreamingDetector
from kedge.drift.streaming.values import as_number

_STATES: tuple[State, State, State] = ("normal", "warning", "drift")


class CompiledDetector(StreamingDetector):
    """Its state lies in `_room`, behind the value, the statistic, the flag and the length of a single update, and the parameters.

    The kernel of one value takes that array's address alone: most of a call goes into what a compiled function is given.
    So the array must stay where it is for as long as `_one` may be called; only `_restore` replaces both.
    """

    _one: Callable[[float], int]

    @abc.abstractmethod
    def _kernel(self) -> tuple[str, str, tuple[Any, ...]]:
        """The module of `kedge.drift.kernels` and the function in it that advances the state, and its parameters."""

    def update(self, x: float) -> State:
        """Take one value and say what it brought: "normal", "warning" or "drift".

        Raises
        ------
        DataError
            `x` is no real number, or NaN or infinite and `missing` is "raise", or larger than 1e150; the state stays as it
            was. None and masked values are missing, as NaN is.
        """
        value = x if type(x) is float else as_number(x, f"{self.spec.name}.update")
        try:
            return _STATES[self._one(value)]
        except IndexError:
            return self._unusual(value)

    def _unusual(self, value: float) -> State:
        """The answer to a value that the kernel has not taken."""
        return super().update(value)

    def _first(self, value: float) -> int:
        """Find the kernel, which brings numba, a second, and hand it the value."""
        from numba import config

        if config.DISABLE_JIT:  # an address means nothing to interpreted code
            return _STATES.index(self._update_row(value))
        _, name, parameters = self._kernel()
        self._room[3] = len(self._state)
        self._room[4 : 4 + len(parameters)] = parameters
        one: Callable[[float], int] = MethodType(
            getattr(import_module("kedge.drift.kernels.single"), name), self._room.ctypes.data
        )
        self._one = one
        return one(value)

    def _run(self, xs: Floats, flags: Flags, statistics: Floats) -> None:
        module, name, parameters = self._kernel()
        kernel = getattr(import_module(f"kedge.drift.kernels.{module}"), name)
        kernel(self._state, xs, flags, statistics, *parameters)

    def _restore(self, state: Floats, statistic: float) -> None:
        self._room = np.concatenate([np.zeros(ROOM_HEAD), state])
        self._state = self._room[ROOM_HEAD:]
        self._one = self._first
        self._statistic = statistic

    @property
    def _statistic(self) -> float:
        return float(self._room[1])

    @_statistic.setter
    def _statistic(self, value: float) -> None:
        self._room[1] = value

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).from_state, (self.state(),)
