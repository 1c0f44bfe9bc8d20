"""Calibrated detectors alarm as rarely as asked, on fresh data too; calibration is reproducible and says where it fails."""

import dataclasses

import numpy as np
import pytest
from scipy import stats

from kedge.drift import (
    ADWIN,
    BOCD,
    DDM,
    HDDMA,
    KSWIN,
    CalibrationError,
    ChiSquare,
    DataError,
    IncrementalKolmogorovSmirnov,
    Interval,
    KolmogorovSmirnov,
    LinearFourRates,
    PageHinkley,
    ParameterError,
    PopulationStabilityIndex,
    StreamingEnsemble,
    calibrate,
    calibration,
)

REFERENCE = np.random.default_rng(1).normal(0, 1, 1000)
CHEAP = {"arl0": 100, "seed": 3, "runs": 60}


def test_the_same_seed_gives_the_same_and_touches_nothing() -> None:
    given, reference = PageHinkley(delta=0.25), REFERENCE.copy()
    first, second = (calibrate(given, reference, **CHEAP) for _ in range(2))
    other = calibrate(given, reference, **{**CHEAP, "seed": 4})
    assert first[1] == second[1]
    assert repr(first[0]) == repr(second[0])
    assert other[1] != first[1]
    assert given.threshold == 50
    assert (reference == REFERENCE).all()
    assert first[0].threshold == first[1].value
    assert first[1].low < 100 < first[1].high


def test_only_the_parameter_changes() -> None:
    made, report = calibrate(ADWIN(clock=8, delta=0.3), REFERENCE, **{**CHEAP, "arl0": 2000})
    assert {**made.parameters(), "delta": 0.3} == ADWIN(clock=8, delta=0.3).parameters()
    assert (report.detector, report.parameter, report.runs) == ("ADWIN", "delta", 60)


def test_a_probability_that_is_stricter_when_larger_is_raised() -> None:
    few, many = (
        calibrate(BOCD(hazard=0.01, threshold=0.05), REFERENCE, **{**CHEAP, "arl0": arl0})
        for arl0 in (60, 120)
    )
    assert 0.05 < few[0].threshold < many[0].threshold < 1
    assert few[1].low < 60 < few[1].high
    assert many[1].low < 120 < many[1].high
    with pytest.raises(ParameterError, match="sets its false alarms"):
        calibrate(BOCD(), REFERENCE, parameter="prior_mean", **CHEAP)


def test_a_threshold_says_which_values_are_stricter() -> None:
    with pytest.raises(ValueError, match="go together"):
        dataclasses.replace(BOCD.spec, stricter="")
    rule = Interval(float, 0, 1)
    for value in (1e-300, 0.25, 0.5, 1 - 1e-12, 1.0):
        assert rule.at(rule.odds(value)) == pytest.approx(value, rel=1e-15)
    assert 1 - rule.at(rule.odds(1 - 1e-9) * 4) == pytest.approx(0.25e-9, rel=1e-6)
    assert Interval(float, 2, float("inf")).at(4 * Interval(float, 2, float("inf")).odds(5)) == 14


def test_a_detector_with_a_reference_comes_fitted() -> None:
    made, report = calibrate(IncrementalKolmogorovSmirnov(window=20), REFERENCE[:200], **CHEAP)
    assert made.n_reference == 200
    assert report.alarms > 30


@pytest.mark.slow
def test_batch_thresholds_are_quantiles() -> None:
    for detector in (PopulationStabilityIndex(), KolmogorovSmirnov(method="asymptotic")):
        made, report = calibrate(detector, REFERENCE, arl0=20, seed=1, window=100, runs=400)
        assert report.low < 20 < report.high
        assert report.achieved == report.runs / report.alarms
        assert made.test(REFERENCE[:100] + 2).drift
    names = np.array(list("abcd"))[np.random.default_rng(2).integers(0, 4, 500)]
    made, _ = calibrate(ChiSquare(), names, arl0=20, seed=1, window=100, runs=100)
    assert made.test(["a"] * 100).drift


def test_neighbours_drawn_together_keep_their_dependence() -> None:
    rng = np.random.default_rng(5)
    walk = np.zeros(3000)
    for i in range(1, walk.size):
        walk[i] = 0.95 * walk[i - 1] + rng.normal()
    single, _ = calibrate(PageHinkley(), walk, **CHEAP)
    blocks, _ = calibrate(PageHinkley(), walk, **CHEAP, block=100)
    assert blocks.threshold > 2 * single.threshold, "dependent values wander further"


def test_missing_values_are_left_out_where_the_detector_skips_them() -> None:
    holed = np.append(REFERENCE, np.nan)
    with pytest.raises(DataError):
        calibrate(PageHinkley(), holed, **{**CHEAP, "arl0": 2000})
    made, _ = calibrate(PageHinkley(missing="skip"), holed, **CHEAP)
    assert made.missing == "skip"


