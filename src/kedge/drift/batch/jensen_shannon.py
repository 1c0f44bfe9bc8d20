"""Jensen-Shannon distance of two histograms."""

import math
from typing import ClassVar, Literal

import numpy as np

from kedge.drift.batch.base import Floats
from kedge.drift.batch.binned import BINNED_PARAMS, EXAMPLES, BinnedDistance, Binning
from kedge.drift.spec import Choice, DetectorSpec


class JensenShannon(BinnedDistance):
    """How far apart are the histograms, in the units of information?

    The root of the mean divergence of both from their midpoint: symmetric, a metric, and finite where a bin is empty. In
    base 2 it goes from 0 to 1.

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
    base : "2" or "e", default "2"
        Of the logarithm: distances in base e, as SciPy's and Evidently's, are smaller by the factor sqrt(ln 2) = 0.83.
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
    >>> detector = JensenShannon().fit(rng.normal(0, 1, 5000))
    >>> result = detector.test(rng.normal(0.6, 1, 5000))
    >>> result.drift, round(result.statistic, 3)
    (True, 0.251)

    References
    ----------
    Lin (1991), Divergence measures based on the Shannon entropy, IEEE Transactions on Information Theory 37; Endres and
    Schindelin (2003) for the root.
    """

    spec: ClassVar[DetectorSpec] = DetectorSpec(
        name="JensenShannon",
        mode="batch",
        input="real",
        direction="both",
        params={**BINNED_PARAMS, "base": Choice(("2", "e"))},
        paper="Lin 1991",
        equations="sqrt((KL(p, (p + q) / 2) + KL(q, (p + q) / 2)) / 2)",
        false_alarms="none: a threshold on the effect; alpha a window with permutations",
        cost="O(n log bins) a window; O(n log n + m + permutations bins) for a p-value",
        libraries=("Frouros", "Evidently", "NannyML"),
        examples=(*EXAMPLES, {"base": "e"}),
    )

    def __init__(
        self,
        threshold: float = 0.1,
        *,
        binning: Binning = "quantile",
        bins: int = 10,
        base: Literal["2", "e"] = "2",
        permutations: int = 0,
        alpha: float = 0.05,
        seed: int = 0,
        missing: Literal["raise", "skip"] = "raise",
    ) -> None:
        self.base = base
        super().__init__(
            threshold,
            binning=binning,
            bins=bins,
            permutations=permutations,
            alpha=alpha,
            seed=seed,
            missing=missing,
        )

    def _distance(self, p: Floats, q: Floats) -> Floats:
        middle = (p + q) / 2
        nats = 0.5 * np.sum(_relative(p, middle) + _relative(q, middle), axis=-1)
        return np.asarray(
            np.sqrt(np.maximum(nats, 0.0) / (math.log(2) if self.base == "2" else 1.0)), np.float64
        )


def _relative(p: Floats, middle: Floats) -> Floats:
    return p * np.log(np.where(p > 0, p, 1.0) / np.where(p > 0, middle, 1.0))
