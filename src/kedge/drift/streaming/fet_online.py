"""Fisher's exact test over a sliding window of zeros and ones."""

import functools
from importlib import import_module
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from kedge.drift.errors import DataError
from kedge.drift.kernels.layout import ONLINE_HEAD
from kedge.drift.spec import Choice, DetectorSpec, Interval, Parameters
from kedge.drift.streaming.base import Flags, Floats
from kedge.drift.streaming.online import PARAMS, OnlineTest, warmup
from kedge.drift.streaming.referenced import bound_of

_DIRECTIONS = {"up": 1, "down": -1, "both": 0}


@functools.cache
def _kernel() -> Any:
    return import_module("kedge.drift.kernels.online")  # brings numba, a second, at the first value


def _words(parameters: Parameters, size: int, dimension: int) -> int:
    del size, dimension
    return ONLINE_HEAD + 3 + 2 * int(parameters["window"])


class FETOnline(OnlineTest):
    """Has the share of ones, such as errors, changed against the reference?

    At every value, -ln p of Fisher's exact test of the last `window` values against the reference, smoothed; without the
    smoothing it takes few values, and the run time would jump with the threshold.

    The statistic is the smoothed -ln p of Fisher's exact test.

    Where ones are rare the statistic has few values, between which run times jump, and the threshold is the first that is
    not too short: wanted 1000, fresh streams alarmed after 944, 1193 and 3549 values on average at shares of 0.5, 0.1 and
    0.01 with a reference of 5000 values, and after 1021, 1942 and 3150 with one of 500 (30 references, 40 streams each).

    After an alarm the window is filled anew and the reference stays: while a change lasts it alarms again, every `window`
    values or somewhat more. Where the new state is to be the usual one, call `fit` with values of it; `reset` alone does
    where the reference came from the stream.

    Parameters
    ----------
    expected_run_time : float > 1, default 1000
        Mean number of values, counted from the first full window, to a false alarm. Larger values alarm later and more
        rarely, and need more simulations.
    window : int in [2, 100000], default 30
        Larger values see smaller changes, later.
    reference_size : int in [16, 10000000], default 500
        How many first values are the reference, where none is given to `fit`; at least eight windows. Larger values keep
        the run time closer to the expected one.
    simulations : int in [100, 1000000], default 5000
        Simulated streams. Larger values place the threshold more exactly, and take longer.
    seed : int >= 0, default 0
        Of the simulation.
    missing : "raise" or "skip", default "raise"
        What NaN and infinities do.
    weight : float in (0, 1], default 0.5
        Weight of the newest surprise in the smoothed one. Smaller values smooth more; 1 smooths not at all.
    direction : "up", "down" or "both", default "both"
        Which changes of the share count.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> detector = FETOnline(1000, direction="up").fit(rng.random(1000) < 0.1)
    >>> stream = np.concatenate([rng.random(500) < 0.1, rng.random(500) < 0.4])
    >>> [int(index) for index in detector.update_many(stream).drifts][:1]
    [516]

    References
    ----------
    Fisher (1922), On the interpretation of chi-squared from contingency tables, JRSS 85; Ross, Tasoulis and Adams (2013),
    Sequential monitoring of a Bernoulli sequence when the pre-change parameter is unknown, Computational Statistics 28.
    """

    spec: ClassVar[DetectorSpec] = DetectorSpec(
        name="FETOnline",
        mode="streaming",
        input="binary",
        direction="both",
        params={
            **PARAMS,
            "weight": Interval(float, 0, 1, "right"),
            "direction": Choice(tuple(_DIRECTIONS)),
        },
        paper="Ross et al. 2013",
        equations="-ln p of the hypergeometric tail, exponentially smoothed",
        false_alarms="threshold simulated on the reference for the expected run time; of 1000 wanted, fresh streams "
        "had 940 to 1020 at a share of 0.5, 1190 to 1940 at 0.1, 3150 to 3550 at 0.01 (measured): later where ones are rare",
        cost="O(1) time a value, O(m + w) memory",
        libraries=("Alibi Detect",),
        warmup=warmup,
        state_bound_bytes=bound_of(_words),
        examples=(
            {"expected_run_time": 5000, "simulations": 2000},
            {"window": 15, "reference_size": 150, "simulations": 1000, "direction": "up"},
            {"window": 15, "reference_size": 150, "simulations": 1000, "direction": "down", "weight": 0.2},
        ),
    )

    _words = staticmethod(_words)
    measures: ClassVar[str] = "the smoothed -ln p of Fisher's exact test"

    def __init__(
        self,
        expected_run_time: float = 1000.0,
        *,
        window: int = 30,
        reference_size: int = 500,
        simulations: int = 5000,
        seed: int = 0,
        weight: float = 0.5,
        direction: Literal["up", "down", "both"] = "both",
        missing: Literal["raise", "skip"] = "raise",
    ) -> None:
        self.expected_run_time = expected_run_time
        self.window = window
        self.reference_size = reference_size
        self.simulations = simulations
        self.seed = seed
        self.weight = weight
        self.direction = direction
        self.missing = missing
        super().__init__()

    def checked(self, xs: npt.ArrayLike) -> tuple[Floats, npt.NDArray[np.int64] | None]:
        """As for all detectors, and values other than 0 and 1 are refused."""
        values, kept = super().checked(xs)
        taken = values if kept is None else values[kept]
        other = taken[(taken != 0) & (taken != 1)]
        if other.size:
            raise DataError(f"FETOnline: values must be 0 or 1, got {other[0]:g}")
        return values, kept

    def _prepare(self, reference: Floats, rng: np.random.Generator) -> None:
        del rng
        ones, w = int(reference.sum()), self.window
        table = _kernel().fisher(ones, reference.size, w, _DIRECTIONS[self.direction])
        self._kept[ONLINE_HEAD + 2 : ONLINE_HEAD + 3 + w] = table

    def _simulate(self, reference: Floats, chosen: npt.NDArray[np.int64]) -> Floats:
        direction = _DIRECTIONS[self.direction]
        found: Floats = _kernel().fet_simulate(reference, chosen, self.window, float(self.weight), direction)
        return found

    def _compare(self, xs: Floats, flags: Flags, statistics: Floats) -> int:
        _kernel().fet_run(self._kept, xs, flags, statistics, self.window, float(self.weight))
        return len(xs)