@pytest.mark.slow
def test_run_lengths_that_cannot_be_had_are_told() -> None:
    with pytest.raises(CalibrationError, match=r"PageHinkley: no threshold gives .* of 10"):
        calibrate(PageHinkley(min_instances=30), REFERENCE, **{**CHEAP, "arl0": 10})
    with pytest.raises(CalibrationError, match="no delta"):
        calibrate(ADWIN(), REFERENCE, **{**CHEAP, "arl0": 5})


ERRORS = (np.random.default_rng(1).random(1000) < 0.1).astype(float)


def test_levels_that_warn_are_moved_along_with_those_that_alarm() -> None:
    made, report = calibrate(DDM(), ERRORS, **CHEAP)
    assert made.warning_level / made.drift_level == pytest.approx(2 / 3)
    assert made.drift_level < 2
    assert report.reached
    assert calibrate(DDM(), ERRORS, **{**CHEAP, "arl0": 2000})[0].warning_level == 2, (
        "where it need not be moved"
    )
    made, report = calibrate(HDDMA(), ERRORS, **CHEAP)
    assert 0.005 < made.drift_confidence < made.warning_confidence < 1
    assert report.reached


@pytest.mark.slow
def test_outcomes_too() -> None:
    outcomes = np.random.default_rng(1).integers(0, 4, 1000)
    made, report = calibrate(LinearFourRates(), outcomes, **CHEAP)
    assert made.drift_level <= made.warning_level
    assert report.low < 100 < report.high


def test_a_parameter_that_works_in_steps_says_that_it_misses() -> None:
    given = {"arl0": 400, "seed": 3, "runs": 100}
    _, report = calibrate(KSWIN(window=40, recent=10), REFERENCE, **given)
    assert not report.low <= 400 <= report.high
    assert not report.reached
    assert calibrate(PageHinkley(delta=0.25), REFERENCE, **CHEAP)[1].reached


def test_windows_that_cannot_tell_are_refused() -> None:
    with pytest.raises(
        CalibrationError, match="400 windows do not tell what 1 in 1000 is: give runs of at least 2000"
    ):
        calibrate(KolmogorovSmirnov(), REFERENCE, arl0=1000, seed=1, window=100, runs=400)
    with pytest.raises(CalibrationError, match="all windows have the same statistic, 0"):
        calibrate(PopulationStabilityIndex(), np.ones(300), arl0=20, seed=1, window=50, runs=50)


@pytest.mark.slow
def test_what_cannot_be_reached_is_given_up_soon(monkeypatch) -> None:
    tried, follow = [], calibration._follow
    monkeypatch.setattr(calibration, "_follow", lambda *given: tried.append(given[1]) or follow(*given))
    with pytest.raises(CalibrationError, match="came to"):
        calibrate(BOCD(hazard=0.5), REFERENCE, **{**CHEAP, "arl0": 1000, "runs": 30})
    assert len(tried) == 5, "the far end is looked at before the steps to it"
    assert tried[-1] > 1 - 1e-12


@pytest.mark.parametrize(
    "wrong",
    [
        {"arl0": 1},
        {"seed": -1},
        {"runs": 3},
        {"block": 2000},
        {"parameter": "clock"},
        {"parameter": "nothing"},
        {"parameter": "max_buckets"},
        {"reference": []},
    ],
)
def test_arguments_out_of_range_are_refused(wrong) -> None:
    given = {"reference": REFERENCE, **CHEAP, **wrong}
    with pytest.raises((ParameterError, DataError)):
        calibrate(ADWIN(), given.pop("reference"), **given)


def test_what_has_no_threshold_or_window_is_refused() -> None:
    with pytest.raises(ParameterError, match="sets its false alarms"):
        calibrate(StreamingEnsemble(), REFERENCE, **CHEAP)
    with pytest.raises(ParameterError, match="window"):
        calibrate(KolmogorovSmirnov(), REFERENCE, **CHEAP)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("detector", "arl0"),
    [
        (PageHinkley(delta=0.25), 200),
        (ADWIN(clock=4), 2000),
        (IncrementalKolmogorovSmirnov(window=20), 200),
        (BOCD(hazard=0.01), 60),
    ],
)
def test_on_fresh_data_the_run_length_is_near_the_wanted_one(detector, arl0) -> None:
    rng = np.random.default_rng(8)
    made, _ = calibrate(detector, rng.normal(size=2000), arl0=arl0, seed=1, runs=400)
    time, runs = 0, 400
    for _ in range(runs):
        fresh = type(made).from_state(made.state())
        drifts = fresh.update_many(rng.normal(size=10 * arl0)).drifts
        time += int(drifts[0]) + 1 if drifts.size else 10 * arl0
    # Two errors of 1 / sqrt(400) each, that of calibrating and that of this check; and the reference is a sample.
    width = stats.norm.ppf(0.9999) * np.sqrt(2 / runs) + 0.1
    assert 1 - width < time / runs / arl0 < 1 + width
