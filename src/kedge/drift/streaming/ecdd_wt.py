"""ECDD-WT: a control chart of a weighted mean of errors."""

from typing import Any, ClassVar, Literal

import numpy as np

from kedge.drift.spec import Choice, DetectorSpec, Interval
from kedge.drift.streaming.base import Floats
from kedge.drift.streaming.binary import ErrorDetector


class ECDDWT(ErrorDetector):
    """Does a weighted mean of the last errors lie too far above the error rate?

    The control limit depends on the error rate so far, such that a steady stream of errors alarms once in about 400 values.
    The papers' limits for 100 and 1000 values do not give those run times, and are not offered. After an alarm it starts anew.

    The statistic is how many of its deviations the moving average of errors lies above the mean rate.

    Parameters
    ----------
    weight : float in (0, 1), default 0.2
        Weight of the newest value. The control limit was made for 0.2; larger values see abrupt changes sooner.
    warning_share : float in (0, 1], default 0.5
        Share of the control limit that warns. Larger values warn later.
    min_instances : int >= 1, default 30
        No alarm before this many values. Larger values give a steadier rate first.
    missing : "raise" or "skip", default "raise"
        What NaN and infinities do.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(2)
    >>> errors = np.concatenate([rng.random(1000) < 0.1, rng.random(1000) < 0.3])
    >>> [int(index) for index in ECDDWT().update_many(errors).drifts]
    [412, 984, 1060, 1522]

    References
    ----------
    Ross, Adams, Tasoulis and Hand (2012), Exponentially weighted moving average charts for detecting concept drift, Pattern
    Recognition Letters 33, table 1.
    """

    spec: ClassVar[DetectorSpec] = DetectorSpec(
        name="ECDDWT",
        mode="streaming",
        input="binary",
        direction="up",
        params={
            "weight": Interval(float, 0, 1, "neither"),
            "warning_share": Interval(float, 0, 1, "right"),
            "min_instances": Interval(int, 1, 2**31),
            "missing": Choice(("raise", "skip")),
        },
        paper="Ross et al. 2012",
        equations="Z > p + L(p) sd(Z), L of table 1 for a run time of 400",
        false_alarms="about one in 400 values, for error rates from 0.1 to 0.3; one in 290 at 0.05",
        cost="O(1) time and memory",
        warns=True,
        libraries=("Frouros",),
        warmup=lambda parameters: int(parameters["min_instances"]) - 1,
        state_bound_bytes=lambda _: 1024,
        examples=({"min_instances": 100}, {"warning_share": 0.8}),
        expected_failures={
            "a_clear_shift_is_found_in_its_direction_only": "one false alarm in 400 values is what it promises"
        },
    )
    measures: ClassVar[str] = (
        "how many of its deviations the moving average of errors lies above the mean rate"
    )

    def __init__(
        self,
        weight: float = 0.2,
        *,
        warning_share: float = 0.5,
        min_instances: int = 30,
        missing: Literal["raise", "skip"] = "raise",
    ) -> None:
        self.weight = weight
        self.warning_share = warning_share
        self.min_instances = min_instances
        self.missing = missing
        super().__init__()

    def _empty(self) -> Floats:
        return np.zeros(3)

    def _kernel(self) -> tuple[str, str, tuple[Any, ...]]:
        return "recent", "ecdd", (self.min_instances, float(self.weight), float(self.warning_share))
