"""Distances and tests are those that Evidently 0.7.23 and Frouros 0.9.0 wrote down."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from kedge.drift import (
    Bhattacharyya,
    CramerVonMises,
    EnergyDistance,
    EppsSingleton,
    FisherExact,
    Hellinger,
    JensenShannon,
    KullbackLeibler,
    MannWhitney,
    ProportionsZ,
    Wasserstein,
    Welch,
)

_HERE = Path(__file__).parent.parent / "golden"
_SPEC = importlib.util.spec_from_file_location("make_univariate", _HERE / "make_univariate.py")
make_univariate = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(make_univariate)
_GOLDEN = json.loads((_HERE / "univariate.json").read_text())
EVIDENTLY, FROUROS = _GOLDEN["evidently"]["values"], _GOLDEN["frouros"]["values"]


def _tested(detector, samples):
    reference, window = samples
    return detector.fit(reference).test(window)


@pytest.mark.parametrize(
    "detector",
    [
        Hellinger(binning="categories"),
        JensenShannon(binning="categories", base="e"),
    ],
)
def test_categories_are_evidently_s(detector) -> None:
    found = _tested(detector, make_univariate.names()).statistic
    assert found == pytest.approx(EVIDENTLY[detector.spec.name], rel=1e-9)


def test_empty_categories_are_floored_as_evidently_s() -> None:
    result = _tested(KullbackLeibler(binning="categories", floor=0.0001), make_univariate.names())
    assert 0 in result.reference_counts
    assert result.statistic == pytest.approx(EVIDENTLY["KullbackLeibler"], rel=1e-9)


def test_numbers_are_evidently_s() -> None:
    samples = make_univariate.numbers()
    assert _tested(Wasserstein(), samples).statistic == pytest.approx(EVIDENTLY["Wasserstein"])
    plain = _tested(EnergyDistance(norm="none"), samples).statistic
    assert plain == pytest.approx(EVIDENTLY["EnergyDistance"])
    assert plain == pytest.approx(FROUROS["EnergyDistance"])
    limit = EppsSingleton(method="asymptotic")
    assert _tested(limit, samples).p_value == pytest.approx(EVIDENTLY["EppsSingleton"], rel=1e-6)
    assert _tested(CramerVonMises(), samples).p_value == pytest.approx(EVIDENTLY["CramerVonMises"], abs=1e-10)


def test_proportions_are_evidently_s() -> None:
    samples = make_univariate.flags()
    assert _tested(ProportionsZ(), samples).p_value == pytest.approx(EVIDENTLY["ProportionsZ"], rel=1e-9)
    assert _tested(FisherExact(), samples).p_value == pytest.approx(EVIDENTLY["FisherExact"], rel=1e-9)


def test_numbers_are_frouros_s() -> None:
    samples = make_univariate.numbers()
    hellinger = _tested(Hellinger(binning="pooled"), samples).statistic
    assert hellinger == pytest.approx(FROUROS["Hellinger"], rel=1e-9)
    assert hellinger**2 == pytest.approx(FROUROS["Bhattacharyya"], rel=1e-9), (
        "its distance is 1 - the coefficient"
    )
    overlap = np.exp(-_tested(Bhattacharyya(binning="pooled", floor=1e-12), samples).statistic)
    assert 1 - overlap == pytest.approx(FROUROS["Bhattacharyya"], rel=1e-4)
    assert _tested(Wasserstein(norm="none"), samples).statistic == pytest.approx(FROUROS["Wasserstein"])
    assert _tested(CramerVonMises(), samples).statistic == pytest.approx(FROUROS["CramerVonMises"])
    assert -_tested(Welch(), samples).statistic == pytest.approx(FROUROS["Welch"])
    superior = 0.5 - _tested(MannWhitney(), samples).statistic / 2
    assert superior * 400 * 300 == pytest.approx(FROUROS["MannWhitney"])
