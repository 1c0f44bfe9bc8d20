"""EDDM: errors that come closer together."""

from typing import Any, ClassVar, Literal

import numpy as np

from kedge.drift.spec import Choice, DetectorSpec, Interval
from kedge.drift.streaming.base import Floats
from kedge.drift.streaming.binary import ErrorDetector


class EDDM(ErrorDetector):
    """Do errors come closer together than they did?

    Compares mean plus two deviations of the distance between errors with the largest value that it has had. It sees gradual
    changes sooner than DDM, and on a steady stream it alarms often: its levels are shares, not chances.

    The statistic is the share of the largest value that mean plus two deviations of the distance between errors has; an
    alarm is below `beta`.

    Parameters
    ----------
    alpha : float in (0, 1), default 0.95
        Share of the largest value below which it warns. Larger values warn sooner.
    beta : float in (0, 1), default 0.9
        Share of the largest value below which it alarms; not above `alpha`. Larger values alarm sooner and more often.
    min_instances : int >= 1, default 30
        No alarm before this many values and more than this many errors. Larger values give steadier distances first.
    missing : "raise" or "skip", default "raise"
        What NaN and infinities do.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> errors = np.concatenate([rng.random(1000) < 0.1, rng.random(1000) < 0.5])
    >>> [int(index) for index in EDDM().update_many(errors).drifts]
    [298, 638, 1004, 1167, 1269, 1337, 1396, 1455, 1530, 1608, 1680, 1727, 1792, 1869]

    References
    ----------
    Baena-García, del Campo-Ávila, Fidalgo, Bifet, Gavaldà and Morales-Bueno (2006), Early drift detection method, IWKDDS.
    The deviation is that of a sample (n - 1), as in River.
    """

    spec: ClassVar[DetectorSpec] = DetectorSpec(
        name="EDDM",
        mode="streaming",
        input="binary",
        direction="up",
        params={
            "alpha": Interval(float, 0, 1, "neither"),
            "beta": Interval(float, 0, 1, "neither"),
            "min_instances": Interval(int, 1, 2**31),
            "missing": Choice(("raise", "skip")),
        },
        paper="Baena-García et al. 2006",
        equations="(p' + 2 s') / (p'_max + 2 s'_max)",
        false_alarms="none: beta is a share, not a chance",
        cost="O(1) time and memory",
        warns=True,
        threshold="beta",
        stricter="smaller",
        libraries=("River", "Frouros", "Menelaus"),
        warmup=lambda parameters: int(parameters["min_instances"]),
        state_bound_bytes=lambda _: 1024,
        examples=({}, {"alpha": 0.97, "beta": 0.93}),
        expected_failures={
            "a_clear_shift_is_found_in_its_direction_only": "its levels are shares of the best so far, which few errors "
            "fall below by chance: the paper's method alarms on steady streams"
        },
    )
    ordered: ClassVar[tuple[tuple[str, str], ...]] = (("beta", "alpha"),)
    measures: ClassVar[str] = (
        "the share of the largest value that mean plus two deviations of the distance between errors has; an alarm is below `beta`"
    )

    def __init__(
        self,
        alpha: float = 0.95,
        *,
        beta: float = 0.9,
        min_instances: int = 30,
        missing: Literal["raise", "skip"] = "raise",
    ) -> None:
        self.alpha = alpha
        self.beta = beta
        self.min_instances = min_instances
        self.missing = missing
        super().__init__()

    @property
    def alarm_level(self) -> float:
        """What the statistic must pass to alarm."""
        return float(self.beta)

    def _empty(self) -> Floats:
        return np.array([0.0, 0.0, 0.0, 0.0, 0.0, -1.0, 0.0, 1.0])

    def _kernel(self) -> tuple[str, str, tuple[Any, ...]]:
        return "concept", "eddm", (self.min_instances, float(self.alpha), float(self.beta))
