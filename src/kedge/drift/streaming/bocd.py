"""BOCD: the probability of every length that the present run may have."""

import functools
from importlib import import_module
from typing import Any, ClassVar, Literal

import numpy as np

from kedge.drift.kernels.layout import BOCD_COLUMNS, BOCD_HEAD
from kedge.drift.spec import Choice, DetectorSpec, Interval, Parameters
from kedge.drift.streaming.base import Flags, Floats, StreamingDetector

_LEAST = 1e-13
"""Run lengths that are less probable are dropped."""


@functools.cache
def _kernel() -> Any:
    return import_module("kedge.drift.kernels.bocd")  # brings numba, a second, at the first value


def _slots(parameters: Parameters) -> int:
    return BOCD_HEAD + BOCD_COLUMNS * int(parameters["max_runs"])


class BOCD(StreamingDetector):
    """How probable is it that the present concept has ended, and since when?

    Values are normal around a mean (and with a variance) that changes at random moments. Every length that the run since
    the last change may have has a probability, and an alarm comes when it is probable that the concept that began at the
    last alarm is over. The likeliest moment is then its successor's beginning: what was learned since stays.

    The statistic is the probability that the concept of the first values has ended.

    Parameters
    ----------
    hazard : float in (0, 1), default 0.001
        Chance of a change at each value, before any is seen. Larger values alarm sooner and more often.
    threshold : float in (0, 1), default 0.95
        Probability of a change that alarms. Larger values alarm later and more rarely.
    variance : float >= 0, default 0
        Of the values around their mean, where it is known; 0 where it is not and may change too.
    burn_in : int in [0, 100000], default 30
        So many first values (more where those are all the same) only tell the level and the spread in which the priors, and
        `variance`, are measured; 0 takes values as they are.
    prior_mean : float, default 0
        What a new concept's mean is expected to be.
    prior_strength : float > 0, default 0.01
        How many values that expectation is worth. Larger values keep new means closer to it.
    prior_shape : float > 0, default 1
        Half the number of values that the expected variance is worth; without meaning where the variance is known.
    prior_scale : float > 0, default 1
        `prior_shape` times the expected variance; without meaning where the variance is known.
    max_runs : int in [10, 100000], default 500
        How many run lengths are followed at most. Larger values need more time and memory.
    missing : "raise" or "skip", default "raise"
        What NaN and infinities do.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> stream = np.concatenate([rng.normal(0, 1, 500), rng.normal(2, 1, 500)])
    >>> detector = BOCD()
    >>> [int(index) for index in detector.update_many(stream).drifts]
    [507]
    >>> detector.run_length
    499

    References
    ----------
    Adams and MacKay (2007), Bayesian online changepoint detection, arXiv:0710.3742, equations 2 to 8; the predictive
    densities are those of the conjugate normal and normal-inverse-gamma priors (Murphy 2007).
    """

    spec: ClassVar[DetectorSpec] = DetectorSpec(
        name="BOCD",
        mode="streaming",
        input="real",
        direction="both",
        params={
            "hazard": Interval(float, 0, 1, "neither"),
            "threshold": Interval(float, 0, 1, "neither"),
            "variance": Interval(float, 0, 1e100, "left"),
            "burn_in": Interval(int, 0, 100_000),
            "prior_mean": Interval(float, -float("inf"), float("inf"), "neither"),
            "prior_strength": Interval(float, 0, 1e100, "neither"),
            "prior_shape": Interval(float, 0, 1e100, "neither"),
            "prior_scale": Interval(float, 0, 1e100, "neither"),
            "max_runs": Interval(int, 10, 100_000),
            "missing": Choice(("raise", "skip")),
        },
        paper="Adams and MacKay 2007",
        equations="2 to 8, constant hazard, normal-inverse-gamma or normal prior",
        false_alarms="threshold is a probability under the model",
        cost="O(max_runs) time a value and memory",
        threshold="threshold",
        stricter="larger",
        warmup=lambda parameters: int(parameters["burn_in"]),
        libraries=("Frouros",),
        state_bound_bytes=lambda parameters: 1024 + 9 * _slots(parameters),
        examples=(
            {"hazard": 1e-6, "threshold": 0.99},
            {
                "hazard": 1e-6,
                "variance": 1.0,
                "prior_strength": 0.1,
                "max_runs": 100,
                "threshold": 0.99,
                "burn_in": 0,
            },
        ),
    )
    measures: ClassVar[str] = "the probability that the concept of the first values has ended"

    def __init__(
        self,
        hazard: float = 0.001,
        *,
        threshold: float = 0.95,
        variance: float = 0.0,
        burn_in: int = 30,
        prior_mean: float = 0.0,
        prior_strength: float = 0.01,
        prior_shape: float = 1.0,
        prior_scale: float = 1.0,
        max_runs: int = 500,
        missing: Literal["raise", "skip"] = "raise",
    ) -> None:
        self.hazard = hazard
        self.threshold = threshold
        self.variance = variance
        self.burn_in = burn_in
        self.prior_mean = prior_mean
        self.prior_strength = prior_strength
        self.prior_shape = prior_shape
        self.prior_scale = prior_scale
        self.max_runs = max_runs
        self.missing = missing
        super().__init__()

    @property
    def run_length(self) -> int:
        """The likeliest number of values since the last change."""
        table = self._table()
        return int(table[np.argmax(table[:, 1]), 0]) if table.size else 0

    def run_lengths(self) -> tuple[Floats, Floats]:
        """The run lengths that are followed, longest first, and their probabilities."""
        table = self._table()
        return table[:, 0].copy(), table[:, 1].copy()

    def _table(self) -> Floats:
        count = int(self._state[0])
        rows: Floats = self._state[BOCD_HEAD:].reshape(-1, BOCD_COLUMNS)[:count]
        return rows

    def _fits(self, state: Floats) -> bool:
        # The kernel goes through as many rows as the state says that there are.
        return super()._fits(state) and state[0] in range(self.max_runs + 1)

    @property
    def alarm_level(self) -> float:
        """What the statistic must pass to alarm."""
        return float(self.threshold)

    def _empty(self) -> Floats:
        return np.zeros(_slots(self.parameters()))

    def _run(self, xs: Floats, flags: Flags, statistics: Floats) -> None:
        prior = np.array(
            [self.prior_mean, self.prior_strength, self.prior_shape, self.prior_scale], np.float64
        )
        chances = float(self.hazard), float(self.threshold), _LEAST
        model = prior, float(self.variance), self.burn_in
        _kernel().run(self._state, xs, flags, statistics, *chances, *model)
