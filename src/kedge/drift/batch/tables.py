"""What tests of 2 x k tables of counts share."""

import abc
import functools
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt

from kedge.drift.batch import categories
from kedge.drift.batch.base import BatchDetector, Floats, TestResult
from kedge.drift.batch.draws import seed_of
from kedge.drift.batch.ordered import Outcome
from kedge.drift.codec import Value

Counts = npt.NDArray[np.int64]

Cell = Callable[[Counts, Counts], Floats]
"""What each category adds to a statistic, of its counts in both samples, whose sizes it knows."""

_AT_ONCE = 1_000_000
_VALUES_A_COUNT = 5
"""How many values are drawn in the time of one count."""


@functools.cache
def _kernel() -> Any:
    return import_module("kedge.drift.kernels.table_sums")  # brings numba, a second, at the first draw


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


def drawn_p_value(before: Counts, after: Counts, cell: Cell, permutations: int, seed: int) -> float:
    """The share of random tables, this one among them, whose sum of `cell` over the categories is no smaller.

    All have this table's sums of rows and columns (Phipson and Smyth 2010). Where the values of the smaller sample are
    few for the categories, these are drawn, else the categories' counts.
    """
    observed = float(cell(before, after).sum())
    least = observed - 1e-9 * max(abs(observed), 1.0)  # rounding must not part equal statistics
    few = min(before.sum(), after.sum()) < _VALUES_A_COUNT * before.size
    drawn = (_by_values if few else _by_counts)(
        before, after, cell, permutations, seed_of(seed, before, after)
    )
    found = sum(int((sums >= least).sum()) for sums in drawn)
    return (found + 1) / (permutations + 1)


def _by_counts(before: Counts, after: Counts, cell: Cell, permutations: int, seed: int) -> Iterator[Floats]:
    generator, both = np.random.default_rng(seed), before + after
    while permutations:
        draws = min(permutations, max(_AT_ONCE // both.size, 1))
        window = generator.multivariate_hypergeometric(both, int(after.sum()), draws, method="marginals")
        yield cell(both - window, window).sum(axis=-1)
        permutations -= draws


def _by_values(before: Counts, after: Counts, cell: Cell, permutations: int, seed: int) -> Iterator[Floats]:
    both, smaller = before + after, int(min(before.sum(), after.sum()))
    starts, categories = np.cumsum(both) - both, np.repeat(np.arange(both.size), both)
    mine = np.arange(categories.size) - starts[categories]
    none, of_all = np.zeros_like(both), both[categories]
    if after.sum() == smaller:
        first = float(cell(both, none).sum())
        gains = cell(of_all - mine - 1, mine + 1) - cell(of_all - mine, mine)
    else:
        first = float(cell(none, both).sum())
        gains = cell(mine + 1, of_all - mine - 1) - cell(mine, of_all - mine)
    sums = np.empty(permutations)
    _kernel().drawn_tables(categories, starts, gains, smaller, seed, sums)
    yield first + sums


def hypergeometric_p_value(before: Counts, after: Counts) -> float:
    """Fisher's two-sided exact p-value of a 2 x 2 table: the chance of tables that are no likelier than this one."""
    from scipy import special  # imported with the first p-value

    (yes, no), n = (before + after).tolist(), int(after.sum())
    k = np.arange(max(0, n - no), min(yes, n) + 1, dtype=np.float64)
    logs = -sum(special.gammaln(cell + 1) for cell in (k, yes - k, n - k, no - n + k))
    chances = np.exp(logs - logs.max())
    likelier = chances > chances[int(after[0] - k[0])] * (1 + 1e-7)
    return float(min(chances[~likelier].sum() / chances.sum(), 1.0))
