"""Gradient ascent of learnt detectors.

SciPy's L-BFGS would need fewer steps, but its small matrices go through threads that NumPy's wait for busily: on two busy
cores that took ten times as long as all the rest.
"""

from collections.abc import Callable

import numpy as np

from kedge.drift.batch.base import Floats

Objective = Callable[[Floats], tuple[float, Floats]]


def climb(
    objective: Objective, start: Floats, *, steps: int, rate: float, low: Floats, high: Floats
) -> Floats:
    """Where Adam's steps (Kingma and Ba 2015: 0.9, 0.999) lead from a start, held between bounds.

    The rate falls to nothing along a half cosine, so that the end is no accident of the last step.
    """
    found = start.copy()
    mean, square = np.zeros_like(start), np.zeros_like(start)
    for step in range(1, steps + 1):
        gradient = objective(found)[1]
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.999 * square + 0.001 * gradient**2
        pace = rate * (1 + np.cos(np.pi * (step - 1) / steps)) / 2
        moved = pace * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-12)
        found = np.clip(found + moved, low, high)
    return found
