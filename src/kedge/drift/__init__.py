"""Drift detectors as a pure library: numpy, numba and scipy, nothing of Kedge, usable alone."""

from kedge.drift.batch.anderson_darling import AndersonDarling
from kedge.drift.batch.base import BatchDetector, TestResult
from kedge.drift.batch.baumgartner_weiss_schindler import BaumgartnerWeissSchindler
from kedge.drift.batch.bhattacharyya import Bhattacharyya
from kedge.drift.batch.chi_square import ChiSquare
from kedge.drift.batch.cramer_von_mises import CramerVonMises
from kedge.drift.batch.energy_distance import EnergyDistance
from kedge.drift.batch.epps_singleton import EppsSingleton
from kedge.drift.batch.fisher_exact import FisherExact
from kedge.drift.batch.g_test import GTest
from kedge.drift.batch.hellinger import Hellinger
from kedge.drift.batch.jensen_shannon import JensenShannon
from kedge.drift.batch.kolmogorov_smirnov import KolmogorovSmirnov
from kedge.drift.batch.kuiper import Kuiper
from kedge.drift.batch.kullback_leibler import KullbackLeibler
from kedge.drift.batch.l_infinity import LInfinity
from kedge.drift.batch.mann_whitney import MannWhitney
from kedge.drift.batch.population_stability_index import PopulationStabilityIndex
from kedge.drift.batch.proportions_z import ProportionsZ
from kedge.drift.batch.total_variation import TotalVariation
from kedge.drift.batch.wasserstein import Wasserstein
from kedge.drift.batch.welch import Welch
from kedge.drift.columns import ColumnResult, ColumnsResult, test_columns
from kedge.drift.correction import benjamini_hochberg, bonferroni, holm
from kedge.drift.detectors import ALL
from kedge.drift.errors import DataError, DriftError, NotFittedError, ParameterError, StateError
from kedge.drift.spec import Choice, Constraint, DetectorSpec, Interval
from kedge.drift.streaming.adwin import ADWIN
from kedge.drift.streaming.base import Result, State, StreamingDetector
from kedge.drift.streaming.page_hinkley import PageHinkley

__all__ = [
    "ADWIN",
    "ALL",
    "AndersonDarling",
    "BatchDetector",
    "BaumgartnerWeissSchindler",
    "Bhattacharyya",
    "ChiSquare",
    "Choice",
    "ColumnResult",
    "ColumnsResult",
    "Constraint",
    "CramerVonMises",
    "DataError",
    "DetectorSpec",
    "DriftError",
    "EnergyDistance",
    "EppsSingleton",
    "FisherExact",
    "GTest",
    "Hellinger",
    "Interval",
    "JensenShannon",
    "KolmogorovSmirnov",
    "Kuiper",
    "KullbackLeibler",
    "LInfinity",
    "MannWhitney",
    "NotFittedError",
    "PageHinkley",
    "ParameterError",
    "PopulationStabilityIndex",
    "ProportionsZ",
    "Result",
    "State",
    "StateError",
    "StreamingDetector",
    "TestResult",
    "TotalVariation",
    "Wasserstein",
    "Welch",
    "benjamini_hochberg",
    "bonferroni",
    "holm",
    "test_columns",
]
