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


@njit(cache=True, nogil=True, error_model="numpy")
def _insert(state: npt.NDArray[np.float64], x: float, slots: int) -> None:
    """Add one value as the newest bucket and merge full rows into the next."""
    width = state[1] + 1.0
    if width > 1.0:
        state[3] += (width - 1.0) * (x - state[2] / (width - 1.0)) ** 2 / width
    state[1] = width
    state[2] += x
    totals = HEAD + ROWS
    spreads = totals + ROWS * slots
    total, spread, size = x, 0.0, 1.0
    for row in range(ROWS):
        count = int(state[HEAD + row])
        base = row * slots
        state[totals + base + count] = total
        state[spreads + base + count] = spread
        count += 1
        state[HEAD + row] = count
        state[4] = max(state[4], row + 1.0)
        if count < slots or row == ROWS - 1:
            return
        first, second = state[totals + base], state[totals + base + 1]
        total = first + second
        spread = (
            state[spreads + base]
            + state[spreads + base + 1]
            + size * size * (first / size - second / size) ** 2 / (size + size)
        )
        for k in range(2, count):
            state[totals + base + k - 2] = state[totals + base + k]
            state[spreads + base + k - 2] = state[spreads + base + k]
        state[HEAD + row] = count - 2.0
        size += size


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
def _cut_found(state: npt.NDArray[np.float64], slots: int, delta: float, shortest: int) -> bool:
    """Whether some split into an older and a newer part has means further apart than the bound allows."""
    width, total = state[1], state[2]
    # Once large values have left, rounding can leave a sum of squares below zero: its root would silence the detector.
    spread = max(state[3], 0.0) / width
    log_term = math.log(2.0 * math.log(width) / delta)
    older, older_total = 0.0, 0.0
    for row in range(int(state[4]) - 1, -1, -1):
        count = int(state[HEAD + row])
        size = 2.0**row
        for k in range(count):
            if row == 0 and k == count - 1:
                return False
            older += size
            older_total += state[HEAD + ROWS + row * slots + k]
            newer = width - older
            if older < shortest or newer < shortest:
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
        statistics[i] = state[2] / state[1]
        flags[i] = DRIFT if found else QUIET
        if found and not keep_recent:
            state[:] = 0.0
