"""Every public detector, named one by one: what tables, menus and the conformance suite go through."""

from kedge.drift.batch.base import BatchDetector
from kedge.drift.batch.chi_square import ChiSquare
from kedge.drift.batch.energy_distance_multivariate import EnergyDistanceMultivariate
from kedge.drift.batch.kolmogorov_smirnov import KolmogorovSmirnov
from kedge.drift.batch.lsdd import LSDD
from kedge.drift.batch.mmd import MMD
from kedge.drift.batch.population_stability_index import PopulationStabilityIndex
from kedge.drift.streaming.adwin import ADWIN
from kedge.drift.streaming.base import StreamingDetector
from kedge.drift.streaming.page_hinkley import PageHinkley

ALL: tuple[type[StreamingDetector] | type[BatchDetector], ...] = (
    ADWIN,
    PageHinkley,
    ChiSquare,
    EnergyDistanceMultivariate,
    KolmogorovSmirnov,
    LSDD,
    MMD,
    PopulationStabilityIndex,
)
