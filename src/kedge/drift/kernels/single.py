"""Kernels for one value. They get the address of the room that holds the value, its statistic, its flag, its length, the parameters and the state.

An address, for to take an array costs a call as much as most detectors' arithmetic. What is not a plain value of the detector's is not taken: the answer is `NOT_TAKEN`. Each calls the kernel for arrays, so that values in turn and an array of them cannot give different results.
"""

from typing import Any

import numpy as np
from numba import carray, njit, types
from numba.extending import intrinsic

from kedge.drift.kernels import adwin as of_adwin
from kedge.drift.kernels import change as of_change
from kedge.drift.kernels import concept as of_errors
from kedge.drift.kernels import page_hinkley as of_page_hinkley
from kedge.drift.kernels import recent as of_recent
from kedge.drift.kernels.layout import LARGEST, NOT_TAKEN, QUIET, ROOM_HEAD

_WORD = 8


@njit(cache=True, inline="always")
def _is_number(x: float) -> bool:
    return -LARGEST <= x <= LARGEST


@njit(cache=True, inline="always")
def _is_error(x: float) -> bool:
    return x in (0.0, 1.0)


@intrinsic
def _at(_: Any, address: Any) -> Any:
    """The pointer that an integer is."""

    def made(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))

    return types.voidptr(address), made


@njit(cache=True, inline="always")
def _floats(address: int, n: int) -> Any:
    return carray(_at(address), n, np.float64)


@njit(cache=True, inline="always")
def _parts(address: int, x: float) -> Any:
    """The room's head, and of it the state, the value, the flag and the statistic as a kernel for arrays takes them."""
    room = _floats(address, ROOM_HEAD)
    room[0] = x
    flags = carray(_at(address + 2 * _WORD), 1, np.int8)
    flags[0] = QUIET
    state = _floats(address + ROOM_HEAD * _WORD, int(room[3]))
    return room, state, _floats(address, 1), flags, _floats(address + _WORD, 1)


@njit(cache=True, error_model="numpy")
def adwin(address: int, x: float) -> int:
    """Parameters are slots, delta, clock, shortest, grace, keep_recent."""
    if not _is_number(x):
        return NOT_TAKEN
    room, state, xs, flags, statistics = _parts(address, x)
    of_adwin.adwin(
        state,
        xs,
        flags,
        statistics,
        int(room[4]),
        room[5],
        int(room[6]),
        int(room[7]),
        int(room[8]),
        room[9] != 0.0,
    )
    return int(flags[0])


@njit(cache=True, error_model="numpy")
def cusum(address: int, x: float) -> int:
    """Parameters are minimum, delta, threshold, mode."""
    if not _is_number(x):
        return NOT_TAKEN
    room, state, xs, flags, statistics = _parts(address, x)
    of_change.cusum(state, xs, flags, statistics, int(room[4]), room[5], room[6], int(room[7]))
    return int(flags[0])


@njit(cache=True, error_model="numpy")
def standardised_cusum(address: int, x: float) -> int:
    """Parameters are minimum, delta, threshold, mode."""
    if not _is_number(x):
        return NOT_TAKEN
    room, state, xs, flags, statistics = _parts(address, x)
    of_change.standardised_cusum(state, xs, flags, statistics, int(room[4]), room[5], room[6], int(room[7]))
    return int(flags[0])


@njit(cache=True, error_model="numpy")
def geometric(address: int, x: float) -> int:
    """Parameters are minimum, alpha, threshold, mode."""
    if not _is_number(x):
        return NOT_TAKEN
    room, state, xs, flags, statistics = _parts(address, x)
    of_change.geometric(state, xs, flags, statistics, int(room[4]), room[5], room[6], int(room[7]))
    return int(flags[0])


@njit(cache=True, error_model="numpy")
def ddm(address: int, x: float) -> int:
    """Parameters are minimum, warn, drift."""
    if not _is_error(x):
        return NOT_TAKEN
    room, state, xs, flags, statistics = _parts(address, x)
    of_errors.ddm(state, xs, flags, statistics, int(room[4]), room[5], room[6])
    return int(flags[0])


@njit(cache=True, error_model="numpy")
def eddm(address: int, x: float) -> int:
    """Parameters are minimum, warn, drift."""
    if not _is_error(x):
        return NOT_TAKEN
    room, state, xs, flags, statistics = _parts(address, x)
    of_errors.eddm(state, xs, flags, statistics, int(room[4]), room[5], room[6])
    return int(flags[0])


@njit(cache=True, error_model="numpy")
def hddm_a(address: int, x: float) -> int:
    """Parameters are drift, warn, mode."""
    if not _is_error(x):
        return NOT_TAKEN
    room, state, xs, flags, statistics = _parts(address, x)
    of_errors.hddm_a(state, xs, flags, statistics, room[4], room[5], int(room[6]))
    return int(flags[0])


@njit(cache=True, error_model="numpy")
def hddm_w(address: int, x: float) -> int:
    """Parameters are drift, warn, weight, mode."""
    if not _is_error(x):
        return NOT_TAKEN
    room, state, xs, flags, statistics = _parts(address, x)
    of_errors.hddm_w(state, xs, flags, statistics, room[4], room[5], room[6], int(room[7]))
    return int(flags[0])


@njit(cache=True, error_model="numpy")
def fhddm(address: int, x: float) -> int:
    """Parameters are window, short, bound, short_bound."""
    if not _is_error(x):
        return NOT_TAKEN
    room, state, xs, flags, statistics = _parts(address, x)
    of_errors.fhddm(state, xs, flags, statistics, int(room[4]), int(room[5]), room[6], room[7])
    return int(flags[0])


@njit(cache=True, error_model="numpy")
def page_hinkley(address: int, x: float) -> int:
    """Parameters are minimum, delta, threshold, alpha, mode."""
    if not _is_number(x):
        return NOT_TAKEN
    room, state, xs, flags, statistics = _parts(address, x)
    of_page_hinkley.page_hinkley(
        state, xs, flags, statistics, int(room[4]), room[5], room[6], room[7], int(room[8])
    )
    return int(flags[0])


@njit(cache=True, error_model="numpy")
def rddm(address: int, x: float) -> int:
    """Parameters are minimum, warn, drift, longest, most_warnings."""
    if not _is_error(x):
        return NOT_TAKEN
    room, state, xs, flags, statistics = _parts(address, x)
    of_recent.rddm(state, xs, flags, statistics, int(room[4]), room[5], room[6], int(room[7]), int(room[8]))
    return int(flags[0])


@njit(cache=True, error_model="numpy")
def ecdd(address: int, x: float) -> int:
    """Parameters are minimum, weight, share."""
    if not _is_error(x):
        return NOT_TAKEN
    room, state, xs, flags, statistics = _parts(address, x)
    of_recent.ecdd(state, xs, flags, statistics, int(room[4]), room[5], room[6])
    return int(flags[0])


@njit(cache=True, error_model="numpy")
def stepd(address: int, x: float) -> int:
    """Parameters are warn, drift."""
    if not _is_error(x):
        return NOT_TAKEN
    room, state, xs, flags, statistics = _parts(address, x)
    of_recent.stepd(state, xs, flags, statistics, room[4], room[5])
    return int(flags[0])
