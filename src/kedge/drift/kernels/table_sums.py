"""Statistics of random tables that are sums over the cells, by drawing the values of the smaller sample."""

import numpy as np
import numpy.typing as npt
from numba import njit

from kedge.drift.kernels.ordering import uniform


@njit(cache=True, nogil=True, error_model="numpy")
def drawn_tables(
    categories: npt.NDArray[np.int64],
    starts: npt.NDArray[np.int64],
    gains: npt.NDArray[np.float64],
    size: int,
    seed: int,
    sums: npt.NDArray[np.float64],
) -> None:
    """Into each of `sums` the gains of `size` values, all choices alike.

    `categories` are those of all values and are left in another order; the values of category c add, as the first, second
    and so on that is drawn, `gains[starts[c]]`, `gains[starts[c] + 1]` and so on. A draw takes time by `size`, however many
    the categories.
    """
    state = np.zeros(1, np.uint64)
    state[0] = np.uint64(seed)
    place = starts.copy()
    for draw in range(sums.size):
        total = 0.0
        for i in range(size):
            j = i + int(uniform(state) * (categories.size - i))
            categories[i], categories[j] = categories[j], categories[i]
            total += gains[place[categories[i]]]
            place[categories[i]] += 1
        for i in range(size):
            place[categories[i]] = starts[categories[i]]
        sums[draw] = total
