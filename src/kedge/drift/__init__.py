"""Drift detectors as a pure library: numpy, numba and scipy, nothing of Kedge, usable alone."""

from kedge.drift.batch.base import BatchDetector, TestResult
from kedge.drift.batch.cdbd import CDBD
from kedge.drift.batch.chi_square import ChiSquare
from kedge.drift.batch.classifier_two_sample import ClassifierTwoSample
from kedge.drift.batch.energy_distance_multivariate import EnergyDistanceMultivariate
from kedge.drift.batch.hdddm import HDDDM
from kedge.drift.batch.kdq_tree import KdqTree
from kedge.drift.batch.kolmogorov_smirnov import KolmogorovSmirnov
from kedge.drift.batch.lsdd import LSDD
from kedge.drift.batch.mmd import MMD
from kedge.drift.batch.model_uncertainty import ModelUncertainty
from kedge.drift.batch.nndvi import NNDVI
from kedge.drift.batch.pca_reconstruction import PCAReconstruction
from kedge.drift.batch.population_stability_index import PopulationStabilityIndex
from kedge.drift.correction import benjamini_hochberg, bonferroni, holm
from kedge.drift.detectors import ALL
from kedge.drift.errors import DataError, DriftError, NotFittedError, ParameterError, StateError
from kedge.drift.spec import Choice, Constraint, DetectorSpec, Interval, Methods, OrNone
from kedge.drift.streaming.adwin import ADWIN
from kedge.drift.streaming.base import Result, State, StreamingDetector
from kedge.drift.streaming.page_hinkley import PageHinkley

__all__ = [
    "ADWIN",
    "ALL",
    "CDBD",
    "HDDDM",
    "LSDD",
    "MMD",
    "NNDVI",
    "BatchDetector",
    "ChiSquare",
    "Choice",
    "ClassifierTwoSample",
    "Constraint",
    "DataError",
    "DetectorSpec",
    "DriftError",
    "EnergyDistanceMultivariate",
    "Interval",
    "KdqTree",
    "KolmogorovSmirnov",
    "Methods",
    "ModelUncertainty",
    "NotFittedError",
    "OrNone",
    "PCAReconstruction",
    "PageHinkley",
    "ParameterError",
    "PopulationStabilityIndex",
    "Result",
    "State",
    "StateError",
    "StreamingDetector",
    "TestResult",
    "benjamini_hochberg",
    "bonferroni",
    "holm",
]
