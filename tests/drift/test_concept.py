"""Detectors of concept drift: River 0.26.1 at every index, and what each refuses."""

import numpy as np
import pytest
from river.drift import binary

from kedge.drift import DDM, EDDM, FHDDM, HDDMA, HDDMW, DataError, ParameterError


def _streams() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(7)
    return {
        "steps": (rng.random(12000) < np.repeat([0.2, 0.4, 0.1, 0.5], 3000)).astype(float),
        "rare": (rng.random(12000) < np.repeat([0.01, 0.03], 6000)).astype(float),
        "steady": (rng.random(9000) < 0.3).astype(float),
        "errors only": np.ones(1000),
        "none": np.zeros(1000),
    }


def _river(detector, values) -> tuple[list[int], list[int]]:
    drifts, warnings = [], []
    for i, value in enumerate(values.tolist()):
        detector.update(value)
        if detector.drift_detected:
            drifts.append(i)
        elif detector.warning_detected:
            warnings.append(i)
    return drifts, warnings


PAIRS = [
    (DDM(), binary.DDM, ()),
    (DDM(1.5, drift_level=2.5, min_instances=100), binary.DDM, (100, 1.5, 2.5)),
    (EDDM(), binary.EDDM, ()),
    (EDDM(0.9, beta=0.8, min_instances=50), binary.EDDM, (50, 0.9, 0.8)),
    (HDDMA(), binary.HDDMA, ()),
    (HDDMA(0.0001, warning_confidence=0.01, direction="both"), binary.HDDMA, (0.0001, 0.01, True)),
    (HDDMW(), binary.HDDMW, ()),
    (HDDMW(0.0005, weight=0.02, direction="both"), binary.HDDMW, (0.0005, 0.005, 0.02, True)),
    (FHDDM(), binary.FHDDM, ()),
    (FHDDM(60, confidence=0.0001, short_window=15), binary.FHDDM, (60, 0.0001, 15)),
]


@pytest.mark.parametrize("stream", _streams())
@pytest.mark.parametrize(("ours", "theirs", "parameters"), PAIRS, ids=lambda value: repr(value)[:60])
def test_drifts_and_warnings_are_river_s(stream, ours, theirs, parameters) -> None:
    values = _streams()[stream]
    fed = 1 - values if theirs is binary.FHDDM else values  # there 1 is a right answer
    ours.reset()
    found = ours.update_many(values)
    drifts, warnings = _river(theirs(*parameters), fed)
    assert found.drifts.tolist() == drifts
    assert found.warnings.tolist() == warnings


def test_bounded_losses_are_river_s_too() -> None:
    rng = np.random.default_rng(2)
    values = np.concatenate([rng.beta(2, 8, 3000), rng.beta(4, 6, 3000)])
    for ours, theirs in ((HDDMA(), binary.HDDMA()), (HDDMW(), binary.HDDMW())):
        assert ours.update_many(values).drifts.tolist() == _river(theirs, values)[0]


@pytest.mark.parametrize("detector", [DDM(), EDDM(), FHDDM()], ids=repr)
def test_only_errors_are_taken(detector) -> None:
    detector.update_many([0, 1, True, 0.0])
    before = detector.state()
    for wrong in (0.5, -1, 2):
        with pytest.raises(DataError, match=r"1 \(an error\) or 0"):
            detector.update(wrong)
        with pytest.raises(DataError, match=r"1 \(an error\) or 0"):
            detector.update_many([0, 1, wrong])
    assert detector.state() == before


def test_graded_errors_lie_between_0_and_1() -> None:
    detector = HDDMA()
    detector.update(0.3)
    for wrong in (-0.1, 1.1):
        with pytest.raises(DataError, match="between 0 and 1"):
            detector.update(wrong)


def test_the_short_window_is_shorter() -> None:
    with pytest.raises(ParameterError, match="less than window, 50"):
        FHDDM(50, short_window=50)
