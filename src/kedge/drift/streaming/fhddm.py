"""FHDDM: the share of right answers in a sliding window against its best."""

import math
from typing import Any, ClassVar, Literal

import numpy as np

from kedge.drift.errors import ParameterError
from kedge.drift.spec import Choice, DetectorSpec, Interval
from kedge.drift.streaming.base import Floats
from kedge.drift.streaming.binary import ErrorDetector


class FHDDM(ErrorDetector):
    """Is the share of errors in a sliding window well above its lowest?

    By Hoeffding's bound the share of right answers in a window of a steady stream does not fall far below the best that it
    has been. With `short_window` it is the stacked variant: the last values of the window are compared too, which sees abrupt
    changes sooner. After an alarm it starts anew.

    The statistic is how far the share of right answers lies below its best, in bounds: above 1 is an alarm.

    Parameters
    ----------
    window : int in [2, 1000000], default 100
        Larger values see smaller changes, later.
    confidence : float in (0, 1), default 0.000001
        Chance that the bound is broken by a steady stream. Larger values alarm sooner and more often.
    short_window : int in [0, 1000000], default 0
        Length of the second window, shorter than the first; 0 for none.
    missing : "raise" or "skip", default "raise"
        What NaN and infinities do.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> errors = np.concatenate([rng.random(1000) < 0.1, rng.random(1000) < 0.5])
    >>> [int(index) for index in FHDDM().update_many(errors).drifts]
    [1053]

    References
    ----------
    Pesaranghader and Viktor (2016), Fast Hoeffding drift detection method for evolving data streams, ECML PKDD; stacked:
    Pesaranghader, Viktor and Paquet (2018), Reservoir of diverse adaptive learners and stacking fast Hoeffding drift
    detection methods, Machine Learning 107. They count right answers; here, as everywhere, a 1 is an error.
    """

    spec: ClassVar[DetectorSpec] = DetectorSpec(
        name="FHDDM",
        mode="streaming",
        input="binary",
        direction="up",
        params={
            "window": Interval(int, 2, 1_000_000),
            "confidence": Interval(float, 0, 1, "neither"),
            "short_window": Interval(int, 0, 1_000_000),
            "missing": Choice(("raise", "skip")),
        },
        paper="Pesaranghader and Viktor 2016",
        equations="u_max - u > sqrt(ln(1 / delta) / 2n)",
        false_alarms="confidence bounds the chance that one window strays; the best of many, against which it is held, strays more often",
        cost="O(1) time, O(window) memory",
        warns=False,
        threshold="confidence",
        stricter="smaller",
        libraries=("River",),
        warmup=lambda parameters: int(parameters["window"]),
        state_bound_bytes=lambda parameters: 1024 + 9 * int(parameters["window"]),
        examples=({}, {"window": 60, "short_window": 15, "confidence": 0.0001}),
    )
    measures: ClassVar[str] = (
        "how far the share of right answers lies below its best, in bounds: above 1 is an alarm"
    )

    def __init__(
        self,
        window: int = 100,
        *,
        confidence: float = 1e-6,
        short_window: int = 0,
        missing: Literal["raise", "skip"] = "raise",
    ) -> None:
        self.window = window
        self.confidence = confidence
        self.short_window = short_window
        self.missing = missing
        super().__init__()
        if short_window >= window:
            raise ParameterError("FHDDM", "short_window", short_window, f"less than window, {window}")

    @property
    def alarm_level(self) -> float:
        """What the statistic must pass to alarm."""
        return 1.0

    def _empty(self) -> Floats:
        return np.zeros(6 + self.window)

    def _kernel(self) -> tuple[str, str, tuple[Any, ...]]:
        surprise = math.log(1 / self.confidence)
        bounds = (math.sqrt(surprise / (2 * max(1, size))) for size in (self.window, self.short_window))
        return "concept", "fhddm", (self.window, self.short_window, *bounds)
