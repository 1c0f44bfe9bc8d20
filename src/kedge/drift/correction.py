"""Many tests at once: which p-values to reject so that false alarms stay controlled over all features."""

import numpy as np
import numpy.typing as npt

Flags = npt.NDArray[np.bool_]


def bonferroni(p_values: npt.ArrayLike, alpha: float = 0.05) -> Flags:
    """Reject p <= alpha / k: the chance of any false alarm is at most alpha.

    Examples
    --------
    >>> bonferroni([0.01, 0.02, 0.2]).tolist()
    [True, False, False]
    """
    p = _checked(p_values, alpha)
    return p <= alpha / max(p.size, 1)


def holm(p_values: npt.ArrayLike, alpha: float = 0.05) -> Flags:
    """Reject the smallest p-values while the i-th (from 0) is <= alpha / (k - i) (Holm 1979); never weaker than Bonferroni.

    Examples
    --------
    >>> holm([0.01, 0.02, 0.2]).tolist()
    [True, True, False]
    """
    p = _checked(p_values, alpha)
    order = np.argsort(p, kind="stable")
    passed = np.logical_and.accumulate(p[order] <= alpha / (p.size - np.arange(p.size)))
    flags = np.zeros(p.size, np.bool_)
    flags[order] = passed
    return flags


def benjamini_hochberg(p_values: npt.ArrayLike, alpha: float = 0.05) -> Flags:
    """Reject up to the largest i with p_(i) <= alpha i / k (Benjamini and Hochberg 1995).

    The expected share of false alarms among the alarms is at most alpha, for independent or positively dependent tests.

    Examples
    --------
    >>> benjamini_hochberg([0.01, 0.03, 0.2]).tolist()
    [True, True, False]
    """
    p = _checked(p_values, alpha)
    order = np.argsort(p, kind="stable")
    below = np.flatnonzero(p[order] <= alpha * np.arange(1, p.size + 1) / max(p.size, 1))
    flags = np.zeros(p.size, np.bool_)
    if below.size:
        flags[order[: below[-1] + 1]] = True
    return flags


def _checked(p_values: npt.ArrayLike, alpha: float) -> npt.NDArray[np.float64]:
    p = np.asarray(p_values, np.float64)
    if p.ndim != 1 or not ((p >= 0) & (p <= 1)).all():
        raise ValueError("p_values must have shape (k,) and lie in [0, 1]")
    if not 0 < alpha < 1:
        raise ValueError(f"alpha must lie in (0, 1), got {alpha!r}")
    return p
