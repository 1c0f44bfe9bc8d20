"""Recommended detectors are ready, suit the data, and say why in words that name what was found in them."""

import numpy as np
import pytest

from kedge.drift import DataError, ParameterError, recommend

NORMAL = np.random.default_rng(6).normal(size=600)


def _names(found) -> list[str]:
    assert all(each.reasons and all(each.reasons) for each in found)
    return [type(each.detector).__name__ for each in found]


@pytest.mark.slow
def test_streams_of_numbers() -> None:
    found = recommend(NORMAL, mode="streaming", arl0=300)
    assert _names(found) == ["PageHinkley", "ADWIN", "CVMOnline"]
    assert "threshold=" in found[0].reasons[1]
    for each in found[::2]:
        values = np.random.default_rng(7).normal(np.repeat([0, 2], 200), 1)
        assert (each.detector.update_many(values).drifts >= 200).any()
    assert recommend(NORMAL, mode="streaming", false_alarm_rate=1 / 300)[0].reasons == found[0].reasons


@pytest.mark.slow
def test_heavy_tails_put_ranks_first() -> None:
    found = recommend(np.random.default_rng(7).standard_cauchy(600), mode="streaming", arl0=300)
    assert _names(found)[0] == "CVMOnline"
    assert any("heavy tails" in reason for reason in found[0].reasons)


@pytest.mark.slow
def test_zeros_and_ones() -> None:
    found = recommend(np.random.default_rng(7).random(600) < 0.1, mode="streaming", arl0=300)
    assert _names(found) == ["FETOnline", "ADWIN"]
    assert not found[0].detector.update_many([0, 1, 0]).drifts.size


def test_vectors() -> None:
    found = recommend(np.random.default_rng(7).normal(size=(400, 5)), mode="streaming", arl0=300)
    assert _names(found) == ["MMDOnline", "LSDDOnline"]
    assert (
        _names(recommend(np.random.default_rng(7).normal(size=(400, 2)), mode="streaming", arl0=300))[0]
        == "LSDDOnline"
    )
    assert found[0].detector.update_many(np.random.default_rng(8).normal(3, 1, (100, 5))).drifts.size


@pytest.mark.slow
def test_dependence_is_told() -> None:
    walk = np.convolve(np.random.default_rng(7).normal(size=800), np.ones(10), "valid")
    for each in recommend(walk, mode="streaming", arl0=300):
        assert any("depend" in reason for reason in each.reasons) or "as it comes" in each.reasons[1]


def test_a_run_time_that_no_simulation_reaches_is_told() -> None:
    with pytest.raises(DataError, match="60 vectors are too few"):
        recommend(np.random.default_rng(7).normal(size=(60, 2)), mode="streaming", arl0=1_000_000)


def test_windows() -> None:
    numbers = recommend(NORMAL, mode="batch", false_alarm_rate=0.01)
    assert _names(numbers) == ["KolmogorovSmirnov", "PopulationStabilityIndex"]
    assert numbers[0].detector.alpha == 0.01
    assert numbers[0].detector.test(NORMAL + 1).drift
    many = recommend(np.tile(NORMAL, 20), mode="batch", arl0=100)
    assert _names(many)[0] == "PopulationStabilityIndex"
    words = recommend(["a", "b", "c"] * 30, mode="batch", false_alarm_rate=0.01)
    assert _names(words) == ["ChiSquare", "PopulationStabilityIndex"]
    assert words[1].detector.test(["a"] * 50).drift
    few = recommend([1, 2, 3] * 30, mode="batch", false_alarm_rate=0.01)
    assert any("3 different values" in reason for reason in few[0].reasons)


@pytest.mark.parametrize(
    ("reference", "given", "error"),
    [
        (NORMAL, {"mode": "batch"}, ParameterError),
        (NORMAL, {"mode": "batch", "arl0": 10, "false_alarm_rate": 0.1}, ParameterError),
        (NORMAL, {"mode": "batch", "false_alarm_rate": 1.5}, ParameterError),
        (NORMAL, {"mode": "online", "arl0": 10}, ParameterError),
        (NORMAL[:20], {"mode": "batch", "arl0": 10}, DataError),
        (["a", "b"] * 50, {"mode": "streaming", "arl0": 10}, DataError),
        (np.zeros((60, 2)), {"mode": "batch", "arl0": 10}, DataError),
    ],
)
def test_what_cannot_be_recommended_for_is_refused(reference, given, error) -> None:
    with pytest.raises(error):
        recommend(reference, **given)
