"""Sums over random subsets: all that relabelling two samples takes where a statistic is one of sums over each."""

import numpy as np
import numpy.typing as npt
from numba import njit

from kedge.drift.kernels.ordering import uniform


@njit(cache=True, nogil=True, error_model="numpy")
def drawn_sums(
    features: npt.NDArray[np.float64],
    size: int,
    order: npt.NDArray[np.int64],
    state: npt.NDArray[np.uint64],
    sums: npt.NDArray[np.float64],
) -> None:
    """Into each row of `sums` the sum of `size` rows of `features`, all choices alike.

    The first steps of a Fisher-Yates shuffle of `order`, the rows' numbers in any order, choose them; `state` is
    SplitMix64's. A draw takes time by the subset, not by all rows.
    """
    rows, columns = features.shape
    for draw in range(sums.shape[0]):
        for column in range(columns):
            sums[draw, column] = 0.0
        for i in range(size):
            j = i + int(uniform(state) * (rows - i))
            order[i], order[j] = order[j], order[i]
            for column in range(columns):
                sums[draw, column] += features[order[i], column]
