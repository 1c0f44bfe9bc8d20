"""Drift detectors as a pure library: numpy, numba and scipy, nothing of Kedge, usable alone."""

from kedge.drift.batch.base import BatchDetector, TestResult
from kedge.drift.batch.chi_square import ChiSquare
from kedge.drift.batch.kolmogorov_smirnov import KolmogorovSmirnov
from kedge.drift.batch.population_stability_index import PopulationStabilityIndex
from kedge.drift.correction import benjamini_hochberg, bonferroni, holm
from kedge.drift.errors import DataError, DriftError, NotFittedError, ParameterError, StateError
from kedge.drift.spec import Choice, DetectorSpec, Interval
from kedge.drift.streaming.adwin import ADWIN
from kedge.drift.streaming.base import Result, StreamingDetector
from kedge.drift.streaming.page_hinkley import PageHinkley

ALL: tuple[type[StreamingDetector] | type[BatchDetector], ...] = (
    ADWIN,
    PageHinkley,
    ChiSquare,
    KolmogorovSmirnov,
    PopulationStabilityIndex,
)

__all__ = [
    "ADWIN",
    "ALL",
    "BatchDetector",
    "ChiSquare",
    "Choice",
    "DataError",
    "DetectorSpec",
    "DriftError",
    "Interval",
    "KolmogorovSmirnov",
    "NotFittedError",
    "PageHinkley",
    "ParameterError",
    "PopulationStabilityIndex",
    "Result",
    "StateError",
    "StreamingDetector",
    "TestResult",
    "benjamini_hochberg",
    "bonferroni",
    "holm",
]
