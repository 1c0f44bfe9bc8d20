"""Drift detectors as a pure library: numpy, numba and scipy, nothing of Kedge, usable alone."""

from kedge.drift.batch.anderson_darling import AndersonDarling
from kedge.drift.batch.base import BatchDetector, TestResult
from kedge.drift.batch.baumgartner_weiss_schindler import BaumgartnerWeissSchindler
from kedge.drift.batch.bhattacharyya import Bhattacharyya
from kedge.drift.batch.cdbd import CDBD
from kedge.drift.batch.chi_square import ChiSquare
from kedge.drift.batch.classifier_two_sample import ClassifierTwoSample
from kedge.drift.batch.context_mmd import ContextMMD
from kedge.drift.batch.cramer_von_mises import CramerVonMises
from kedge.drift.batch.energy_distance import EnergyDistance
from kedge.drift.batch.energy_distance_multivariate import EnergyDistanceMultivariate
from kedge.drift.batch.epps_singleton import EppsSingleton
from kedge.drift.batch.fisher_exact import FisherExact
from kedge.drift.batch.g_test import GTest
from kedge.drift.batch.hdddm import HDDDM
from kedge.drift.batch.hellinger import Hellinger
from kedge.drift.batch.jensen_shannon import JensenShannon
from kedge.drift.batch.kdq_tree import KdqTree
from kedge.drift.batch.kolmogorov_smirnov import KolmogorovSmirnov
from kedge.drift.batch.kuiper import Kuiper
from kedge.drift.batch.kullback_leibler import KullbackLeibler
from kedge.drift.batch.l_infinity import LInfinity
from kedge.drift.batch.learned_kernel_mmd import LearnedKernelMMD
from kedge.drift.batch.lsdd import LSDD
from kedge.drift.batch.mann_whitney import MannWhitney
from kedge.drift.batch.md3 import MD3, MarginTestResult
from kedge.drift.batch.mmd import MMD
from kedge.drift.batch.model_uncertainty import ModelUncertainty
from kedge.drift.batch.nndvi import NNDVI
from kedge.drift.batch.pca_reconstruction import PCAReconstruction
from kedge.drift.batch.population_stability_index import PopulationStabilityIndex
from kedge.drift.batch.proportions_z import ProportionsZ
from kedge.drift.batch.spot_the_diff import LocationsTestResult, SpotTheDiff
from kedge.drift.batch.total_variation import TotalVariation
from kedge.drift.batch.wasserstein import Wasserstein
from kedge.drift.batch.welch import Welch
from kedge.drift.calibration import CalibrationReport, calibrate
from kedge.drift.columns import ColumnResult, ColumnsResult, test_columns
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
from kedge.drift.spec import Choice, Constraint, DetectorSpec, Instances, Interval, Methods, OrNone
from kedge.drift.stream_columns import StreamColumns
from kedge.drift.streaming.adwin import ADWIN
from kedge.drift.streaming.base import Result, State, StreamingDetector
from kedge.drift.streaming.bocd import BOCD
from kedge.drift.streaming.cusum import CUSUM
from kedge.drift.streaming.cvm_online import CVMOnline
from kedge.drift.streaming.ddm import DDM
from kedge.drift.streaming.ecdd_wt import ECDDWT
from kedge.drift.streaming.eddm import EDDM
from kedge.drift.streaming.fet_online import FETOnline
from kedge.drift.streaming.fhddm import FHDDM
from kedge.drift.streaming.geometric_moving_average import GeometricMovingAverage
from kedge.drift.streaming.hddm_a import HDDMA
from kedge.drift.streaming.hddm_w import HDDMW
from kedge.drift.streaming.incremental_kolmogorov_smirnov import IncrementalKolmogorovSmirnov
from kedge.drift.streaming.kdq_tree_streaming import KdqTreeStreaming
from kedge.drift.streaming.kswin import KSWIN
from kedge.drift.streaming.linear_four_rates import LinearFourRates
from kedge.drift.streaming.lsdd_online import LSDDOnline
from kedge.drift.streaming.mmd_online import MMDOnline
from kedge.drift.streaming.page_hinkley import PageHinkley
from kedge.drift.streaming.pca_cd import PCACD
from kedge.drift.streaming.rddm import RDDM
from kedge.drift.streaming.stepd import STEPD

__all__ = [
    "ADWIN",
    "ALL",
    "BOCD",
    "CDBD",
    "CUSUM",
    "DDM",
    "ECDDWT",
    "EDDM",
    "FHDDM",
    "HDDDM",
    "HDDMA",
    "HDDMW",
    "KSWIN",
    "LSDD",
    "MD3",
    "MMD",
    "NNDVI",
    "PCACD",
    "RDDM",
    "STEPD",
    "AndersonDarling",
    "BatchDetector",
    "BatchEnsemble",
    "BaumgartnerWeissSchindler",
    "Bhattacharyya",
    "CVMOnline",
    "CalibrationError",
    "CalibrationReport",
    "ChiSquare",
    "Choice",
    "ClassifierTwoSample",
    "ColumnResult",
    "ColumnsResult",
    "Confirmed",
    "Constraint",
    "ContextMMD",
    "CramerVonMises",
    "DataError",
    "DetectorRecord",
    "DetectorSpec",
    "DriftError",
    "Election",
    "EnergyDistance",
    "EnergyDistanceMultivariate",
    "EnsembleResult",
    "EnsembleTestResult",
    "EppsSingleton",
    "FETOnline",
    "FisherExact",
    "GTest",
    "GeometricMovingAverage",
    "Hellinger",
    "IncrementalKolmogorovSmirnov",
    "Instances",
    "Interval",
    "JensenShannon",
    "KdqTree",
    "KdqTreeStreaming",
    "KolmogorovSmirnov",
    "Kuiper",
    "KullbackLeibler",
    "LInfinity",
    "LSDDOnline",
    "LearnedKernelMMD",
    "LinearFourRates",
    "LocationsTestResult",
    "MMDOnline",
    "MannWhitney",
    "MarginTestResult",
    "Methods",
    "MinimumApproval",
    "ModelUncertainty",
    "NotFittedError",
    "OrNone",
    "OrderedApproval",
    "PCAReconstruction",
    "PageHinkley",
    "ParameterError",
    "ParameterRecord",
    "PopulationStabilityIndex",
    "ProportionsZ",
    "Recommendation",
    "Result",
    "SimpleMajority",
    "SpotTheDiff",
    "State",
    "StateError",
    "StreamColumns",
    "StreamingDetector",
    "StreamingEnsemble",
    "TestResult",
    "TotalVariation",
    "Wasserstein",
    "Weighted",
    "Welch",
    "benjamini_hochberg",
    "bonferroni",
    "calibrate",
    "holm",
    "recommend",
    "table",
    "test_columns",
]
