"""The tail of the one-sample Smirnov statistic, summed."""

import math

import numpy as np
from numba import njit


@njit(cache=True, nogil=True, error_model="numpy")
def tail(n: int, d: float) -> float:
    """P(sup (F_n - F) >= d) = d sum_j C(n, j) (1 - d - j/n)^(n - j) (d + j/n)^(j - 1), for 0 < d < 1.

    All terms are positive; each is summed through its logarithm (Birnbaum and Tingey 1951).
    """
    total, log_choices = 0.0, 0.0
    for j in range(n + 1):
        above = 1.0 - d - j / n
        if above <= 0.0:
            break
        if j > 0:
            log_choices += math.log((n - j + 1.0) / j)
        total += np.exp(log_choices + (n - j) * math.log(above) + (j - 1.0) * math.log(d + j / n))
    return min(d * total, 1.0)
