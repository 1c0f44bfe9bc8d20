"""Reconstruction error of principal components."""

import math
from typing import ClassVar, Literal

import numpy as np

from kedge.drift.batch.base import Floats, TestResult
from kedge.drift.batch.vectors import VectorDetector, generator
from kedge.drift.spec import Choice, DetectorSpec, Interval


class PCAReconstruction(VectorDetector):
    """Do the columns of the window still hang together as in the reference?

    Half of the reference, drawn by seed, gives the columns' scales and the principal components; the errors with which
    these reconstruct rows of the other half and of the window are compared by their means. It sees broken correlations, at
    a cost linear in the rows; a change inside the span of the components it cannot see.

    Parameters
    ----------
    alpha : float in (0, 1), default 0.05
        Chance of a false alarm on one window. Larger values find smaller changes.
    variance : float in (0, 1), default 0.65
        Least share of the variance that the components keep; at least one component is left out where there are two
        columns. Larger values keep more, and leave less that can be reconstructed badly.
    seed : int in [0, 2**63), default 0
        Of the halves.
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
    (1947) for the comparison of the means.
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
            "seed": Interval(int, 0, 2**63, "left"),
            "missing": Choice(("raise", "skip")),
        },
        paper="Jackson and Mudholkar 1979",
        equations="Welch's t of |x - P x|, P the projection on the components of standardised columns",
        false_alarms="alpha a window (asymptotic)",
        cost="O((n + m) d^2 + d^3) a window",
        libraries=("NannyML",),
        examples=({}, {"variance": 0.3, "alpha": 0.01, "seed": 3}),
        expected_failures={
            "the_same_sample_is_at_no_distance": "half of the reference is compared, not the whole"
        },
    )

    def __init__(
        self,
        alpha: float = 0.05,
        *,
        variance: float = 0.65,
        seed: int = 0,
        missing: Literal["raise", "skip"] = "raise",
    ) -> None:
        self.alpha = alpha
        self.variance = variance
        self.seed = seed
        self.missing = missing
        super().__init__()

    def _compare(self, reference: Floats, window: Floats) -> TestResult:
        mixed = generator(self.seed, reference).permutation(reference)
        learnt, other = mixed[: len(mixed) // 2], mixed[len(mixed) // 2 :]
        before, after = reconstruction_errors(learnt, (other, window), self.variance)
        statistic, p_value = welch(before, after)
        return self._significant(statistic, p_value, self.alpha, len(window), "Welch")


def reconstruction_errors(learnt: Floats, samples: tuple[Floats, ...], variance: float) -> list[Floats]:
    """Length of what the components of `learnt` leave of each row of the samples, in standardised columns."""
    mean, deviation = learnt.mean(axis=0), learnt.std(axis=0)
    constant = deviation <= 1e-14 * np.abs(learnt).max(axis=0)
    scale = np.where(constant, 1.0, deviation)  # a constant column: any departure from it is an error
    values, vectors = np.linalg.eigh(
        np.cov((learnt - mean) / scale, rowvar=False, bias=True).reshape(2 * (len(mean),))
    )
    share = np.cumsum(values[::-1]) / max(float(values.sum()), np.finfo(np.float64).tiny)
    kept = min(int(np.searchsorted(share, variance)) + 1, max(len(mean) - 1, 1))
    components = vectors[:, ::-1][:, :kept] if len(mean) > 1 and values.sum() > 0 else vectors[:, :0]
    errors = []
    for rows in samples:
        centred = (rows - mean) / scale
        errors.append(np.linalg.norm(centred - centred @ components @ components.T, axis=1))
    return errors


def welch(before: Floats, after: Floats) -> tuple[float, float]:
    """Welch's t of the difference of means, and its two-sided p-value."""
    from scipy import special  # imported with the first p-value

    difference = float(after.mean() - before.mean())
    shares = [each.var(ddof=1) / each.size for each in (before, after)]
    error = math.sqrt(sum(shares))
    if error <= 1e-12 * max(before.max(), after.max()):  # constants, equal or not
        apart = abs(difference) > 1e-9 * max(1.0, abs(before.mean()))
        return math.copysign(1e9, difference) if apart else 0.0, 0.0 if apart else 1.0
    freedom = sum(shares) ** 2 / sum(
        share**2 / (each.size - 1) for share, each in zip(shares, (before, after), strict=True)
    )
    statistic = difference / error
    return statistic, float(2 * special.stdtr(freedom, -abs(statistic)))
