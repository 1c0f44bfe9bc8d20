"""Every public detector, named one by one: what tables, menus and the conformance suite go through."""

from kedge.drift.batch.base import BatchDetector
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
from kedge.drift.streaming.adwin import ADWIN
from kedge.drift.streaming.base import StreamingDetector
from kedge.drift.streaming.page_hinkley import PageHinkley

ALL: tuple[type[StreamingDetector] | type[BatchDetector], ...] = (
    ADWIN,
    PageHinkley,
    CDBD,
    ChiSquare,
    ClassifierTwoSample,
    EnergyDistanceMultivariate,
    HDDDM,
    KdqTree,
    KolmogorovSmirnov,
    LSDD,
    MMD,
    ModelUncertainty,
    NNDVI,
    PCAReconstruction,
    PopulationStabilityIndex,
)
