"""HDDM-A: means before and after the best cut, by Hoeffding's bound."""

from typing import Any, ClassVar, Literal

import numpy as np

from kedge.drift.spec import Choice, DetectorSpec, Interval
from kedge.drift.streaming.base import Floats
from kedge.drift.streaming.binary import ErrorDetector

_MODES = {"up": 1, "down": -1, "both": 0}


class HDDMA(ErrorDetector):
    """Is the mean after some cut higher, or lower, than the mean before it?

    Remembers the beginning of the stream whose mean has the lowest upper bound (for a fall: the highest lower one), and
    compares it with the mean of all. The bound holds for any values between 0 and 1. After an alarm it starts anew.

    The statistic is the difference of the means before and after the cut, in bounds: 1 is an alarm.

    Parameters
    ----------
    drift_confidence : float in (0, 1), default 0.001
        Chance of a false alarm that each comparison allows; not above `warning_confidence`. Larger values alarm sooner and
        more often.
    warning_confidence : float in (0, 1), default 0.005
        The same for warnings.
    direction : "up", "down" or "both", default "up"
        Which changes count: "up" is the one-sided test of a rising error rate, "both" the two-sided.
    missing : "raise" or "skip", default "raise"
        What NaN and infinities do.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> errors = np.concatenate([rng.random(1000) < 0.1, rng.random(1000) < 0.3])
    >>> [int(index) for index in HDDMA().update_many(errors).drifts]
    [1167]

    References
    ----------
    Frías-Blanco, del Campo-Ávila, Ramos-Jiménez, Morales-Bueno, Ortiz-Díaz and Caballero-Mota (2015), Online and
    non-parametric drift detection methods based on Hoeffding's bounds, IEEE TKDE 27, A-test; ln(2 / confidence) as in MOA.
    """

    spec: ClassVar[DetectorSpec] = DetectorSpec(
        name="HDDMA",
        mode="streaming",
        input="binary",
        direction="both",
        params={
            "drift_confidence": Interval(float, 0, 1, "neither"),
            "warning_confidence": Interval(float, 0, 1, "neither"),
            "direction": Choice(tuple(_MODES)),
            "missing": Choice(("raise", "skip")),
        },
        paper="Frías-Blanco et al. 2015",
        equations="A-test, corollary 6",
        false_alarms="drift_confidence bounds the chance of a false alarm at each comparison",
        cost="O(1) time and memory",
        warns=True,
        threshold="drift_confidence",
        stricter="smaller",
        libraries=("River", "Frouros"),
        warmup=lambda _: 1,
        state_bound_bytes=lambda _: 1024,
        examples=({}, {"direction": "both", "drift_confidence": 0.0001}, {"direction": "down"}),
    )
    graded: ClassVar[bool] = True
    ordered: ClassVar[tuple[tuple[str, str], ...]] = (("drift_confidence", "warning_confidence"),)
    measures: ClassVar[str] = "the difference of the means before and after the cut, in bounds: 1 is an alarm"

    def __init__(
        self,
        drift_confidence: float = 0.001,
        *,
        warning_confidence: float = 0.005,
        direction: Literal["up", "down", "both"] = "up",
        missing: Literal["raise", "skip"] = "raise",
    ) -> None:
        self.drift_confidence = drift_confidence
        self.warning_confidence = warning_confidence
        self.direction = direction
        self.missing = missing
        super().__init__()

    @property
    def alarm_level(self) -> float:
        """What the statistic must pass to alarm."""
        return 1.0

    def _empty(self) -> Floats:
        return np.zeros(6)

    def _kernel(self) -> tuple[str, str, tuple[Any, ...]]:
        levels = float(self.drift_confidence), float(self.warning_confidence)
        return "concept", "hddm_a", (*levels, _MODES[self.direction])
