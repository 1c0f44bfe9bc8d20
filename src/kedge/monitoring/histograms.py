"""Reference and current values counted in common bins, as shares, for showing one over the other."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kedge.monitoring.measures import Floats
from kedge.monitoring.values import Categories

NUMERIC_BINS = 24
_TAIL = 0.005
_MOST_CATEGORIES = 30
_LARGEST = 1e300  # differences of larger numbers are no longer numbers
OTHER = "(other)"


class Overlay(NamedTuple):
    """Edges (one more than shares) or category names, and the share of rows of each sample in every bin."""

    bins: tuple[float, ...] | tuple[str, ...]
    reference: tuple[float, ...]
    current: tuple[float, ...]


def of_numbers(reference: Floats, current: Floats) -> Overlay:
    """Equal bins over the middle 99 % of both samples; what lies further out is counted in the outer bins."""
    reference, current = (np.clip(sample, -_LARGEST, _LARGEST) for sample in (reference, current))
    low = min(float(np.quantile(sample, _TAIL)) for sample in (reference, current))
    high = max(float(np.quantile(sample, 1 - _TAIL)) for sample in (reference, current))
    if not low < high:
        low, high = low - 0.5, low + 0.5
    edges = np.linspace(low, high, NUMERIC_BINS + 1)
    if not (np.diff(edges) > 0).all():  # closer together than float64 can tell apart
        edges = np.array([np.nextafter(low, -np.inf), np.nextafter(high, np.inf)])
    return Overlay(
        tuple(edges.tolist()),
        _shares(np.histogram(np.clip(reference, edges[0], edges[-1]), edges)[0]),
        _shares(np.histogram(np.clip(current, edges[0], edges[-1]), edges)[0]),
    )


def of_categories(categories: Categories) -> Overlay:
    """The commonest categories of both samples together, commonest first; the others are one bin."""
    size = len(categories.names)
    reference = np.bincount(categories.reference, minlength=size)
    current = np.bincount(categories.current, minlength=size)
    ranked = np.argsort(-(reference + current), kind="stable")
    shown, rest = ranked[:_MOST_CATEGORIES], ranked[_MOST_CATEGORIES:]
    names = [categories.names[place] for place in shown]
    counts = [np.append(sample[shown], sample[rest].sum()) for sample in (reference, current)]
    if not len(rest):
        counts = [count[:-1] for count in counts]
    else:
        names.append(OTHER)
    return Overlay(tuple(names), _shares(counts[0]), _shares(counts[1]))


def _shares(counts: NDArray[np.int64]) -> tuple[float, ...]:
    total = max(int(counts.sum()), 1)
    return tuple((counts / total).tolist())
