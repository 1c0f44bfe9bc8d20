"""Total variation distance of two histograms."""

from typing import ClassVar

import numpy as np

from kedge.drift.batch.base import Floats
from kedge.drift.batch.binned import BINNED_PARAMS, EXAMPLES, BinnedDistance
from kedge.drift.spec import DetectorSpec


class TotalVariation(BinnedDistance):
    """Which share of the values has changed bins?

    Half the sum of |p - q|, from 0 to 1: the largest difference in probability that the two histograms give to any set of
    bins.

    Parameters
    ----------
    threshold : float > 0, default 0.1
        Larger values ask for larger shifts.
    binning : "quantile", "width", "pooled" or "categories", default "quantile"
        Bins of equal mass in the reference, of equal width over its range, of equal width over the range of both samples
        together, or one bin a category. The outermost numeric bins are open. A value that fills more than a quantile's
        share becomes a bin of its own. "pooled" keeps the whole reference. With `permutations`,
        quantiles and range are those of both samples together, and the whole reference is kept too.
    bins : int in [2, 1000], default 10
        Numeric bins. More bins see finer shifts, need more values, and give larger distances by chance.
    permutations : int in [0, 1000000], default 0
        With 0 the statistic is compared with `threshold`. Otherwise so many random splits of the counts give a p-value,
        which is compared with `alpha`: an effect however small is then found where the samples are large. Both samples
        then make the bins, so that the level is exact however small they are; the statistic may differ from that without.
    alpha : float in (0, 1), default 0.05
        Chance of a false alarm on one window, where there is a p-value.
    seed : int in [0, 4294967295], default 0
        Of the splits drawn: the same samples give the same p-value.
    missing : "raise" or "skip", default "raise"
        What NaN, infinities and, among categories, None do.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> detector = TotalVariation().fit(rng.normal(0, 1, 5000))
    >>> result = detector.test(rng.normal(0.6, 1, 5000))
    >>> result.drift, round(result.statistic, 3)
    (True, 0.241)

    References
    ----------
    Levin, Peres and Wilmer (2009), Markov Chains and Mixing Times, proposition 4.2.
    """

    spec: ClassVar[DetectorSpec] = DetectorSpec(
        name="TotalVariation",
        mode="batch",
        input="real",
        direction="both",
        params=BINNED_PARAMS,
        paper="Levin, Peres and Wilmer 2009",
        equations="sum |p - q| / 2",
        false_alarms="none: a threshold on the effect; alpha a window with permutations",
        cost="O(n log bins) a window; O(n log n + m + permutations bins) for a p-value",
        libraries=("Evidently",),
        examples=EXAMPLES,
    )

    def _distance(self, p: Floats, q: Floats) -> Floats:
        return np.asarray(0.5 * np.sum(np.abs(p - q), axis=-1))
