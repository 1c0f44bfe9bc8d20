"""Drift detectors as a pure library: numpy, numba and scipy, nothing of Kedge, usable alone."""

from kedge.drift.batch.base import BatchDetector, TestResult
from kedge.drift.batch.chi_square import ChiSquare
from kedge.drift.batch.kolmogorov_smirnov import KolmogorovSmirnov
from kedge.drift.batch.population_stability_index import PopulationStabilityIndex
from kedge.drift.calibration import CalibrationReport, calibrate
from kedge.drift.correction import benjamini_hochberg, bonferroni, holm
from kedge.drift.detectors import ALL
from kedge.drift.ensemble.batch import BatchEnsemble, EnsembleTestResult
from kedge.drift.ensemble.elections import (
    Confirmed,
    Election,
    MinimumApproval,
    OrderedApproval,
    SimpleMajority,
    Weighted,
)
from kedge.drift.ensemble.streaming import EnsembleResult, StreamingEnsemble
from kedge.drift.errors import (
    CalibrationError,
    DataError,
    DriftError,
    NotFittedError,
    ParameterError,
    StateError,
)
from kedge.drift.overview import DetectorRecord, ParameterRecord, table
from kedge.drift.recommendation import Recommendation, recommend
from kedge.drift.spec import Choice, Constraint, DetectorSpec, Instances, Interval
from kedge.drift.streaming.adwin import ADWIN
from kedge.drift.streaming.base import Result, State, StreamingDetector
from kedge.drift.streaming.cvm_online import CVMOnline
from kedge.drift.streaming.fet_online import FETOnline
from kedge.drift.streaming.incremental_kolmogorov_smirnov import IncrementalKolmogorovSmirnov
from kedge.drift.streaming.kdq_tree_streaming import KdqTreeStreaming
from kedge.drift.streaming.lsdd_online import LSDDOnline
from kedge.drift.streaming.mmd_online import MMDOnline
from kedge.drift.streaming.page_hinkley import PageHinkley
from kedge.drift.streaming.pca_cd import PCACD

__all__ = [
    "ADWIN",
    "ALL",
    "PCACD",
    "BatchDetector",
    "BatchEnsemble",
    "CVMOnline",
    "CalibrationError",
    "CalibrationReport",
    "ChiSquare",
    "Choice",
    "Confirmed",
    "Constraint",
    "DataError",
    "DetectorRecord",
    "DetectorSpec",
    "DriftError",
    "Election",
    "EnsembleResult",
    "EnsembleTestResult",
    "FETOnline",
    "IncrementalKolmogorovSmirnov",
    "Instances",
    "Interval",
    "KdqTreeStreaming",
    "KolmogorovSmirnov",
    "LSDDOnline",
    "MMDOnline",
    "MinimumApproval",
    "NotFittedError",
    "OrderedApproval",
    "PageHinkley",
    "ParameterError",
    "ParameterRecord",
    "PopulationStabilityIndex",
    "Recommendation",
    "Result",
    "SimpleMajority",
    "State",
    "StateError",
    "StreamingDetector",
    "StreamingEnsemble",
    "TestResult",
    "Weighted",
    "benjamini_hochberg",
    "bonferroni",
    "calibrate",
    "holm",
    "recommend",
    "table",
]
