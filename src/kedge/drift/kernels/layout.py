"""Numbers that detectors and their kernels share; apart, so that a detector is made without loading numba."""

QUIET, WARNING, DRIFT, NOT_TAKEN = 0, 1, 2, 3

LARGEST = 1e150
"""Squares of larger values overflow, and one overflow in a running sum would silence a detector for good."""

ROOM_HEAD = 10
ADWIN_HEAD = 5
ADWIN_ROWS = 48
SMIRNOV_HEAD = 5
ONLINE_HEAD = 3
PCA_HEAD = 9
KDQ_HEAD = 6
RDDM_HEAD = 11
STEPD_HEAD = 4
KSWIN_HEAD = 3
TWISTER = 624
BOCD_HEAD = 6
BOCD_COLUMNS = 6

KOLMOGOROV, KUIPER, CRAMER_VON_MISES, ANDERSON_DARLING, BAUMGARTNER = 0, 1, 2, 3, 4
MANN_WHITNEY, TIES, WASSERSTEIN, ENERGY = 5, 6, 7, 8
MEASURES = 9
