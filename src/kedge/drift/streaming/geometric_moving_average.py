"""A geometric moving average of deviations from the mean."""

from typing import Any, ClassVar, Literal

import numpy as np

from kedge.drift.spec import Choice, DetectorSpec, Interval
from kedge.drift.streaming.base import Floats
from kedge.drift.streaming.compiled import CompiledDetector

_MODES = {"up": 1, "down": -1, "both": 0}


class GeometricMovingAverage(CompiledDetector):
    """Do recent values lie above or below the mean of all?

    Averages deviations from the running mean with weights that fall geometrically, and alarms when the average passes the
    threshold. After an alarm it starts anew.

    The statistic is the moving average of deviations from the mean, without its sign where both directions count.

    Parameters
    ----------
    alpha : float in [0, 1), default 0.99
        How much of the average is kept from value to value. Larger values see smaller changes, later.
    threshold : float > 0, default 1
        In units of the data. Larger values alarm later and more rarely.
    min_instances : int >= 1, default 30
        No alarm before this many values. Larger values give a steadier mean first.
    direction : "up", "down" or "both", default "both"
        Which changes count.
    missing : "raise" or "skip", default "raise"
        What NaN and infinities do.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> stream = np.concatenate([rng.normal(0, 1, 1000), rng.normal(1, 1, 1000)])
    >>> [int(index) for index in GeometricMovingAverage(threshold=0.5).update_many(stream).drifts]
    [1078]

    References
    ----------
    Roberts (1959), Control chart tests based on geometric moving averages, Technometrics 1; with the running mean as in MOA
    and Frouros.
    """

    spec: ClassVar[DetectorSpec] = DetectorSpec(
        name="GeometricMovingAverage",
        mode="streaming",
        input="real",
        direction="both",
        params={
            "alpha": Interval(float, 0, 1, "left"),
            "threshold": Interval(float, 0, float("inf"), "neither"),
            "min_instances": Interval(int, 1, 2**31),
            "direction": Choice(tuple(_MODES)),
            "missing": Choice(("raise", "skip")),
        },
        paper="Roberts 1959",
        equations="A = alpha A + (1 - alpha) (x - mean)",
        false_alarms="threshold; `calibrate` sets it for an expected run time",
        cost="O(1) time and memory",
        threshold="threshold",
        stricter="larger",
        libraries=("Frouros",),
        warmup=lambda parameters: int(parameters["min_instances"]) - 1,
        state_bound_bytes=lambda _: 1024,
        examples=(
            {},
            {"alpha": 0.95, "threshold": 1.5, "direction": "up"},
            {"alpha": 0.9, "threshold": 2, "direction": "down", "min_instances": 100},
        ),
    )
    measures: ClassVar[str] = (
        "the moving average of deviations from the mean, without its sign where both directions count"
    )

    def __init__(
        self,
        alpha: float = 0.99,
        *,
        threshold: float = 1.0,
        min_instances: int = 30,
        direction: Literal["up", "down", "both"] = "both",
        missing: Literal["raise", "skip"] = "raise",
    ) -> None:
        self.alpha = alpha
        self.threshold = threshold
        self.min_instances = min_instances
        self.direction = direction
        self.missing = missing
        super().__init__()

    @property
    def alarm_level(self) -> float:
        """What the statistic must pass to alarm."""
        return float(self.threshold)

    def _empty(self) -> Floats:
        return np.zeros(3)

    def _kernel(self) -> tuple[str, str, tuple[Any, ...]]:
        levels = float(self.alpha), float(self.threshold)
        return "change", "geometric", (self.min_instances, *levels, _MODES[self.direction])
