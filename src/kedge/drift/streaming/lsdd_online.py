"""Least-squares density difference over a sliding window of vectors."""

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
    centers, window = int(parameters["centers"]), int(parameters["window"])
    return 2 * dimension + 1 + centers * (dimension + centers) + ONLINE_HEAD + centers * (2 + window)


class LSDDOnline(EmbeddedOnlineTest):
    """How far apart are the densities of the last vectors of a stream and of the reference?

    The statistic estimates the integral of the squared difference of the two densities, up to a factor that depends on the
    bandwidth alone, without estimating either density. The difference is modelled by Gaussian bumps at vectors of the
    reference; a value costs the same whatever the sizes of window and reference.

    The statistic is the estimated squared difference of the densities.

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
        Of the simulation and of the choice of centers.
    missing : "raise" or "skip", default "raise"
        What NaN and infinities do.
    centers : int in [1, 1000], default 30
        Gaussian bumps. Larger values see finer differences, for more time.
    regularization : float > 0, default 0.1
        Larger values smooth the difference more.
    bandwidth : float >= 0, default 0
        Of the Gaussian kernel, in standard deviations of the reference; 0 takes the median distance between its vectors.
        Larger values see broad changes, smaller ones fine changes;
        but vectors far from all of the reference are lost to small ones.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> detector = LSDDOnline(1000).fit(rng.normal(0, 1, (500, 3)))
    >>> stream = np.concatenate([rng.normal(0, 1, (500, 3)), rng.normal(1, 1, (500, 3))])
    >>> [int(index) for index in detector.update_many(stream).drifts][:1]
    [349]

    References
    ----------
    Sugiyama, Kanamori, Suzuki, du Plessis, Liu and Takeuchi (2013), Density-difference estimation, Neural Computation 25,
    equations 8 and 10 (the combination 2 h'a - a'Ha).
    """

    spec: ClassVar[DetectorSpec] = DetectorSpec(
        name="LSDDOnline",
        mode="streaming",
        input="vector",
        direction="both",
        params={
            **PARAMS,
            "centers": Interval(int, 1, 1000),
            "regularization": Interval(float, 0, float("inf"), "neither"),
            "bandwidth": Interval(float, 0, float("inf"), "left"),
        },
        paper="Sugiyama et al. 2013",
        equations="2 h'a - a'Ha with a = (H + lambda I)^-1 h",
        false_alarms=FALSE_ALARMS,
        cost="O(centers (centers + d)) time a value, O(m d + w centers) memory",
        libraries=("Alibi Detect",),
        warmup=warmup,
        state_bound_bytes=bound_of(_words),
        examples=(
            {"expected_run_time": 5000, "simulations": 2000},
            {
                "window": 15,
                "reference_size": 300,
                "simulations": 2000,
                "seed": 1,
                "centers": 10,
                "bandwidth": 3.0,
                "expected_run_time": 6000,
            },
        ),
    )

    _words = staticmethod(_words)
    measures: ClassVar[str] = "the estimated squared difference of the densities"

    def __init__(
        self,
        expected_run_time: float = 1000.0,
        *,
        window: int = 20,
        reference_size: int = 500,
        simulations: int = 5000,
        seed: int = 0,
        centers: int = 30,
        regularization: float = 0.1,
        bandwidth: float = 0.0,
        missing: Literal["raise", "skip"] = "raise",
    ) -> None:
        self.expected_run_time = expected_run_time
        self.window = window
        self.reference_size = reference_size
        self.simulations = simulations
        self.seed = seed
        self.centers = centers
        self.regularization = regularization
        self.bandwidth = bandwidth
        self.missing = missing
        super().__init__()

    def _map_words(self, dimension: int) -> int:
        return 1 + self.centers * (dimension + self.centers)

    def _make_map(self, scaled: Floats, rng: np.random.Generator) -> Floats:
        bandwidth = self._bandwidth_for(scaled)
        centers = scaled[rng.integers(0, len(scaled), self.centers)]
        gaps = centers[:, np.newaxis, :] - centers[np.newaxis, :, :]
        overlaps = np.exp(-(gaps**2).sum(axis=2) / (4 * bandwidth**2))
        # In the eigenvectors of H the statistic is a sum of squares: of h's coordinates, times these weights.
        values, vectors = np.linalg.eigh(overlaps)
        values, ridge = np.maximum(values, 0.0), float(self.regularization)
        weights = (values + 2 * ridge) / (values + ridge) ** 2
        mixing = np.sqrt(weights)[:, np.newaxis] * vectors.T
        return np.concatenate([[bandwidth], centers.ravel(), mixing.ravel()])

    def _features(self, scaled: Floats) -> Floats:
        count, d = self.centers, self._dimension
        centers = self._map[1 : 1 + count * d].reshape(count, d)
        mixing = self._map[1 + count * d :].reshape(count, count)
        found: Floats = _kernel().bumps(scaled, centers, mixing, float(self._map[0]))
        return found
