"""RDDM: DDM that forgets the beginning of a long concept."""

from typing import Any, ClassVar, Literal

import numpy as np

from kedge.drift.spec import Choice, DetectorSpec, Interval
from kedge.drift.streaming.base import Floats
from kedge.drift.streaming.binary import ErrorDetector


class RDDM(ErrorDetector):
    """Has the error rate risen well above its lowest, in a concept that may be long?

    DDM grows deaf in a long steady concept, for a rise hardly moves the mean of all. RDDM counts again from the last values
    when a concept is long, and alarms also when it has warned for long. After an alarm it goes on from the values since the
    warning began.

    The statistic is the error rate and its deviation together, p + s.

    Parameters
    ----------
    warning_level : float > 0, default 1.773
        Deviations above the lowest point that warn; not above `drift_level`. Larger values warn later.
    drift_level : float > 0, default 2.258
        Deviations above the lowest point that alarm. Larger values alarm later and more rarely.
    min_instances : int >= 1, default 129
        No alarm before this many values. Larger values give a steadier rate first.
    max_concept : int >= 1, default 40000
        After so many values without an alarm it counts again. Larger values forget later.
    min_concept : int in [1, 1000000], default 7000
        How many last values it counts again from; not above `max_concept`. Larger values remember more and need more memory.
    max_warnings : int >= 1, default 1400
        So many values of warning in a row are an alarm.
    missing : "raise" or "skip", default "raise"
        What NaN and infinities do.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(2)
    >>> errors = np.concatenate([rng.random(1000) < 0.1, rng.random(1000) < 0.3])
    >>> [int(index) for index in RDDM().update_many(errors).drifts]
    [1059]

    References
    ----------
    Barros, Cabral, Gonçalves and Santos (2017), RDDM: reactive drift detection method, Expert Systems with Applications 90,
    algorithm 1 and its parameters.
    """

    spec: ClassVar[DetectorSpec] = DetectorSpec(
        name="RDDM",
        mode="streaming",
        input="binary",
        direction="up",
        params={
            "warning_level": Interval(float, 0, float("inf"), "neither"),
            "drift_level": Interval(float, 0, float("inf"), "neither"),
            "min_instances": Interval(int, 1, 2**31),
            "max_concept": Interval(int, 1, 2**31),
            "min_concept": Interval(int, 1, 1_000_000),
            "max_warnings": Interval(int, 1, 2**31),
            "missing": Choice(("raise", "skip")),
        },
        paper="Barros et al. 2017",
        equations="algorithm 1",
        false_alarms="drift_level; no chance is promised",
        cost="O(1) time a value, O(min_concept) memory",
        warns=True,
        threshold="drift_level",
        stricter="larger",
        libraries=("Frouros",),
        warmup=lambda parameters: int(parameters["min_instances"]) - 1,
        state_bound_bytes=lambda parameters: 1024 + 9 * int(parameters["min_concept"]),
        examples=(
            {"min_concept": 500},
            {
                "max_concept": 700,
                "min_concept": 300,
                "max_warnings": 50,
                "min_instances": 60,
                "drift_level": 4.0,
                "warning_level": 3.0,
            },
        ),
    )
    ordered: ClassVar[tuple[tuple[str, str], ...]] = (
        ("warning_level", "drift_level"),
        ("min_concept", "max_concept"),
    )
    measures: ClassVar[str] = "the error rate and its deviation together, p + s"

    def __init__(
        self,
        warning_level: float = 1.773,
        *,
        drift_level: float = 2.258,
        min_instances: int = 129,
        max_concept: int = 40_000,
        min_concept: int = 7000,
        max_warnings: int = 1400,
        missing: Literal["raise", "skip"] = "raise",
    ) -> None:
        self.warning_level = warning_level
        self.drift_level = drift_level
        self.min_instances = min_instances
        self.max_concept = max_concept
        self.min_concept = min_concept
        self.max_warnings = max_warnings
        self.missing = missing
        super().__init__()

    def _empty(self) -> Floats:
        return np.concatenate(
            [[0.0, 0.0, 0.0, 0.0, np.inf, 0.0, -1.0, 0.0, -1.0, 0.0, -1.0], np.zeros(self.min_concept)]
        )

    def _kernel(self) -> tuple[str, str, tuple[Any, ...]]:
        levels = float(self.warning_level), float(self.drift_level)
        return "recent", "rddm", (self.min_instances, *levels, self.max_concept, self.max_warnings)
