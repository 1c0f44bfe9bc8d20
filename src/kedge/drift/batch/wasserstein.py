"""Wasserstein-1, or earth mover's, distance of two samples."""

from typing import ClassVar

from kedge.drift.batch.distance import DISTANCE_PARAMS, OrderedDistance
from kedge.drift.kernels.layout import WASSERSTEIN
from kedge.drift.spec import DetectorSpec


class Wasserstein(OrderedDistance):
    """How far must the values be moved, on average, to turn the reference into the window?

    The area between the two distribution functions. A pure shift by d has distance d, in standard deviations where normed:
    an effect size that everyone can read. By chance alone two samples of n normal values lie about 1.8 / sqrt(n) standard
    deviations apart, so a threshold of 0.1 asks for a thousand values.

    Parameters
    ----------
    threshold : float > 0, default 0.1
        Larger values ask for larger shifts: in standard deviations of the reference, or in the values' unit, by `norm`.
    norm : "reference" or "none", default "reference"
        "reference": divide by the standard deviation (of n, not n - 1) of the reference, so that the unit does not matter. A
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
    >>> detector = Wasserstein().fit(rng.normal(0, 1, 500))
    >>> result = detector.test(rng.normal(0.3, 1, 500))
    >>> result.drift, round(result.statistic, 3)
    (True, 0.293)

    References
    ----------
    Vaserstein (1969); Ramdas, Garcia Trillos and Cuturi (2017), On Wasserstein two-sample testing, Entropy 19, for the
    form in one dimension.
    """

    spec: ClassVar[DetectorSpec] = DetectorSpec(
        name="Wasserstein",
        mode="batch",
        input="real",
        direction="both",
        params=DISTANCE_PARAMS,
        paper="Vaserstein 1969",
        equations="W = integral |F - G|",
        false_alarms="none: a threshold on the effect; alpha a window with permutations",
        cost="O(n log n + m) a window; O(permutations (n + m)) more for a p-value",
        libraries=("Frouros", "Evidently", "NannyML"),
        examples=({}, {"norm": "none", "threshold": 0.3}, {"permutations": 999, "seed": 7}),
    )
    measure: ClassVar[int] = WASSERSTEIN

    def _unit(self, deviation: float) -> float:
        return deviation
