"""KSWIN: the last values against a sample of those before, by a Kolmogorov-Smirnov test."""

import functools
import random
from fractions import Fraction
from importlib import import_module
from math import comb
from typing import Any, ClassVar, Literal

import numpy as np

from kedge.drift.errors import ParameterError
from kedge.drift.kernels.layout import KSWIN_HEAD, TWISTER
from kedge.drift.spec import Choice, DetectorSpec, Interval, Parameters
from kedge.drift.streaming.base import Flags, Floats, StreamingDetector

_LEAST_GAP = Fraction(1, 10)


@functools.cache
def _kernel() -> Any:
    return import_module("kedge.drift.kernels.kswin")  # brings numba, a second, at the first value


@functools.lru_cache(maxsize=64)
def gap_of(alpha: float, n: int) -> int:
    """The least distance, in counts, of two samples of n values whose exact two-sided p-value is at most `alpha`, and
    which is more than a tenth of n; n + 1 where none is.

    Examples
    --------
    >>> gap_of(0.005, 30)
    14
    """
    whole = comb(2 * n, n)
    for gap in range(1, n + 1):
        signed = sum((-1) ** (k - 1) * comb(2 * n, n - k * gap) for k in range(1, n // gap + 1))
        if Fraction(2 * signed, whole) <= Fraction(alpha) and Fraction(gap, n) > _LEAST_GAP:
            return gap
    return n + 1


@functools.lru_cache(maxsize=64)
def _fresh(seed: int) -> Floats:
    """The first state of the generator, only ever read: seeding it costs more than the test of a value."""
    drawing = random.Random(seed)  # noqa: S311 - of a test, not of a secret
    return np.array(drawing.getstate()[1][:TWISTER], np.float64)


def _slots(parameters: Parameters) -> int:
    return KSWIN_HEAD + TWISTER + int(parameters["window"])


class KSWIN(StreamingDetector):
    """Are the last values distributed as those before them?

    At every value a Kolmogorov-Smirnov test, exact with ties counted as they are, of the last `recent` values of a sliding
    window against as many drawn at random from the rest of it. A change also needs a distance of more than 0.1.

    The statistic is the largest distance between the distribution functions of the drawn and the last values.

    Parameters
    ----------
    alpha : float in (0, 1), default 0.005
        Significance of the test at each value; many values are tested, so a steady stream alarms far more often than
        once. Larger values alarm sooner and more often.
    window : int in [4, 100000], default 100
        At least twice `recent`. Larger values compare with more of the past.
    recent : int in [2, 2000], default 30
        Larger values see smaller changes, later.
    seed : int >= 0, default 0
        Of the draws.
    after_drift : "keep_recent" or "reset", default "keep_recent"
        Keep the last values after a change, as in the paper, or start anew, also with the draws.
    preset : "kedge" or "river", default "kedge"
        "river" gives the changes that River 0.26.1 gives with the same numbers and seed: it starts anew after each,
        whatever `after_drift` says.
    missing : "raise" or "skip", default "raise"
        What NaN and infinities do.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> stream = np.concatenate([rng.normal(0, 1, 500), rng.normal(2, 1, 500)])
    >>> [int(index) for index in KSWIN(0.0001).update_many(stream).drifts]
    [521]

    References
    ----------
    Raab, Heusinger and Schleif (2020), Reactive soft prototype computing for concept drift streams, Neurocomputing 416. The
    least distance of 0.1 is theirs too.
    """

    spec: ClassVar[DetectorSpec] = DetectorSpec(
        name="KSWIN",
        mode="streaming",
        input="real",
        direction="both",
        params={
            "alpha": Interval(float, 0, 1, "neither"),
            "window": Interval(int, 4, 100_000),
            "recent": Interval(int, 2, 2000),
            "seed": Interval(int, 0, 2**63),
            "after_drift": Choice(("keep_recent", "reset")),
            "preset": Choice(("kedge", "river")),
            "missing": Choice(("raise", "skip")),
        },
        paper="Raab et al. 2020",
        equations="exact two-sample Kolmogorov-Smirnov of drawn and last values",
        false_alarms="alpha at each value, of tests that share values",
        cost="O(recent log recent) time a value, O(window) memory",
        threshold="alpha",
        stricter="smaller",
        libraries=("River", "Frouros"),
        warmup=lambda parameters: int(parameters["window"]) - 1,
        state_bound_bytes=lambda parameters: 1024 + 9 * _slots(parameters),
        examples=(
            {"alpha": 1e-7},
            {"alpha": 1e-8, "window": 200, "recent": 50, "after_drift": "reset"},
            {"alpha": 1e-7, "preset": "river", "seed": 7},
        ),
    )
    measures: ClassVar[str] = (
        "the largest distance between the distribution functions of the drawn and the last values"
    )

    def __init__(
        self,
        alpha: float = 0.005,
        *,
        window: int = 100,
        recent: int = 30,
        seed: int = 0,
        after_drift: Literal["keep_recent", "reset"] = "keep_recent",
        preset: Literal["kedge", "river"] = "kedge",
        missing: Literal["raise", "skip"] = "raise",
    ) -> None:
        self.alpha = alpha
        self.window = window
        self.recent = recent
        self.seed = seed
        self.after_drift = after_drift
        self.preset = preset
        self.missing = missing
        super().__init__()
        if 2 * recent > window:
            raise ParameterError("KSWIN", "recent", recent, f"at most half of window, {window}")

    def _empty(self) -> Floats:
        return np.concatenate([[0.0, 0.0, float(TWISTER)], np.zeros(self.window), _fresh(self.seed)])

    def _run(self, xs: Floats, flags: Flags, statistics: Floats) -> None:
        keeps = self.after_drift == "keep_recent" and self.preset != "river"
        sizes = self.window, self.recent, gap_of(float(self.alpha), self.recent)
        fresh = self._state[:0] if keeps else _fresh(self.seed)
        _kernel().run(self._state, xs, flags, statistics, *sizes, fresh, keeps)
