"""Kernels for one value. Their only array is the room that holds the value, its statistic, its flag, the parameters and the state.

What is not a plain value of the detector's is not taken: the answer is `NOT_TAKEN`. Each calls the kernel for arrays, so that values in turn and an array of them cannot give different results.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from kedge.drift.kernels import adwin as of_adwin
from kedge.drift.kernels import change as of_change
from kedge.drift.kernels import concept as of_errors
from kedge.drift.kernels import page_hinkley as of_page_hinkley
from kedge.drift.kernels import recent as of_recent
from kedge.drift.kernels.layout import LARGEST, NOT_TAKEN, QUIET, ROOM_HEAD

Floats = npt.NDArray[np.float64]


@njit(cache=True, nogil=True, inline="always")
def _is_number(x: float) -> bool:
    return -LARGEST <= x <= LARGEST


@njit(cache=True, nogil=True, inline="always")
def _is_error(x: float) -> bool:
    return x in (0.0, 1.0)


@njit(cache=True, nogil=True, inline="always")
def _parts(room: Floats, x: float) -> Any:
    room[0] = x
    flags = room[2:3].view(np.int8)
    flags[0] = QUIET
    return room[ROOM_HEAD:], room[0:1], flags[:1], room[1:2]


@njit(cache=True, nogil=True, error_model="numpy")
def adwin(room: Floats, x: float) -> int:
    """Parameters are slots, delta, clock, shortest, grace, keep_recent."""
    if not _is_number(x):
        return NOT_TAKEN
    state, xs, flags, statistics = _parts(room, x)
    of_adwin.adwin(
        state,
        xs,
        flags,
        statistics,
        int(room[3]),
        room[4],
        int(room[5]),
        int(room[6]),
        int(room[7]),
        room[8] != 0.0,
    )
    return int(flags[0])


@njit(cache=True, nogil=True, error_model="numpy")
def cusum(room: Floats, x: float) -> int:
    """Parameters are minimum, delta, threshold, mode."""
    if not _is_number(x):
        return NOT_TAKEN
    state, xs, flags, statistics = _parts(room, x)
    of_change.cusum(state, xs, flags, statistics, int(room[3]), room[4], room[5], int(room[6]))
    return int(flags[0])


@njit(cache=True, nogil=True, error_model="numpy")
def standardised_cusum(room: Floats, x: float) -> int:
    """Parameters are minimum, delta, threshold, mode."""
    if not _is_number(x):
        return NOT_TAKEN
    state, xs, flags, statistics = _parts(room, x)
    of_change.standardised_cusum(state, xs, flags, statistics, int(room[3]), room[4], room[5], int(room[6]))
    return int(flags[0])


@njit(cache=True, nogil=True, error_model="numpy")
def geometric(room: Floats, x: float) -> int:
    """Parameters are minimum, alpha, threshold, mode."""
    if not _is_number(x):
        return NOT_TAKEN
    state, xs, flags, statistics = _parts(room, x)
    of_change.geometric(state, xs, flags, statistics, int(room[3]), room[4], room[5], int(room[6]))
    return int(flags[0])


@njit(cache=True, nogil=True, error_model="numpy")
def ddm(room: Floats, x: float) -> int:
    """Parameters are minimum, warn, drift."""
    if not _is_error(x):
        return NOT_TAKEN
    state, xs, flags, statistics = _parts(room, x)
    of_errors.ddm(state, xs, flags, statistics, int(room[3]), room[4], room[5])
    return int(flags[0])


@njit(cache=True, nogil=True, error_model="numpy")
def eddm(room: Floats, x: float) -> int:
    """Parameters are minimum, warn, drift."""
    if not _is_error(x):
        return NOT_TAKEN
    state, xs, flags, statistics = _parts(room, x)
    of_errors.eddm(state, xs, flags, statistics, int(room[3]), room[4], room[5])
    return int(flags[0])


@njit(cache=True, nogil=True, error_model="numpy")
def hddm_a(room: Floats, x: float) -> int:
    """Parameters are drift, warn, mode."""
    if not _is_error(x):
        return NOT_TAKEN
    state, xs, flags, statistics = _parts(room, x)
    of_errors.hddm_a(state, xs, flags, statistics, room[3], room[4], int(room[5]))
    return int(flags[0])


@njit(cache=True, nogil=True, error_model="numpy")
def hddm_w(room: Floats, x: float) -> int:
    """Parameters are drift, warn, weight, mode."""
    if not _is_error(x):
        return NOT_TAKEN
    state, xs, flags, statistics = _parts(room, x)
    of_errors.hddm_w(state, xs, flags, statistics, room[3], room[4], room[5], int(room[6]))
    return int(flags[0])


@njit(cache=True, nogil=True, error_model="numpy")
def fhddm(room: Floats, x: float) -> int:
    """Parameters are window, short, bound, short_bound."""
    if not _is_error(x):
        return NOT_TAKEN
    state, xs, flags, statistics = _parts(room, x)
    of_errors.fhddm(state, xs, flags, statistics, int(room[3]), int(room[4]), room[5], room[6])
    return int(flags[0])


@njit(cache=True, nogil=True, error_model="numpy")
def page_hinkley(room: Floats, x: float) -> int:
    """Parameters are minimum, delta, threshold, alpha, mode."""
    if not _is_number(x):
        return NOT_TAKEN
    state, xs, flags, statistics = _parts(room, x)
    of_page_hinkley.page_hinkley(
        state, xs, flags, statistics, int(room[3]), room[4], room[5], room[6], int(room[7])
    )
    return int(flags[0])


@njit(cache=True, nogil=True, error_model="numpy")
def rddm(room: Floats, x: float) -> int:
    """Parameters are minimum, warn, drift, longest, most_warnings."""
    if not _is_error(x):
        return NOT_TAKEN
    state, xs, flags, statistics = _parts(room, x)
    of_recent.rddm(state, xs, flags, statistics, int(room[3]), room[4], room[5], int(room[6]), int(room[7]))
    return int(flags[0])


@njit(cache=True, nogil=True, error_model="numpy")
def ecdd(room: Floats, x: float) -> int:
    """Parameters are minimum, weight, share."""
    if not _is_error(x):
        return NOT_TAKEN
    state, xs, flags, statistics = _parts(room, x)
    of_recent.ecdd(state, xs, flags, statistics, int(room[3]), room[4], room[5])
    return int(flags[0])


@njit(cache=True, nogil=True, error_model="numpy")
def stepd(room: Floats, x: float) -> int:
    """Parameters are warn, drift."""
    if not _is_error(x):
        return NOT_TAKEN
    state, xs, flags, statistics = _parts(room, x)
    of_recent.stepd(state, xs, flags, statistics, room[3], room[4])
    return int(flags[0])
