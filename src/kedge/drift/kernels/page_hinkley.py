"""Page-Hinkley over an array."""

import numpy as np
import numpy.typing as npt
from numba import njit

from kedge.drift.kernels.layout import DRIFT


@njit(cache=True, nogil=True, error_model="numpy")
def page_hinkley(
    state: npt.NDArray[np.float64],
    xs: npt.NDArray[np.float64],
    flags: npt.NDArray[np.int8],
    statistics: npt.NDArray[np.float64],
    minimum: int,
    delta: float,
    threshold: float,
    alpha: float,
    mode: int,
) -> None:
    """For each x: update the mean, the two cumulative sums and their extremes; a change where a sum leaves its extreme
    by more than the threshold. `state` is (n, mean, sum up, minimum, sum down, maximum); `mode` 1 up, -1 down, 0 both."""
    n, mean, up, lowest, down, highest = state
    for i in range(xs.size):
        x = xs[i]
        n += 1.0
        mean += (x - mean) / n
        up = alpha * up + (x - mean - delta)
        down = alpha * down + (x - mean + delta)
        lowest = min(lowest, up)
        highest = max(highest, down)
        rise = up - lowest
        fall = highest - down
        statistics[i] = rise if mode == 1 else (fall if mode == -1 else max(rise, fall))
        if n >= minimum and statistics[i] > threshold:
            flags[i] = DRIFT
            n, mean, up, lowest, down, highest = 0.0, 0.0, 0.0, np.inf, 0.0, -np.inf
    state[0], state[1], state[2], state[3], state[4], state[5] = n, mean, up, lowest, down, highest
