"""Reconstruction error of principal components."""

from typing import ClassVar, Literal

import numpy as np

from kedge.drift.batch.base import Floats, TestResult
from kedge.drift.batch.ordered import RANK_PARAMS, Method
from kedge.drift.batch.ordering import Ordering
from kedge.drift.batch.vectors import VectorDetector, generator
from kedge.drift.batch.welch import means_apart
from kedge.drift.spec import Choice, DetectorSpec, Interval

_ROUNDING = 1e-12


class PCAReconstruction(VectorDetector):
    """Do the columns of the window still hang together as in the reference?

    Half of the reference, drawn by seed, gives the columns' scales and the principal components; the errors with which
    these reconstruct rows of the other half and of the window are compared by their means. It sees broken correlations, at
    a cost linear in the rows; a change inside the span of the components it cannot see.

    As errors are lengths they are skewed, with heavy tails the more: the limit of t would alarm in 28 of 100 steady windows
    of 200 Cauchy rows against a reference of 12 at a level of 0.05. So splits of the errors, none of which the components
    have seen, are gone through or drawn, as `Welch` does.

    Parameters
    ----------
    alpha : float in (0, 1), default 0.05
        Chance of a false alarm on one window. Larger values find smaller changes.
    variance : float in (0, 1), default 0.65
        Least share of the variance that the components keep; at least one component is left out where there are two
        columns. Larger values keep more, and leave less that can be reconstructed badly.
    method : "auto", "exact", "asymptotic" or "permutation", default "auto"
        How the p-value is had, with the rules of `Welch`: "auto" takes the limit of t where the errors are many enough for
        their skewness, and else splits.
    permutations : int in [99, 1000000], default 9999
        Splits drawn. The least p-value is 1 / (permutations + 1).
    seed : int in [0, 2**63), default 0
        Of the halves and of the splits drawn.
    missing : "raise" or "skip", default "raise"
        What rows with NaN or infinities do.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> together = rng.multivariate_normal([0, 0], [[1, 0.9], [0.9, 1]], 600)
    >>> result = PCAReconstruction().fit(together).test(rng.normal(0, 1, (300, 2)))
    >>> result.drift, result.statistic > 5
    (True, True)

    References
    ----------
    Jackson and Mudholkar (1979), Control procedures for residuals associated with principal component analysis; Welch
    (1947) and Janssen (1997) for the comparison of the means.
    """

    least: ClassVar[int] = 4
    spec: ClassVar[DetectorSpec] = DetectorSpec(
        name="PCAReconstruction",
        mode="batch",
        input="vector",
        direction="both",
        params={
            "alpha": Interval(float, 0, 1, "neither"),
            "variance": Interval(float, 0, 1, "neither"),
            "method": RANK_PARAMS["method"],
            "permutations": RANK_PARAMS["permutations"],
            "seed": Interval(int, 0, 2**63, "left"),
            "missing": Choice(("raise", "skip")),
        },
        paper="Jackson and Mudholkar 1979",
        equations="Welch's t of |x - P x|, P the projection on the components of standardised columns",
        false_alarms="alpha a window",
        cost="O((n + m) d^2 + d^3) a window; by permutation O(permutations min(n, m)) more",
        libraries=("NannyML",),
        examples=(
            {},
            {"variance": 0.3, "alpha": 0.01, "seed": 3, "method": "asymptotic"},
            {"method": "permutation", "permutations": 1999},
        ),
        expected_failures={
            "the_same_sample_is_at_no_distance": "half of the reference is compared, not the whole",
            "a_rare_value_that_becomes_common_is_found": "two rows lie on a line, which one component reconstructs",
        },
    )

    state_version: ClassVar[int] = 2
    older_versions: ClassVar[tuple[int, ...]] = (1,)

    def __init__(
        self,
        alpha: float = 0.05,
        *,
        variance: float = 0.65,
        method: Method = "auto",
        permutations: int = 9999,
        seed: int = 0,
        missing: Literal["raise", "skip"] = "raise",
    ) -> None:
        self.alpha = alpha
        self.variance = variance
        self.method: Method = method
        self.permutations = permutations
        self.seed = seed
        self.missing = missing
        super().__init__()

    def _compare(self, reference: Floats, window: Floats) -> TestResult:
        mixed = generator(self.seed, reference).permutation(reference)
        learnt, other = mixed[: len(mixed) // 2], mixed[len(mixed) // 2 :]
        before, after = reconstruction_errors(learnt, (other, window), self.variance)
        statistic, p_value, method = compared(before, after, self.method, self.permutations, self.seed)
        return self._significant(statistic, p_value, self.alpha, len(window), f"Welch, {method}")


def reconstruction_errors(learnt: Floats, samples: tuple[Floats, ...], variance: float) -> list[Floats]:
    """Length of what the components of `learnt` leave of each row of the samples, in standardised columns."""
    origin = learnt[0]  # far from zero, means and squares would lose their digits
    largest, learnt = np.abs(learnt).max(axis=0), learnt - origin
    mean, deviation = learnt.mean(axis=0), learnt.std(axis=0)
    constant = deviation <= 1e-14 * largest
    scale = np.where(constant, 1.0, deviation)  # a constant column: any departure from it is an error
    values, vectors = np.linalg.eigh(
        np.cov((learnt - mean) / scale, rowvar=False, bias=True).reshape(2 * (len(mean),))
    )
    share = np.cumsum(values[::-1]) / max(float(values.sum()), np.finfo(np.float64).tiny)
    kept = min(int(np.searchsorted(share, variance)) + 1, max(len(mean) - 1, 1))
    components = vectors[:, ::-1][:, :kept] if len(mean) > 1 and values.sum() > 0 else vectors[:, :0]
    errors = []
    for rows in samples:
        centred = (rows - origin - mean) / scale
        left = np.linalg.norm(centred - centred @ components @ components.T, axis=1)
        errors.append(np.where(left > _ROUNDING * np.linalg.norm(centred, axis=1), left, 0.0))
    return errors


def compared(
    before: Floats, after: Floats, method: Method, permutations: int, seed: int
) -> tuple[float, float, str]:
    """Welch's t of the difference of means, its two-sided p-value, and how that was had."""
    unit = max(float(before.max()), float(after.max())) * _ROUNDING
    if unit == 0:
        return 0.0, 1.0, "exact"
    # What is equal in truth differs by rounding, which must not make it differ in rank and variance.
    before, after = (np.sort(np.round(each / unit)) for each in (before, after))
    statistic, p_value, how = means_apart(Ordering.of(before, after), method, permutations, seed)
    return statistic, 1.0 if p_value is None else p_value, how
