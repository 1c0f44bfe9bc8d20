"""Recommended detectors are ready, suit the data, and say why in words that name what was found in them."""

import numpy as np
import pytest

import kedge.drift
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
    assert _names(found) == ["FETOnline", "ADWIN", "DDM", "HDDMA", "HDDMW", "FHDDM", "STEPD", "ECDDWT"]
    for each in found[2:]:
        assert "errors" in each.reasons[0]
        assert each.detector.update_many(np.repeat([0, 1, 0, 1], [3, 1, 300, 100])).drifts.size
    far = recommend(np.random.default_rng(7).random(600) < 0.1, mode="streaming", arl0=100)
    assert "ECDDWT" not in _names(far), "its limit is for another run time"
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


def test_few_numbers_are_taken_for_categories_as_in_test_columns() -> None:
    for values in ([1, 2, 3] * 30, np.array([1.5, 2.5, 4] * 30), [True, False, False] * 30):
        few = recommend(values, mode="batch", false_alarm_rate=0.01)
        assert _names(few) == ["ChiSquare", "PopulationStabilityIndex"]
        chosen = kedge.drift.test_columns({"a": values}, {"a": values}).columns[0].result.detector
        assert chosen == "ChiSquare"
    assert any(
        "3 different numbers" in reason
        for reason in recommend(np.array([1, 2, 3] * 30), mode="batch", arl0=9)[0].reasons
    )
    assert _names(recommend([1, 2, 3] * 4000, mode="batch", arl0=9)) == ["JensenShannon", "ChiSquare"]


def test_rows_in_windows() -> None:
    rng = np.random.default_rng(7)
    found = recommend(rng.normal(size=(100, 4)), mode="batch", false_alarm_rate=0.01)
    assert _names(found) == ["MMD", "EnergyDistanceMultivariate", "LSDD", "HDDDM"]
    for each in found:
        assert each.detector.alpha == 0.01
        assert each.detector.test(rng.normal(3, 1, (60, 4))).drift
    assert _names(recommend(rng.normal(size=(100, 2)), mode="batch", arl0=20))[0] == "LSDD"
    assert _names(recommend(rng.normal(size=(100, 20)), mode="batch", arl0=20))[0] == "ClassifierTwoSample"
    unlike = recommend(rng.normal(size=(100, 3)) * [1, 1, 400], mode="batch", arl0=20)
    assert any("standardise" in reason for reason in unlike[0].reasons)
    with pytest.raises(DataError, match="permutations"):
        recommend(rng.normal(size=(100, 3)), mode="batch", arl0=10**6)


def test_ids_are_told() -> None:
    with pytest.raises(DataError, match="100 categories in 100 values"):
        recommend([f"user-{i}" for i in range(100)], mode="batch", arl0=10)
    found = recommend(np.arange(100), mode="batch", arl0=10)
    assert any("ids or times" in reason for reason in found[0].reasons)
    assert not any("ids" in reason for reason in recommend(NORMAL, mode="batch", arl0=10)[0].reasons)


@pytest.mark.parametrize("hole", [np.nan, None, np.inf])
def test_missing_values_are_named_or_left_out(hole) -> None:
    holed = [*NORMAL[:99].tolist(), hole, *NORMAL[:50].tolist()]
    with pytest.raises(DataError, match=r"at 99; or give missing='skip'"):
        recommend(holed, mode="batch", arl0=10)
    found = recommend(holed, mode="batch", arl0=10, missing="skip")
    assert {each.detector.missing for each in found} == {"skip"}
    assert found[0].detector.test(holed).n == 149
    masked = np.ma.array(NORMAL, mask=np.arange(NORMAL.size) == 7)
    with pytest.raises(DataError, match="at 7"):
        recommend(masked, mode="batch", arl0=10)
    found = recommend(masked, mode="streaming", arl0=50, missing="skip")
    assert {each.detector.missing for each in found} == {"skip"}


@pytest.mark.parametrize(
    ("reference", "given", "named"),
    [
        (np.full(100, 0.1), {"arl0": 10}, "constant, 0.1"),
        (0.1 + 1e-17 * NORMAL, {"arl0": 10}, "constant"),
        (["a"] * 60, {"arl0": 10}, "constant, a"),
        (np.array([{}] * 60), {"arl0": 10}, "real numbers"),
        (np.array([["a", 1.0]] * 60, object), {"arl0": 10}, "real numbers, got 'a'"),
        (NORMAL, {"arl0": 0.5}, r"recommend\(arl0=0.5\)"),
        (NORMAL, {"false_alarm_rate": 2}, r"recommend\(false_alarm_rate=2\)"),
        (NORMAL, {"arl0": 10, "seed": -1}, r"recommend\(seed=-1\)"),
        (NORMAL, {"arl0": 10, "missing": "drop"}, r"recommend\(missing='drop'\)"),
    ],
)
@pytest.mark.parametrize("mode", ["streaming", "batch"])
def test_errors_name_what_was_given(reference, given, named, mode) -> None:
    with pytest.raises((DataError, ParameterError), match=named):
        recommend(reference, mode=mode, **given)


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
