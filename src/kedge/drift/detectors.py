"""Every public detector, named one by one: what tables, menus and the conformance suite go through."""

from kedge.drift.batch.base import BatchDetector
from kedge.drift.batch.chi_square import ChiSquare
from kedge.drift.batch.kolmogorov_smirnov import KolmogorovSmirnov
from kedge.drift.batch.population_stability_index import PopulationStabilityIndex
from kedge.drift.ensemble.batch import BatchEnsemble
from kedge.drift.ensemble.streaming import StreamingEnsemble
from kedge.drift.streaming.adwin import ADWIN
from kedge.drift.streaming.base import StreamingDetector
from kedge.drift.streaming.cvm_online import CVMOnline
from kedge.drift.streaming.fet_online import FETOnline
from kedge.drift.streaming.incremental_kolmogorov_smirnov import IncrementalKolmogorovSmirnov
from kedge.drift.streaming.kdq_tree_streaming import KdqTreeStreaming
from kedge.drift.streaming.lsdd_online import LSDDOnline
from kedge.drift.streaming.mmd_online import MMDOnline
from kedge.drift.streaming.page_hinkley import PageHinkley
from kedge.drift.streaming.pca_cd import PCACD

ALL: tuple[type[StreamingDetector] | type[BatchDetector], ...] = (
    ADWIN,
    CVMOnline,
    FETOnline,
    IncrementalKolmogorovSmirnov,
    KdqTreeStreaming,
    LSDDOnline,
    MMDOnline,
    PCACD,
    PageHinkley,
    StreamingEnsemble,
    BatchEnsemble,
    ChiSquare,
    KolmogorovSmirnov,
    PopulationStabilityIndex,
)
