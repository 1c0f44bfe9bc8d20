"""Counts of two samples in common numeric bins; the outermost bins also take what lies outside their edges."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

BINS = 20
_TAIL = 0.005


def common_edges(first: Floats, second: Floats, bins: int = BINS) -> Floats:
    """Edges of equal bins over the middle 99 % of two sorted samples, so that one outlier does not hide the rest."""
    ends = [
        (each[int(_TAIL * (each.size - 1))], each[-1 - int(_TAIL * (each.size - 1))])
        for each in (first, second)
    ]
    return width_edges(min(low for low, _ in ends), max(high for _, high in ends), bins)


def width_edges(low: float, high: float, bins: int) -> Floats:
    """`bins` equal bins from `low` to `high`; fewer where float64 cannot tell their edges apart."""
    edges = np.unique(
        2 * np.linspace(low / 2, high / 2, bins + 1)
    )  # halved: high - low may exceed the largest float
    return edges if edges.size > 1 else _around(edges)


def quantile_edges(ordered: Floats, bins: int) -> Floats:
    """About `bins` bins that hold equally many of the sorted values.

    A value that fills more than a bin by itself repeats among the quantiles; it becomes a bin of its own, for what lies
    to either side of it must not be counted with it (a constant would otherwise be one bin, in which nothing can shift).
    """
    quantiles = np.quantile(ordered, np.linspace(0, 1, bins + 1), method="inverted_cdf")
    cuts, times = np.unique(quantiles, return_counts=True)
    heavy = cuts[times > 1]
    inner = np.union1d(cuts[(cuts > ordered[0]) & (cuts < ordered[-1])], np.union1d(heavy, _after(heavy)))
    if not inner.size:
        inner = np.array([ordered[-1]])
    around = _around(inner)
    return np.unique([min(ordered[0], around[0]), *inner, max(ordered[-1], around[1])])


def count(values: Floats, edges: Floats) -> Counts:
    """Values in each of `len(edges) - 1` bins [a, b); the first and last take what lies outside."""
    place = np.searchsorted(edges[1:-1], values, side="right")
    return np.bincount(place, minlength=edges.size - 1).astype(np.int64)


def count_sorted(ordered: Floats, edges: Floats) -> Counts:
    """As `count`, for sorted values: a search an edge instead of one a value."""
    return np.diff(np.searchsorted(ordered, edges[1:-1], side="left"), prepend=0, append=ordered.size).astype(
        np.int64
    )


def _after(values: Floats) -> Floats:
    return np.nextafter(values, np.finfo(np.float64).max)


def _around(edges: Floats) -> Floats:
    return np.array([np.nextafter(edges[0], np.finfo(np.float64).min), _after(edges[-1:])[0]])
