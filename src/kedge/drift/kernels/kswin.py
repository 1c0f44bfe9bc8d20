"""KSWIN over an array, with the draws of Python's `random.Random.sample`, so that its alarms can be compared with River's."""

import math

import numpy as np
import numpy.typing as npt
from numba import njit

from kedge.drift.kernels.layout import DRIFT, KSWIN_HEAD, TWISTER

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.int8]

_UPPER, _LOWER, _MATRIX, _SHIFT = 0x80000000, 0x7FFFFFFF, 0x9908B0DF, 397


@njit(cache=True, nogil=True)
def _next_word(twister: npt.NDArray[np.uint32], place: int) -> tuple[int, int]:
    """A 32-bit word of the Mersenne twister MT19937 (Matsumoto and Nishimura 1998), and the next place in its state."""
    size = twister.size
    if place >= size:
        for k in range(size):
            y = (int(twister[k]) & _UPPER) | (int(twister[(k + 1) % size]) & _LOWER)
            twister[k] = int(twister[(k + _SHIFT) % size]) ^ (y >> 1) ^ (_MATRIX if y & 1 else 0)
        place = 0
    y = int(twister[place])
    y ^= y >> 11
    y ^= (y << 7) & 0x9D2C5680
    y ^= (y << 15) & 0xEFC60000
    y ^= y >> 18
    return y & 0xFFFFFFFF, place + 1


@njit(cache=True, nogil=True)
def _below(twister: npt.NDArray[np.uint32], place: int, n: int) -> tuple[int, int]:
    """A whole number below n, by rejection, as `random.Random._randbelow`."""
    bits = 0
    while n >> bits:
        bits += 1
    word, place = _next_word(twister, place)
    drawn = word >> (32 - bits)
    while drawn >= n:
        word, place = _next_word(twister, place)
        drawn = word >> (32 - bits)
    return drawn, place


@njit(cache=True, nogil=True)
def _sample(
    twister: npt.NDArray[np.uint32],
    place: int,
    n: int,
    pool: npt.NDArray[np.int64],
    chosen: npt.NDArray[np.int64],
) -> int:
    """Different whole numbers below n into `chosen`, as `random.Random.sample(range(n), len(chosen))` draws them."""
    k = chosen.size
    crowd = 21
    if k > 5:
        crowd += int(4 ** math.ceil(math.log(k * 3) / math.log(4.0)))
    if n <= crowd:
        for j in range(n):
            pool[j] = j
        for i in range(k):
            j, place = _below(twister, place, n - i)
            chosen[i] = pool[j]
            pool[j] = pool[n - i - 1]
        return place
    for i in range(k):
        again = True
        while again:
            j, place = _below(twister, place, n)
            again = False
            for earlier in range(i):
                if chosen[earlier] == j:
                    again = True
                    break
        chosen[i] = j
    return place


@njit(cache=True, nogil=True)
def _greatest_gap(one: Floats, two: Floats) -> int:
    """How far the numbers of values up to a point differ at most; both sorted, equally long."""
    size, i, j, most = one.size, 0, 0, 0
    while i < size and j < size:
        x = min(one[i], two[j])
        while i < size and one[i] == x:
            i += 1
        while j < size and two[j] == x:
            j += 1
        most = max(most, abs(i - j))
    return most


@njit(cache=True, nogil=True)
def run(
    state: Floats,
    xs: Floats,
    flags: Flags,
    statistics: Floats,
    window: int,
    recent: int,
    gap: int,
    fresh: Floats,
    keeps: bool,
) -> None:
    """The last `recent` values of a window against as many drawn from the others; a change where their distributions lie
    `gap` counts apart. `state` is (values in the window, place of the oldest, place in the twister), the window as a ring,
    the twister; with `keeps` the last values stay after a change, else the window empties and the twister is `fresh`."""
    ring = state[KSWIN_HEAD : KSWIN_HEAD + window]
    twister = np.empty(TWISTER, np.uint32)
    for k in range(TWISTER):
        twister[k] = np.uint32(state[KSWIN_HEAD + window + k])
    held, oldest, place = int(state[0]), int(state[1]), int(state[2])
    pool, chosen = np.empty(window, np.int64), np.empty(recent, np.int64)
    one, two = np.empty(recent), np.empty(recent)
    for i in range(xs.size):
        if held == window:
            ring[oldest] = xs[i]
            oldest = (oldest + 1) % window
        else:
            ring[(oldest + held) % window] = xs[i]
            held += 1
        statistics[i] = 0.0
        if held < window:
            continue
        place = _sample(twister, place, window - recent, pool, chosen)
        for k in range(recent):
            one[k] = ring[(oldest + chosen[k]) % window]
            two[k] = ring[(oldest + window - recent + k) % window]
        one.sort()
        two.sort()
        found = _greatest_gap(one, two)
        statistics[i] = found / recent
        if found >= gap:
            flags[i] = DRIFT
            if keeps:
                oldest, held = (oldest + window - recent) % window, recent
            else:
                oldest, held, place = 0, 0, TWISTER
                for k in range(TWISTER):
                    twister[k] = np.uint32(fresh[k])
    state[0], state[1], state[2] = held, oldest, place
    for k in range(TWISTER):
        state[KSWIN_HEAD + window + k] = twister[k]
