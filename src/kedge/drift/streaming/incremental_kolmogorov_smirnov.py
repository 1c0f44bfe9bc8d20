"""Kolmogorov-Smirnov over a sliding window, brought up to date value by value."""

import functools
import math
from importlib import import_module
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from kedge.drift.kernels.layout import SMIRNOV_HEAD
from kedge.drift.spec import Choice, DetectorSpec, Interval, Parameters
from kedge.drift.streaming.base import Flags, Floats
from kedge.drift.streaming.referenced import ReferencedDetector, bound_of

EXACT_UP_TO = 10_000
"""As in SciPy: p-values are exact while neither sample is larger."""


@functools.cache
def _kernel() -> Any:
    return import_module("kedge.drift.kernels.smirnov")  # brings numba, a second, at the first value


def _words(parameters: Parameters, size: int, dimension: int) -> int:
    del dimension
    leaves = 1 << size.bit_length()
    return SMIRNOV_HEAD + size + int(parameters["window"]) + 7 * leaves


class IncrementalKolmogorovSmirnov(ReferencedDetector):
    """Do the last values of the stream come from the distribution of the reference?

    After every value, the largest gap between the distribution functions of a fixed reference and of the last `window`
    values, and its p-value: those of the two-sample test made anew at every value, for the price of a path through a tree.

    The statistic is the largest distance between the distribution functions of window and reference.

    Parameters
    ----------
    alpha : float in (0, 1), default 0.0001
        An alarm where the p-value is below. It bounds the chance of a false alarm at one value, and windows that overlap
        make many trials: `calibrate` finds the alpha of a wanted run length. Larger values alarm sooner.
    window : int in [2, 1000000], default 100
        Larger values see smaller changes, later.
    reference_size : int in [4, 10000000], default 1000
        How many first values are the reference, where none is given to `fit`; at least two windows. Larger values know
        the reference better.
    missing : "raise" or "skip", default "raise"
        What NaN and infinities do.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> detector = IncrementalKolmogorovSmirnov().fit(rng.normal(0, 1, 1000))
    >>> stream = np.concatenate([rng.normal(0, 1, 1000), rng.normal(1, 1, 1000)])
    >>> [int(index) for index in detector.update_many(stream).drifts][:1]
    [1043]

    References
    ----------
    dos Reis, Flach, Matwin and Batista (2016), Fast unsupervised online drift detection using incremental
    Kolmogorov-Smirnov test, KDD. The reference being fixed, a segment tree takes the place of their treap.
    """

    spec: ClassVar[DetectorSpec] = DetectorSpec(
        name="IncrementalKolmogorovSmirnov",
        mode="streaming",
        input="real",
        direction="both",
        params={
            "alpha": Interval(float, 0, 1, "neither"),
            "window": Interval(int, 2, 1_000_000),
            "reference_size": Interval(int, 4, 10_000_000),
            "missing": Choice(("raise", "skip")),
        },
        paper="dos Reis et al. 2016",
        equations="D = sup |F_reference - F_window| at every value, reference fixed",
        false_alarms="alpha a value; calibrate for a run length",
        cost="O(log m) time a value, O(m + w) memory",
        threshold="alpha",
        stricter="smaller",
        libraries=("Frouros",),
        warmup=lambda parameters: int(parameters["reference_size"] + parameters["window"] - 1),
        state_bound_bytes=bound_of(_words),
        examples=(
            {},
            {"window": 30, "reference_size": 200, "alpha": 0.00001},
            {"window": 50, "reference_size": 100},
        ),
    )

    _words = staticmethod(_words)
    measures: ClassVar[str] = (
        "the largest distance between the distribution functions of window and reference"
    )

    def __init__(
        self,
        alpha: float = 0.0001,
        *,
        window: int = 100,
        reference_size: int = 1000,
        missing: Literal["raise", "skip"] = "raise",
    ) -> None:
        self.alpha = alpha
        self.window = window
        self.reference_size = reference_size
        self.missing = missing
        super().__init__()

    @property
    def p_value(self) -> float:
        """The p-value after the last value: 1 before a window is full, NaN before the first value."""
        return self._p_value(self._statistic) if self._statistic >= 0 else float("nan")

    def p_values(self, statistics: npt.ArrayLike) -> Floats:
        """The p-values of statistics that `update_many` gave (of full windows)."""
        distinct, places = np.unique(np.asarray(statistics, np.float64), return_inverse=True)
        return np.array([self._p_value(float(each)) for each in distinct])[places]

    def _p_value(self, statistic: float) -> float:
        m, w = int(self._state[0]), self.window
        return _p_value(m, w, round(statistic * m * w))

    def _learn(self, reference: Floats) -> None:
        _kernel().learn(self._kept, np.sort(reference), self.window, self._critical(reference.size))

    def _critical(self, m: int) -> float:
        """The smallest gap whose p-value is below alpha, in units of 1 / (m w); infinite where there is none."""
        step, most = math.gcd(m, self.window), math.lcm(m, self.window)
        low, high = 0, most  # in steps: gaps are multiples of the greatest common divisor
        if _p_value(m, self.window, most * step) >= self.alpha:
            return math.inf
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (
                (low, middle) if _p_value(m, self.window, middle * step) < self.alpha else (middle, high)
            )
        return float(high * step)

    def _compare(self, xs: Floats, flags: Flags, statistics: Floats) -> int:
        _kernel().run(self._kept, xs, flags, statistics, int(self._state[0]), self.window)
        return len(xs)


@functools.lru_cache(100_000)
def _p_value(m: int, w: int, gap: int) -> float:
    if max(m, w) <= EXACT_UP_TO:
        return float(_kernel().exceeds(m, w, gap))
    from scipy import stats  # half a second to import, and only large samples need it

    return float(np.clip(stats.kstwo.sf(gap / (m * w), round(m * w / (m + w))), 0, 1))
