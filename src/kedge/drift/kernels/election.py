"""Elections that remember earlier votes."""

import numpy as np
import numpy.typing as npt
from numba import njit

from kedge.drift.kernels.layout import DRIFT, QUIET, WARNING


@njit(cache=True, nogil=True, error_model="numpy")
def confirm(
    votes: npt.NDArray[np.int8],
    waited: npt.NDArray[np.float64],
    scores: npt.NDArray[np.float64],
    flags: npt.NDArray[np.int8],
    sensitivity: int,
    wait: int,
    clear: bool,
) -> None:
    """For each row of `votes`: a member stands from its alarm on until it has stood for more than `wait` values.

    `waited` counts how long each has stood (0: not at all). A warning neither stands nor lets its member's time pass.
    """
    for i in range(votes.shape[0]):
        standing, warned = 0, 0
        for k in range(votes.shape[1]):
            if votes[i, k] == WARNING:
                warned += 1
            elif votes[i, k] == DRIFT or waited[k] > 0:
                standing += 1
                waited[k] += 1.0
        scores[i] = standing
        if standing >= sensitivity:
            flags[i] = DRIFT
        else:
            flags[i] = WARNING if standing + warned >= sensitivity else QUIET
        for k in range(votes.shape[1]):
            if waited[k] > wait or (clear and flags[i] == DRIFT):
                waited[k] = 0.0
