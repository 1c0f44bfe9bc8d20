"""Bhattacharyya distance of two histograms."""

from typing import ClassVar

import numpy as np

from kedge.drift.batch.base import Floats
from kedge.drift.batch.binned import EXAMPLES, ZERO_PARAMS, FlooredDistance
from kedge.drift.spec import DetectorSpec


class Bhattacharyya(FlooredDistance):
    """How little do the two histograms overlap?

    -ln of the coefficient sum sqrt(p q): 0 for equal histograms, without bound as they part. Frouros gives 1 minus the
    coefficient, which is the square of this library's Hellinger distance.

    Parameters
    ----------
    threshold : float > 0, default 0.01
        Larger values ask for larger shifts; 0.01 is a Hellinger distance of 0.1.
    binning : "quantile", "width", "pooled" or "categories", default "quantile"
        Bins of equal mass in the reference, of equal width over its range, of equal width over the range of both samples
        together, or one bin a category. The outermost numeric bins are open. A value that fills more than a quantile's
        share becomes a bin of its own. "pooled" keeps the whole reference. With `permutations`,
        quantiles and range are those of both samples together, and the whole reference is kept too.
    bins : int in [2, 1000], default 10
        Numeric bins. More bins see finer shifts, need more values, and give larger distances by chance.
    zero : "floor" or "smooth", default "floor"
        How an empty bin is kept from making the distance infinite, on either side; the shares then sum to 1 again. "floor"
        raises shares below `floor` to it, as Evidently does; "smooth" adds `pseudocount` to every count, which fades as
        samples grow.
    floor : float in (0, 0.1], default 0.0001
        Least share of a bin. Smaller values weigh empty bins more.
    pseudocount : float in (0, 100], default 0.5
        Added to every count; 0.5 is Jeffreys's. Larger values pull both histograms towards even ones.
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
    >>> detector = Bhattacharyya().fit(rng.normal(0, 1, 5000))
    >>> result = detector.test(rng.normal(0.6, 1, 5000))
    >>> result.drift, round(result.statistic, 3)
    (False, 0.045)

    References
    ----------
    Bhattacharyya (1943), On a measure of divergence between two statistical populations defined by their probability
    distributions, Bulletin of the Calcutta Mathematical Society 35.
    """

    spec: ClassVar[DetectorSpec] = DetectorSpec(
        name="Bhattacharyya",
        mode="batch",
        input="real",
        direction="both",
        params=ZERO_PARAMS,
        paper="Bhattacharyya 1943",
        equations="-ln sum sqrt(p q)",
        false_alarms="none: a threshold on the effect; alpha a window with permutations",
        cost="O(n log bins) a window; O(n log n + m + permutations bins) for a p-value",
        libraries=("Frouros",),
        examples=(*EXAMPLES, {"zero": "smooth", "pseudocount": 1.0}, {"floor": 0.001}),
    )

    def _distance(self, p: Floats, q: Floats) -> Floats:
        return np.asarray(np.maximum(-np.log(np.sum(np.sqrt(p * q), axis=-1)), 0.0), np.float64)
