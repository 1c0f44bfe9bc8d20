"""Which batch detectors for samples like these: a detector of its own level or effect size, and the reasons."""

import math
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from kedge.drift.batch.base import BatchDetector
from kedge.drift.batch.chi_square import ChiSquare
from kedge.drift.batch.classifier_two_sample import ClassifierTwoSample
from kedge.drift.batch.energy_distance_multivariate import EnergyDistanceMultivariate
from kedge.drift.batch.hdddm import HDDDM
from kedge.drift.batch.jensen_shannon import JensenShannon
from kedge.drift.batch.kolmogorov_smirnov import KolmogorovSmirnov
from kedge.drift.batch.lsdd import LSDD
from kedge.drift.batch.mmd import MMD
from kedge.drift.batch.population_stability_index import PopulationStabilityIndex
from kedge.drift.columns import FEW_VALUES, LARGE
from kedge.drift.errors import DataError

Advice = tuple[BatchDetector, tuple[str, ...]]
Missing = Literal["raise", "skip"]

_MOST_PERMUTATIONS = 20_000
_MANY_COLUMNS = 10
_MANY_ROWS = 2000
_UNLIKE = 10.0

_INDEX = "measures how large a change is, whatever the number of values: above 0.2 is a shift by custom"
_UNCONTROLLED = "does not control false alarms: calibrate sets its threshold for a size of window"


def for_column(values: npt.NDArray[Any], rate: float, missing: Missing) -> tuple[Advice, ...]:
    """For a column of finite numbers, or of categories as objects: as `test_columns` chooses by kind and size."""
    kinds, n = len(np.unique(values)), len(values)
    if values.dtype.kind in "Ob" or kinds <= FEW_VALUES:
        return _for_categories(values, kinds, rate, missing)
    level = f"alarms on {rate:.3g} of the windows without drift"
    seen = "sees any change of a distribution of numbers, without bins to choose"
    distribution = KolmogorovSmirnov(rate, missing=missing), (seen, level, *_numbered(values, kinds))
    effect = PopulationStabilityIndex(missing=missing), (_INDEX, _UNCONTROLLED)
    if n <= LARGE:
        return distribution, effect
    return (effect[0], (*effect[1], _trifles(n))), distribution


def _for_categories(
    values: npt.NDArray[Any], kinds: int, rate: float, missing: Missing
) -> tuple[Advice, ...]:
    n = len(values)
    if 2 * kinds > n:
        raise DataError(
            f"recommend: {kinds} categories in {n} values: nearly each is its own, as names or ids are, and no share "
            "of them can be compared; compare their groups, or how many are new"
        )
    level = f"alarms on {rate:.3g} of the windows without drift"
    few = (
        ()
        if values.dtype.kind in "Ob"
        else (f"only {kinds} different numbers: as test_columns does, they are categories",)
    )
    shares = ChiSquare(rate, missing=missing), (f"compares the shares of {kinds} categories", level, *few)
    if n <= LARGE:
        return shares, (
            PopulationStabilityIndex(binning="categories", missing=missing),
            (_INDEX, _UNCONTROLLED),
        )
    distance = "measures how far the shares are apart, from 0 to 1, and is defined where a category is new"
    return (
        JensenShannon(binning="categories", missing=missing),
        (distance, *few, _UNCONTROLLED, _trifles(n)),
    ), shares


def _numbered(values: npt.NDArray[Any], kinds: int) -> tuple[str, ...]:
    if kinds < len(values) or (values != np.round(values)).any():
        return ()
    return (
        "whole numbers of which none comes twice: if they are ids or times, they drift without meaning anything",
    )


def _trifles(n: int) -> str:
    return f"with {n} values, trifles are significant: an effect size comes first"


def for_rows(rows: npt.NDArray[np.float64], rate: float, missing: Missing) -> tuple[Advice, ...]:
    """For rows of several numbers that change together, finite, of shape (n, d)."""
    n, d = rows.shape
    permutations = max(100, math.ceil(2 / rate))
    if permutations > _MOST_PERMUTATIONS:
        raise DataError(
            f"recommend: tests of rows draw at least 1 / rate permutations, too many for a rate of {rate:.3g}; "
            f"ask for {2 / _MOST_PERMUTATIONS:g} or more, or for one column at a time"
        )
    level = f"alarms on {rate:.3g} of the windows without drift: {permutations} permutations tell so small a chance"
    cautions = (*_scales(rows), *_size(n))
    kernel = (
        MMD(rate, permutations=permutations, missing=missing),
        (f"sees any change of all {d} columns together, their dependence too", level, *cautions),
    )
    energy = (
        EnergyDistanceMultivariate(rate, permutations=permutations, missing=missing),
        ("the same without a bandwidth to choose; shifts of the mean soonest", level, *cautions),
    )
    fine = (
        LSDD(rate, permutations=permutations, missing=missing),
        ("weighs where densities differ; best with few columns", level, *cautions),
    )
    marginal = (
        HDDDM(rate, permutations=permutations, missing=missing),
        (
            "histograms of each column: time grows with the rows, not with their square, and scales do not matter",
            level,
            "blind to columns that change only in how they depend on each other",
        ),
    )
    learnt = (
        ClassifierTwoSample(rate, missing=missing),
        (
            f"with {d} columns distances tell little: a classifier finds the few that differ",
            f"alarms on {rate:.3g} of the windows without drift",
            "needs scikit-learn; half of the rows only teach",
        ),
    )
    if d <= 2:
        return fine, kernel, energy, marginal
    return (learnt, kernel, energy, marginal) if d > _MANY_COLUMNS else (kernel, energy, fine, marginal)


def _scales(rows: npt.NDArray[np.float64]) -> tuple[str, ...]:
    spread = rows.std(axis=0)
    spread = spread[spread > 0]
    if not spread.size or spread.max() <= _UNLIKE * spread.min():
        return ()
    factor = spread.max() / spread.min()
    return (
        f"columns differ {factor:.3g} times in spread, and the widest would decide: standardise them first",
    )


def _size(n: int) -> tuple[str, ...]:
    return (f"time grows with the square of the rows: draw some of the {n}",) if n > _MANY_ROWS else ()
