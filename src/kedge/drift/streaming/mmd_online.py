"""Maximum mean discrepancy over a sliding window of vectors."""

import functools
from importlib import import_module
from typing import Any, ClassVar, Literal

import numpy as np

from kedge.drift.kernels.layout import ONLINE_HEAD
from kedge.drift.spec import DetectorSpec, Interval, Parameters
from kedge.drift.streaming.base import Floats
from kedge.drift.streaming.embedded import EmbeddedOnlineTest
from kedge.drift.streaming.online import FALSE_ALARMS, PARAMS, warmup
from kedge.drift.streaming.referenced import bound_of


@functools.cache
def _kernel() -> Any:
    return import_module("kedge.drift.kernels.embedding")  # brings numba, a second, at the first value


def _words(parameters: Parameters, size: int, dimension: int) -> int:
    del size
    features = int(parameters["features"])
    return dimension * (2 + features) + ONLINE_HEAD + 2 * features * (2 + int(parameters["window"]))


class MMDOnline(EmbeddedOnlineTest):
    """Do the last vectors of a stream come from the distribution of the reference?

    The statistic is the squared maximum mean discrepancy, under a Gaussian kernel, of the last `window` vectors and the
    reference. The kernel is approximated by random Fourier features, so that a value costs the same whatever the sizes of
    window and reference; the threshold is found for that very statistic, and the false alarms do not depend on how good the
    approximation is.

    The statistic is the squared maximum mean discrepancy of window and reference.

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
        How many first vectors are the reference, where none is given to `fit`; at least eight windows. Larger values keep
        the run time closer to the expected one.
    simulations : int in [100, 1000000], default 5000
        Simulated streams. Larger values place the threshold more exactly, and take longer.
    seed : int >= 0, default 0
        Of the simulation and the random frequencies.
    missing : "raise" or "skip", default "raise"
        What NaN and infinities do.
    features : int in [1, 10000], default 50
        Random frequencies. Larger values see more kinds of change, for more time.
    bandwidth : float >= 0, default 0
        Of the Gaussian kernel, in standard deviations of the reference; 0 takes the median distance between its vectors.
        Larger values see broad changes, smaller ones fine changes.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> detector = MMDOnline(1000).fit(rng.normal(0, 1, (500, 3)))
    >>> stream = np.concatenate([rng.normal(0, 1, (500, 3)), rng.normal(1, 1, (500, 3))])
    >>> [int(index) for index in detector.update_many(stream).drifts][:1]
    [355]

    References
    ----------
    Gretton, Borgwardt, Rasch, Schölkopf and Smola (2012), A kernel two-sample test, JMLR 13, equation 5; Rahimi and Recht
    (2007), Random features for large-scale kernel machines, NeurIPS; Keriven, Garreau and Poli (2020), NEWMA, IEEE
    Transactions on Signal Processing 68 (for both on streams).
    """

    spec: ClassVar[DetectorSpec] = DetectorSpec(
        name="MMDOnline",
        mode="streaming",
        input="vector",
        direction="both",
        params={
            **PARAMS,
            "features": Interval(int, 1, 10_000),
            "bandwidth": Interval(float, 0, float("inf"), "left"),
        },
        paper="Gretton et al. 2012",
        equations="biased MMD of equation 5, the kernel by random Fourier features",
        false_alarms=FALSE_ALARMS,
        cost="O(features d) time a value, O(m d + w features) memory",
        libraries=("Alibi Detect", "Frouros"),
        warmup=warmup,
        state_bound_bytes=bound_of(_words),
        examples=(
            {"expected_run_time": 5000, "simulations": 2000},
            {
                "window": 20,
                "reference_size": 400,
                "simulations": 3000,
                "seed": 3,
                "features": 20,
                "expected_run_time": 10000,
            },
        ),
    )

    _words = staticmethod(_words)
    measures: ClassVar[str] = "the squared maximum mean discrepancy of window and reference"

    def __init__(
        self,
        expected_run_time: float = 1000.0,
        *,
        window: int = 20,
        reference_size: int = 500,
        simulations: int = 5000,
        seed: int = 0,
        features: int = 50,
        bandwidth: float = 0.0,
        missing: Literal["raise", "skip"] = "raise",
    ) -> None:
        self.expected_run_time = expected_run_time
        self.window = window
        self.reference_size = reference_size
        self.simulations = simulations
        self.seed = seed
        self.features = features
        self.bandwidth = bandwidth
        self.missing = missing
        super().__init__()

    def _map_words(self, dimension: int) -> int:
        return self.features * dimension

    def _make_map(self, scaled: Floats, rng: np.random.Generator) -> Floats:
        frequencies = rng.normal(size=(self.features, scaled.shape[1])) / self._bandwidth_for(scaled)
        return frequencies.ravel()

    def _features(self, scaled: Floats) -> Floats:
        found: Floats = _kernel().fourier(scaled, self._map.reshape(self.features, self._dimension))
        return found
