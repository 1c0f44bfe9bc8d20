"""Cramér-von Mises over a sliding window."""

import functools
from importlib import import_module
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from kedge.drift.kernels.layout import ONLINE_HEAD
from kedge.drift.spec import DetectorSpec, Parameters
from kedge.drift.streaming.base import Flags, Floats
from kedge.drift.streaming.online import FALSE_ALARMS, PARAMS, OnlineTest, warmup
from kedge.drift.streaming.referenced import bound_of


@functools.cache
def _kernel() -> Any:
    return import_module("kedge.drift.kernels.online")  # brings numba, a second, at the first value


def _words(parameters: Parameters, size: int, dimension: int) -> int:
    del dimension
    return ONLINE_HEAD + 2 + 2 * size + 4 * int(parameters["window"])


class CVMOnline(OnlineTest):
    """Do the last values of a stream come from the distribution of the reference, whatever may change in it?

    The statistic is the Cramér-von Mises distance of the window from the reference.

    After an alarm the window is filled anew and the reference stays: while a change lasts it alarms again, every `window`
    values or somewhat more. Where the new state is to be the usual one, call `fit` with values of it; `reset` alone does
    where the reference came from the stream.

    Parameters
    ----------
    expected_run_time : float > 1, default 1000
        Mean number of values, counted from the first full window, to a false alarm. Larger values alarm later and more
        rarely, and need more simulations.
    window : int in [2, 100000], default 20
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

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> detector = CVMOnline(1000, window=30).fit(rng.normal(0, 1, 1000))
    >>> stream = np.concatenate([rng.normal(0, 1, 500), rng.normal(0, 3, 500)])
    >>> [int(index) for index in detector.update_many(stream).drifts][:1]
    [518]

    References
    ----------
    Anderson (1962), On the distribution of the two-sample Cramér-von Mises criterion, Annals of Mathematical Statistics 33,
    equation 1; Ross and Adams (2012), Two nonparametric control charts for detecting arbitrary distribution changes,
    Journal of Quality Technology 44 (for its use on streams).
    """

    spec: ClassVar[DetectorSpec] = DetectorSpec(
        name="CVMOnline",
        mode="streaming",
        input="real",
        direction="both",
        params=PARAMS,
        paper="Ross and Adams 2012",
        equations="two-sample criterion of Anderson 1962, equation 1, at every value",
        false_alarms=FALSE_ALARMS,
        cost="O(w + log m) time a value, O(m + w) memory",
        libraries=("Alibi Detect",),
        warmup=warmup,
        state_bound_bytes=bound_of(_words),
        examples=(
            {"expected_run_time": 5000, "window": 20, "simulations": 2000},
            {"window": 10, "reference_size": 120, "simulations": 1000, "expected_run_time": 2000},
        ),
    )

    _words = staticmethod(_words)
    measures: ClassVar[str] = "the Cramér-von Mises distance of the window from the reference"

    def __init__(
        self,
        expected_run_time: float = 1000.0,
        *,
        window: int = 20,
        reference_size: int = 500,
        simulations: int = 5000,
        seed: int = 0,
        missing: Literal["raise", "skip"] = "raise",
    ) -> None:
        self.expected_run_time = expected_run_time
        self.window = window
        self.reference_size = reference_size
        self.simulations = simulations
        self.seed = seed
        self.missing = missing
        super().__init__()

    def _prepare(self, reference: Floats, rng: np.random.Generator) -> None:
        del rng
        m = reference.size
        base = ONLINE_HEAD + 1
        self._kept[base : base + m] = np.sort(reference)
        suffix = self._kept[base + m : base + 2 * m + 1]
        self._kept[ONLINE_HEAD] = _kernel().cvm_learn(self._kept[base : base + m], suffix)

    def _simulate(self, reference: Floats, chosen: npt.NDArray[np.int64]) -> Floats:
        found: Floats = _kernel().cvm_simulate(np.sort(reference), chosen, self.window)
        return found

    def _compare(self, xs: Floats, flags: Flags, statistics: Floats) -> int:
        _kernel().cvm_run(self._kept, xs, flags, statistics, int(self._state[0]), self.window)
        return len(xs)
