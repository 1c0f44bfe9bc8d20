"""Linear four rates over an array of outcomes, and the table of bounds that it looks up."""

import math

import numpy as np
import numpy.typing as npt
from numba import njit

from kedge.drift.kernels.layout import DRIFT, WARNING

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.int8]
Counts = npt.NDArray[np.int64]

_NEGLIGIBLE = 1e-18


@njit(cache=True, nogil=True, error_model="numpy")
def _advance(mass: Floats, top: int, shift: float, p: float) -> int:
    """Add an independent weight of `shift` steps, taken with chance p, to a variable on a lattice; its new highest place.

    A weight between two places of the lattice is split over both so that the mean is kept.
    """
    whole = int(shift)
    part = shift - whole
    reach = min(top + whole + 1, mass.size - 1)
    for k in range(reach, -1, -1):
        moved = 0.0
        if k - whole >= 0:
            moved = (1.0 - part) * mass[k - whole]
        if k - whole - 1 >= 0:
            moved += part * mass[k - whole - 1]
        kept = (1.0 - p) * mass[k] + p * moved
        mass[k] = kept if kept > _NEGLIGIBLE else 0.0
    return reach


@njit(cache=True, nogil=True, error_model="numpy")
def bounds(levels: Floats, sizes: Counts, chances: Floats, decay: float, step: float) -> Floats:
    """Quantiles of decay^n / 2 + (1 - decay) sum_i decay^(n - i) I_i, where I_i are 1 with chance p.

    Of shape (chances, sizes, levels, 2): below the first and above the second lies at most `level` of the distribution. They
    are shares of the range from the least to the greatest value that n weights can give.
    """
    places = math.ceil(1.0 / step) + 3
    found = np.empty((chances.size, sizes.size, levels.size, 2))
    for row in range(chances.size):
        mass = np.zeros(places)
        mass[0] = 1.0
        top, taken, weight = 0, 0, 1.0 - decay
        for column in range(sizes.size):
            while taken < sizes[column]:
                top = _advance(mass, top, weight / step, chances[row])
                weight *= decay
                taken += 1
            reach = (1.0 - weight / (1.0 - decay)) / step
            for which in range(levels.size):  # a place further out, for what was split and for rounding
                found[row, column, which, 0] = (_from_below(mass, top, levels[which]) - 1) / reach
                found[row, column, which, 1] = (_from_above(mass, top, levels[which]) + 1) / reach
    return found


@njit(cache=True, nogil=True)
def _from_below(mass: Floats, top: int, level: float) -> int:
    below = 0.0
    for k in range(top + 1):
        below += mass[k]
        if below > level:
            return k
    return top


@njit(cache=True, nogil=True)
def _from_above(mass: Floats, top: int, level: float) -> int:
    above = 0.0
    for k in range(top, -1, -1):
        above += mass[k]
        if above > level:
            return k
    return 0


@njit(cache=True, nogil=True, error_model="numpy")
def _bound(table: Floats, place: Floats, decay: float, n: int, p: float, which: int, side: int) -> float:
    """The bound for n values of chance p, linear between those of the table. Chances above a half are mirrored."""
    mirrored = p > 0.5
    at = math.sqrt(2.0 * (1.0 - p if mirrored else p)) * (table.shape[0] - 1)
    row = min(int(at), table.shape[0] - 2)
    at -= row
    along = place[min(n, place.size - 1)]
    column = min(int(along), table.shape[1] - 2)
    along -= column
    taken = 1 - side if mirrored else side
    near = (1.0 - along) * table[row, column, which, taken] + along * table[row, column + 1, which, taken]
    far = (1.0 - along) * table[row + 1, column, which, taken] + along * table[
        row + 1, column + 1, which, taken
    ]
    share = (1.0 - at) * near + at * far
    start = 0.5 * decay**n
    value: float = start + (1.0 - 2.0 * start) * (1.0 - share if mirrored else share)
    return value


@njit(cache=True, nogil=True, error_model="numpy")
def _excess(table: Floats, place: Floats, decay: float, n: int, p: float, rate: float, which: int) -> float:
    """The rate's distance from p as a share of the bound's: above 1 it lies outside."""
    if rate > p:
        bound = _bound(table, place, decay, n, p, which, 1)
        return (rate - p) / (bound - p) if bound > p else 0.0
    bound = _bound(table, place, decay, n, p, which, 0)
    return (p - rate) / (p - bound) if bound < p else 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def _clear(state: Floats) -> None:
    state[:] = 0.0
    state[9:13] = 0.5


@njit(cache=True, nogil=True, error_model="numpy")
def run(
    state: Floats,
    xs: Floats,
    flags: Flags,
    statistics: Floats,
    table: Floats,
    place: Floats,
    decay: float,
    burn_in: int,
) -> None:
    """`state` is (n; of four rates: how many values, how many right, the decayed rates, their excess over the warning's and
    over the drift's bounds). A value is twice the true class plus the predicted one."""
    for i in range(xs.size):
        outcome = int(xs[i])
        truth, said = outcome >> 1, outcome & 1
        right = 1.0 if truth == said else 0.0
        state[0] += 1.0
        for rate in (1 - truth, 3 - said):  # TPR or TNR, PPV or NPV
            state[1 + rate] += 1.0
            state[5 + rate] += right
            state[9 + rate] = decay * state[9 + rate] + (1.0 - decay) * right
            n = int(state[1 + rate])
            p = (state[5 + rate] + 1.0) / (n + 2.0)
            for which in range(2):
                state[13 + 4 * which + rate] = _excess(table, place, decay, n, p, state[9 + rate], which)
        statistics[i] = state[17:21].max()
        if state[0] <= burn_in:
            continue
        if statistics[i] > 1.0:
            flags[i] = DRIFT
            _clear(state)
        elif state[13:17].max() > 1.0:
            flags[i] = WARNING
