"""ADWIN's exponential histogram in a flat array, and its loop over values.

Layout of `state`: ticks, width, total, sum of squared deviations, rows; then ROWS bucket counts; then ROWS x (buckets + 1)
totals; then as many sums of squared deviations. Row r holds buckets of 2**r values, oldest first.
"""

import math

import numpy as np
import numpy.typing as npt
from numba import njit

from kedge.drift.kernels.layout import ADWIN_HEAD as HEAD
from kedge.drift.kernels.layout import ADWIN_ROWS as ROWS
from kedge.drift.kernels.layout import DRIFT, QUIET

_ROUNDING = 1e-15
"""Relative to its parts, more than a difference of two products can be wrong by."""

_A_LITTLE_LESS = 1.0 - 1e-12
"""More than the rounding of a few products."""


@njit(cache=True, nogil=True, error_model="numpy")
def _insert(state: npt.NDArray[np.float64], x: float, slots: int) -> None:
    """Add one value as the newest bucket and merge full rows into the next."""
    width = state[1] + 1.0
    if width > 1.0:
        state[3] += (width - 1.0) * (x - state[2] / (width - 1.0)) ** 2 / width
    state[1] = width
    state[2] += x
    totals = HEAD + ROWS
    apart = ROWS * slots  # of a bucket's total and its sum of squared deviations
    # Divisions by `size`, a power of two, are products with its inverse, which is exact too.
    total, spread, size, inverse = x, 0.0, 1.0, 1.0
    for row in range(ROWS):
        count = int(state[HEAD + row])
        bucket = totals + row * slots
        state[bucket + count] = total
        state[bucket + count + apart] = spread
        count += 1
        if count < slots or row == ROWS - 1:
            state[HEAD + row] = count
            state[4] = max(state[4], row + 1.0)
            return
        first, second = state[bucket], state[bucket + 1]
        total = first + second
        gap = first * inverse - second * inverse
        spread = (
            state[bucket + apart] + state[bucket + 1 + apart] + size * size * (gap * gap) * (0.5 * inverse)
        )
        for k in range(np.uintp(bucket), np.uintp(bucket + count - 2)):
            state[k] = state[k + 2]
            state[k + apart] = state[k + 2 + apart]
        state[HEAD + row] = count - 2.0
        size += size
        inverse *= 0.5


@njit(cache=True, nogil=True, error_model="numpy")
def _drop_oldest(state: npt.NDArray[np.float64], slots: int) -> None:
    """Remove the oldest bucket."""
    row = int(state[4]) - 1
    totals = HEAD + ROWS + row * slots
    spreads = HEAD + ROWS + ROWS * slots + row * slots
    size = 2.0**row
    total, spread = state[totals], state[spreads]
    state[1] -= size
    state[2] -= total
    if state[1] > 0:
        gap = total / size - state[2] / state[1]
        state[3] -= spread + size * state[1] * gap * gap / (size + state[1])
    count = int(state[HEAD + row])
    for k in range(1, count):
        state[totals + k - 1] = state[totals + k]
        state[spreads + k - 1] = state[spreads + k]
    state[HEAD + row] = count - 1.0
    while state[4] > 0 and state[HEAD + int(state[4]) - 1] == 0:
        state[4] -= 1.0


@njit(cache=True, nogil=True, error_model="numpy")
def _sum_anew(state: npt.NDArray[np.float64], slots: int) -> None:
    """Total and spread of the window from its buckets: what large values that have left took of their digits comes back."""
    width, total, spread = 0.0, 0.0, 0.0
    for row in range(int(state[4]) - 1, -1, -1):
        size = 2.0**row
        first = HEAD + ROWS + row * slots
        for k in range(int(state[HEAD + row])):
            bucket = state[first + k]
            spread += state[first + k + ROWS * slots]
            if width > 0:
                gap = bucket / size - total / width
                spread += size * width * gap * gap / (size + width)
            width += size
            total += bucket
    state[2], state[3] = total, spread


@njit(cache=True, nogil=True, error_model="numpy")
def _cut_found(state: npt.NDArray[np.float64], slots: int, delta: float, shortest: int) -> bool:
    """Whether some split into an older and a newer part has means further apart than the bound allows."""
    width, total = state[1], state[2]
    # Once large values have left, rounding can leave a sum of squares below zero: its root would silence the detector.
    spread = max(state[3], 0.0) / width
    log_term = math.log(2.0 * math.log(width) / delta)
    excess = shortest - 1.0
    # A cut needs |mean - mean| > sqrt(2 m spread log_term) + ..., with m = (a + b) / (a b); without divisions and the root,
    # and a little less, so that only what may be a cut is computed as it is written.
    least = 2.0 * spread * log_term * (width - 2.0 * excess) * _A_LITTLE_LESS
    older, older_total = 0.0, 0.0
    for row in range(int(state[4]) - 1, -1, -1):
        count = int(state[HEAD + row])
        size = 2.0**row
        first = HEAD + ROWS + row * slots
        for k in range(count):
            if row == 0 and k == count - 1:
                return False
            older += size
            older_total += state[first + k]
            newer = width - older
            if older < shortest or newer < shortest:
                continue
            one, other = older_total * newer, (total - older_total) * older
            apart = abs(one - other) + _ROUNDING * (abs(one) + abs(other))
            both = older * newer
            if apart * apart * ((older - excess) * (newer - excess)) < least * (both * both):
                continue
            m = 1.0 / (older - shortest + 1.0) + 1.0 / (newer - shortest + 1.0)
            bound = math.sqrt(2.0 * m * spread * log_term) + 2.0 / 3.0 * log_term * m
            if abs(older_total / older - (total - older_total) / newer) > bound:
                return True
    return False


@njit(cache=True, nogil=True, error_model="numpy")
def adwin(
    state: npt.NDArray[np.float64],
    xs: npt.NDArray[np.float64],
    flags: npt.NDArray[np.int8],
    statistics: npt.NDArray[np.float64],
    slots: int,
    delta: float,
    clock: int,
    shortest: int,
    grace: int,
    keep_recent: bool,
) -> None:
    """For each x: insert it, and at every `clock`-th look for cuts, dropping the oldest bucket while there is one."""
    for i in range(xs.size):
        state[0] += 1.0
        _insert(state, xs[i], slots)
        found = False
        if state[0] % clock == 0 and state[1] > grace:
            while state[1] > 1 and _cut_found(state, slots, delta, shortest):
                found = True
                _drop_oldest(state, slots)
            if found and keep_recent:
                _sum_anew(state, slots)
        statistics[i] = state[2] / state[1]
        flags[i] = DRIFT if found else QUIET
        if found and not keep_recent:
            state[:] = 0.0
