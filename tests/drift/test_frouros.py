"""Detectors equal Frouros 0.9.0 on many streams, at every index, as far as it is sound (docs/design/drift.md)."""

import json

import numpy as np
import pytest
from tests.golden import make_frouros, streams

from kedge.drift import BOCD, CUSUM, ECDDWT, RDDM, GeometricMovingAverage, IncrementalKolmogorovSmirnov

GOLDEN = json.loads(make_frouros.FILE.read_text())


def _cusum(delta, threshold, least) -> CUSUM:
    return CUSUM(delta, threshold=threshold, min_instances=least, direction="up")


def _average(alpha, threshold, least) -> GeometricMovingAverage:
    return GeometricMovingAverage(alpha, threshold=threshold, min_instances=least, direction="up")


@pytest.mark.parametrize(
    ("name", "detectors", "streamed", "least"),
    [
        ("CUSUM", [_cusum(*each) for each in make_frouros.CUSUMS], streams.reals, 100),
        ("GeometricMovingAverage", [_average(*each) for each in make_frouros.AVERAGES], streams.reals, 50),
    ],
)
def test_alarms_are_frouros_s(name, detectors, streamed, least) -> None:
    alarms = 0
    for detector, expected in zip(detectors, GOLDEN[name], strict=True):
        assert len(expected) == 16
        for stream, values in streamed().items():
            detector.reset()
            assert detector.update_many(values).drifts.tolist() == expected[stream], stream
            alarms += len(expected[stream])
    assert alarms >= least


def test_ecdd_s_alarms_and_warnings_are_frouros_s() -> None:
    (expected,) = GOLDEN["ECDDWT"]
    for stream, values in streams.errors().items():
        found = ECDDWT().update_many(values)
        assert [streams.digest(found.warnings.tolist()), found.drifts.tolist()] == expected[stream], stream
        assert len(found.drifts) >= 4
        assert len(found.warnings) >= 20


def test_rddm_is_frouros_s_up_to_the_first_alarm() -> None:
    alarms = warnings = 0
    for (warn, drift, least, longest, kept, most), expected in zip(
        make_frouros.RDDMS, GOLDEN["RDDM"], strict=True
    ):
        detector = RDDM(
            warn,
            drift_level=drift,
            min_instances=least,
            max_concept=longest,
            min_concept=kept,
            max_warnings=most,
        )
        for stream, values in streams.errors().items():
            detector.reset()
            found = detector.update_many(values)
            end = found.drifts[:1].tolist()
            before = [i for i in found.warnings.tolist() if not end or i < end[0]]
            assert [streams.digest(before), end] == expected[stream], stream
            alarms, warnings = alarms + len(end), warnings + len(before)
    assert alarms >= 25
    assert warnings >= 1000


def _lengths(runs: list[list[int]], n: int) -> np.ndarray:
    found = np.empty(n, int)
    for place, length in runs:
        found[place:] = length + np.arange(n - place)
    return found


def _chance_of(detector: BOCD, length: int) -> float:
    lengths, chances = detector.run_lengths()
    return float(chances[lengths == length].sum())


@pytest.mark.parametrize("which", range(len(make_frouros.BOCDS)))
def test_the_likeliest_run_is_frouros_s(which) -> None:
    """At every value, and the chance that nothing ever changed at every twentieth."""
    hazard, prior, variance = make_frouros.BOCDS[which]
    changes = 0
    for stream, values in streams.reals(make_frouros.BOCD_VALUES).items():
        expected = GOLDEN["BOCD"][which][stream]
        detector = BOCD(hazard, variance=variance, prior_strength=variance / prior, burn_in=0)
        detector.threshold = 2.0  # no alarm, after which older runs are left out: there they are not
        found, unchanged = [], []
        for place, value in enumerate(values.tolist()):
            detector.update(value)
            found.append(detector.run_length)
            if place % 20 == 19:
                unchanged.append(_chance_of(detector, place + 1))
        assert found == _lengths(expected["likeliest"], len(values)).tolist(), stream
        assert unchanged == pytest.approx(expected["unchanged"], rel=1e-6, abs=1e-11), stream
        changes += len(expected["likeliest"])
    assert changes >= 40


def test_the_incremental_statistic_is_frouros_s() -> None:
    m, w = make_frouros.REFERENCE, make_frouros.WINDOW
    for stream, values in streams.reals(m + make_frouros.KOLMOGOROV_VALUES).items():
        digits = GOLDEN["IncrementalKolmogorovSmirnov"][0][stream]
        expected = [int(digits[k : k + 2], 16) / m for k in range(0, len(digits), 2)]
        detector = IncrementalKolmogorovSmirnov(1e-300, window=w).fit(values[:m])
        found = detector.update_many(values[m:], statistics=True).statistics[w - 1 :]
        assert found == pytest.approx(expected, abs=1e-12), stream
        assert max(expected) > 0.3
