"""What tests of 2 x k tables of counts share."""

import abc
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from kedge.drift.batch import categories
from kedge.drift.batch.base import BatchDetector, Floats, TestResult
from kedge.drift.batch.draws import seed_of
from kedge.drift.batch.ordered import Outcome
from kedge.drift.codec import Value

Counts = npt.NDArray[np.int64]

_AT_ONCE = 1_000_000


class TableTest(BatchDetector):
    """Keeps the categories of the reference and their counts, and judges the table of both samples."""

    alpha: float

    @abc.abstractmethod
    def _outcome(self, before: Counts, after: Counts) -> Outcome:
        """Statistic and p-value of the counts of each category."""

    def _clean(self, values: npt.ArrayLike, what: str) -> npt.NDArray[Any]:
        return categories.clean_categories(values, what, self.spec.name, self.missing)

    def _fit(self, reference: npt.NDArray[Any]) -> dict[str, Value]:
        return categories.count(reference)

    def _test(self, window: npt.NDArray[Any]) -> TestResult:
        names, before, after = categories.common(self._fitted, window)
        statistic, p_value, method = self._outcome(before, after)
        return TestResult(
            detector=self.spec.name,
            statistic=statistic,
            threshold=float(self.alpha),
            drift=p_value is not None and p_value < self.alpha,
            n_reference=self._n_reference,
            n=window.size,
            p_value=p_value,
            method=method,
            bins=names,
            reference_counts=tuple(before.tolist()),
            counts=tuple(after.tolist()),
        )


def expected(before: Counts, after: Counts) -> Floats:
    """Counts of the table's cells if both samples had the same shares, shape (2, k)."""
    both = (before + after).astype(np.float64)
    return np.array([both * (before.sum() / both.sum()), both * (after.sum() / both.sum())])


def sparse(before: Counts, after: Counts) -> bool:
    """Whether a chi-square limit is not to be trusted: a cell expects less than 1, or a fifth of them less than 5."""
    cells = expected(before, after)
    return bool(cells.min() < 1 or (cells < 5).mean() > 0.2)


def cramers_v(before: Counts, after: Counts) -> float:
    """Association of sample and category, from 0 (equal shares) to 1 (no category in common)."""
    cells = expected(before, after)
    chi_square = float(np.sum((np.array([before, after]) - cells) ** 2 / cells))
    return float(np.sqrt(chi_square / (before.sum() + after.sum())))


def drawn_windows(before: Counts, after: Counts, permutations: int, seed: int) -> Iterator[Counts]:
    """Counts of windows drawn at random from both samples together, in blocks of shape (draws, k)."""
    generator, both = np.random.default_rng(seed_of(seed, before, after)), before + after
    left = permutations
    while left:
        draws = min(left, max(_AT_ONCE // both.size, 1))
        yield generator.multivariate_hypergeometric(both, int(after.sum()), draws, method="marginals")
        left -= draws


def hypergeometric_p_value(before: Counts, after: Counts) -> float:
    """Fisher's two-sided exact p-value of a 2 x 2 table: the chance of tables that are no likelier than this one."""
    from scipy import special  # imported with the first p-value

    (yes, no), n = (before + after).tolist(), int(after.sum())
    k = np.arange(max(0, n - no), min(yes, n) + 1, dtype=np.float64)
    logs = -sum(special.gammaln(cell + 1) for cell in (k, yes - k, n - k, no - n + k))
    chances = np.exp(logs - logs.max())
    likelier = chances > chances[int(after[0] - k[0])] * (1 + 1e-7)
    return float(min(chances[~likelier].sum() / chances.sum(), 1.0))
