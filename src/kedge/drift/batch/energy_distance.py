"""Energy distance of two samples."""

import math
from typing import ClassVar

from kedge.drift.batch.distance import DISTANCE_PARAMS, OrderedDistance
from kedge.drift.kernels.layout import ENERGY
from kedge.drift.spec import DetectorSpec


class EnergyDistance(OrderedDistance):
    """How far apart are the two distributions, in location, spread and shape?

    The root of 2 E|X - Y| - E|X - X'| - E|Y - Y'|, which is the root of twice the integral of (F - G)^2; SciPy's. Its unit
    is the root of the values'. By chance alone it is about sqrt(1 / m + 1 / n) where normed.

    Parameters
    ----------
    threshold : float > 0, default 0.1
        Larger values ask for larger shifts.
    norm : "reference" or "none", default "reference"
        "reference": divide by the root of the reference's standard deviation, so that the unit does not matter. A
        constant reference has no standard deviation: that of both samples together takes its place, as the result's
        `method` then says. "none": leave it in the values' unit.
    permutations : int in [0, 1000000], default 0
        With 0 the statistic is compared with `threshold`. Otherwise so many random splits of the values give a p-value,
        which is compared with `alpha`: an effect however small is then found where the samples are large.
    alpha : float in (0, 1), default 0.05
        Chance of a false alarm on one window, where there is a p-value.
    seed : int in [0, 4294967295], default 0
        Of the splits drawn: the same samples give the same p-value.
    missing : "raise" or "skip", default "raise"
        What NaN and infinities do.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> detector = EnergyDistance().fit(rng.normal(0, 1, 500))
    >>> result = detector.test(rng.normal(0.3, 1, 500))
    >>> result.drift, round(result.statistic, 3)
    (True, 0.238)

    References
    ----------
    Szekely and Rizzo (2013), Energy statistics: A class of statistics based on distances, Journal of Statistical Planning
    and Inference 143.
    """

    spec: ClassVar[DetectorSpec] = DetectorSpec(
        name="EnergyDistance",
        mode="batch",
        input="real",
        direction="both",
        params=DISTANCE_PARAMS,
        paper="Szekely and Rizzo 2013",
        equations="D = sqrt(2 integral (F - G)^2)",
        false_alarms="none: a threshold on the effect; alpha a window with permutations",
        cost="O(n log n + m) a window; O(permutations (n + m)) more for a p-value",
        libraries=("Frouros", "Evidently"),
        examples=({}, {"norm": "none", "threshold": 0.3}, {"permutations": 999, "seed": 7}),
    )
    measure: ClassVar[int] = ENERGY

    def _unit(self, deviation: float) -> float:
        return math.sqrt(deviation)
