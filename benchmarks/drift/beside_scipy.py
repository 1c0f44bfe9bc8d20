"""SciPy, column by column, and `test_columns`, all six tests that SciPy has; and the floor, one sort of every column."""

import os
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from scipy import stats

from benchmarks.drift.samples import Floats, tables
from benchmarks.drift.timing import Comparison, Quantity, alternated
from kedge.drift import (
    AndersonDarling,
    BatchDetector,
    CramerVonMises,
    EnergyDistance,
    KolmogorovSmirnov,
    MannWhitney,
    Wasserstein,
    test_columns,
)

SIX: tuple[BatchDetector, ...] = (
    KolmogorovSmirnov(),
    CramerVonMises(),
    AndersonDarling(),
    MannWhitney(),
    Wasserstein(norm="none"),
    EnergyDistance(norm="none"),
)
SHORT = 2_000
"""Rows of SciPy's uncounted round, which would take as long as another."""


def compared(rounds: int, rows: int, columns: int) -> list[Comparison | Quantity]:
    """SciPy's time beside ours on all cores and on one; and how long sorting alone takes."""
    before, after = tables(rows, columns)

    def scipy(most: int) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # SciPy caps its p-values aloud
            for one, other in zip(before[:most].T, after[:most].T, strict=True):
                _six(np.ascontiguousarray(one), np.ascontiguousarray(other))

    def ours(most: int, threads: int) -> None:
        test_columns(before[:most], after[:most], detectors=SIX, threads=threads)

    def sort(most: int) -> None:
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            list(pool.map(np.sort, [*before[:most].T, *after[:most].T]))

    seconds = alternated(
        rounds,
        {
            "many": lambda: ours(rows, 0),
            "one": lambda: ours(rows, 1),
            "scipy": lambda: scipy(rows),
            "sort": lambda: sort(rows),
        },
        {
            "many": lambda: ours(rows, 0),
            "one": lambda: ours(rows, 1),
            "scipy": lambda: scipy(SHORT),
            "sort": lambda: sort(SHORT),
        },
    )
    title = f"KS, CvM, AD, Mann-Whitney, Wasserstein, energy on {rows:,} x {columns}"
    common = {"rival": "SciPy, column by column", "theirs": seconds["scipy"]}
    return [
        Comparison(key="scipy/threads", title=f"{title}, threads", ours=seconds["many"], **common),
        Comparison(key="scipy/one", title=f"{title}, one thread", ours=seconds["one"], **common),
        Quantity(
            key="scipy/floor",
            title=f"the floor: sorting each of {2 * columns} columns of {rows:,} once, threads",
            unit="s",
            found=seconds["sort"],
        ),
    ]


def _six(reference: Floats, window: Floats) -> None:
    stats.ks_2samp(reference, window)
    stats.cramervonmises_2samp(reference, window)
    stats.anderson_ksamp([reference, window], variant="midrank")
    stats.mannwhitneyu(reference, window)
    stats.wasserstein_distance(reference, window)
    stats.energy_distance(reference, window)
