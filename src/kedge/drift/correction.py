"""Many tests at once: which p-values to reject so that false alarms stay controlled over all features."""

import numpy as np
import numpy.typing as npt

Flags = npt.NDArray[np.bool_]


def bonferroni(p_values: npt.ArrayLike, alpha: float = 0.05) -> Flags:
    """Which features drift, when the chance of any false alarm among them shall be at most alpha? Those with p <= alpha / k.

    Parameters
    ----------
    p_values : array of shape (k,), in [0, 1]
        One a feature.
    alpha : float in (0, 1), default 0.05
        Larger values reject more and raise more false alarms.

    Returns
    -------
    array of bool, shape (k,)
        True where a feature drifts, in the order given.

    Raises
    ------
    ValueError
        A p-value is NaN or outside [0, 1], or alpha outside (0, 1).

    Examples
    --------
    >>> bonferroni([0.01, 0.02, 0.2]).tolist()
    [True, False, False]

    References
    ----------
    Dunn (1961), Multiple comparisons among means, JASA 56.
    """
    p = _checked(p_values, alpha)
    return p <= alpha / max(p.size, 1)


def holm(p_values: npt.ArrayLike, alpha: float = 0.05) -> Flags:
    """Which features drift, when the chance of any false alarm among them shall be at most alpha, however they depend?

    The smallest p-values are rejected while the i-th (from 0) is <= alpha / (k - i); never weaker than Bonferroni.

    Parameters
    ----------
    p_values : array of shape (k,), in [0, 1]
        One a feature.
    alpha : float in (0, 1), default 0.05
        Larger values reject more and raise more false alarms.

    Returns
    -------
    array of bool, shape (k,)
        True where a feature drifts, in the order given.

    Raises
    ------
    ValueError
        A p-value is NaN or outside [0, 1], or alpha outside (0, 1).

    Examples
    --------
    >>> holm([0.01, 0.02, 0.2]).tolist()
    [True, True, False]

    References
    ----------
    Holm (1979), A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6.
    """
    p = _checked(p_values, alpha)
    order = np.argsort(p, kind="stable")
    passed = np.logical_and.accumulate(p[order] <= alpha / (p.size - np.arange(p.size)))
    flags = np.zeros(p.size, np.bool_)
    flags[order] = passed
    return flags


def benjamini_hochberg(p_values: npt.ArrayLike, alpha: float = 0.05) -> Flags:
    """Which features drift, when at most the share alpha of those named shall, on average, be false alarms?

    Rejected are the p-values up to the largest i (from 1) with p_(i) <= alpha i / k. Holds for independent or positively
    dependent tests.

    Parameters
    ----------
    p_values : array of shape (k,), in [0, 1]
        One a feature.
    alpha : float in (0, 1), default 0.05
        Larger values reject more and raise more false alarms.

    Returns
    -------
    array of bool, shape (k,)
        True where a feature drifts, in the order given.

    Raises
    ------
    ValueError
        A p-value is NaN or outside [0, 1], or alpha outside (0, 1).

    Examples
    --------
    >>> benjamini_hochberg([0.01, 0.03, 0.2]).tolist()
    [True, True, False]

    References
    ----------
    Benjamini and Hochberg (1995), Controlling the false discovery rate, JRSS B 57.
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
