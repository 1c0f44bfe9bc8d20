"""KSWIN with River's own draws, and BOCD against the whole recursion."""

import math

import numpy as np
import pytest
from river import drift as river
from scipy import special, stats

from kedge.drift import BOCD, KSWIN, ParameterError
from kedge.drift.streaming.kswin import gap_of


def _stream() -> np.ndarray:
    rng = np.random.default_rng(3)
    return np.concatenate([rng.normal(0, 1, 900), rng.normal(1, 1, 900), np.round(rng.normal(0, 2, 900), 1)])


@pytest.mark.parametrize(
    ("alpha", "window", "recent", "seed"),
    [(0.005, 100, 30, 42), (0.0001, 200, 50, 1), (0.005, 900, 30, 2**40 + 5), (0.01, 20, 5, 0)],
)
def test_kswin_preset_is_river_s(alpha, window, recent, seed) -> None:
    theirs = river.KSWIN(alpha=alpha, window_size=window, stat_size=recent, seed=seed)
    expected = []
    for place, value in enumerate(_stream().tolist()):
        theirs.update(value)
        if theirs.drift_detected:
            expected.append(place)
    ours = KSWIN(alpha, window=window, recent=recent, seed=seed, preset="river")
    assert ours.update_many(_stream()).drifts.tolist() == expected


@pytest.mark.parametrize("n", [12, 30, 77, 300])
@pytest.mark.parametrize("alpha", [0.05, 0.005, 1e-6])
def test_the_gap_is_that_of_scipy_s_exact_p_values(n, alpha) -> None:
    one = np.arange(float(n))
    expected = next(
        (
            gap
            for gap in range(1, n + 1)
            if gap / n > 0.1 and stats.ks_2samp(one, one + gap - 0.5, method="exact").pvalue <= alpha
        ),
        n + 1,
    )
    assert gap_of(alpha, n) == expected


def test_kswin_keeps_the_last_values() -> None:
    rng = np.random.default_rng(4)
    values = np.concatenate([rng.normal(0, 1, 300), rng.normal(9, 1, 100)])
    keeping, starting = KSWIN(1e-6), KSWIN(1e-6, after_drift="reset")
    assert keeping.update_many(values).drifts.tolist() == starting.update_many(values).drifts.tolist()
    assert (
        keeping.statistic > 0 == starting.statistic
    )  # the one compares again when the other's window fills yet
    with pytest.raises(ParameterError, match="at most half of window, 50"):
        KSWIN(window=50, recent=26)


class _PlainBOCD:
    """All run lengths, none dropped, in logarithms."""

    def __init__(self, hazard: float, threshold: float, variance: float, prior: tuple[float, ...]) -> None:
        self.hazard, self.threshold, self.variance, self.prior = hazard, threshold, variance, prior
        self.age = 0
        self.runs = {0: (0.0, *prior)}

    def update(self, x: float) -> tuple[bool, float]:
        grown = {
            length + 1: (
                logarithm + self._log_density(x, *known) + math.log1p(-self.hazard),
                *self._learned(x, *known),
            )
            for length, (logarithm, *known) in self.runs.items()
        }
        total = special.logsumexp([each[0] for each in grown.values()]) - math.log1p(-self.hazard)
        self.runs = {length: (each[0] - total, *each[1:]) for length, each in grown.items()}
        self.runs[0] = (math.log(self.hazard), *self.prior)
        self.age += 1
        younger = {length: each[0] for length, each in self.runs.items() if length < self.age}
        since = math.exp(special.logsumexp(list(younger.values())))
        if since > self.threshold:
            self.age = max(younger, key=lambda length: younger[length])
            kept = {length: each for length, each in self.runs.items() if length <= self.age}
            whole = special.logsumexp([each[0] for each in kept.values()])
            self.runs = {length: (each[0] - whole, *each[1:]) for length, each in kept.items()}
            return True, since
        return False, since

    def _log_density(self, x, mean, strength, shape, scale) -> float:
        if self.variance:
            return stats.norm.logpdf(x, mean, math.sqrt(self.variance * (1 + 1 / strength)))
        return stats.t.logpdf(x, 2 * shape, mean, math.sqrt(scale * (strength + 1) / (shape * strength)))

    def _learned(self, x, mean, strength, shape, scale) -> tuple[float, ...]:
        scale += strength * (x - mean) ** 2 / (2 * (strength + 1))
        return (strength * mean + x) / (strength + 1), strength + 1, shape + 0.5, scale


@pytest.mark.parametrize("variance", [0.0, 1.0])
def test_bocd_is_the_whole_recursion(variance) -> None:
    rng = np.random.default_rng(11)
    values = np.concatenate([rng.normal(0, 1, 120), rng.normal(2, 1, 80), rng.normal(-1, 1, 100)])
    ours = BOCD(0.01, threshold=0.9, variance=variance, prior_strength=0.5, burn_in=0)
    plain = _PlainBOCD(0.01, 0.9, variance, (0.0, 0.5, 1.0, 1.0))
    found = ours.update_many(values, statistics=True)
    expected = [plain.update(value) for value in values.tolist()]
    assert found.drifts.tolist() == [place for place, (drift, _) in enumerate(expected) if drift]
    assert len(found.drifts) >= 2
    assert found.statistics == pytest.approx(np.array([since for _, since in expected]), abs=1e-9)
    lengths, chances = ours.run_lengths()
    for length, chance in zip(lengths.tolist(), chances.tolist(), strict=True):
        assert chance == pytest.approx(math.exp(plain.runs[int(length)][0]), abs=1e-9)


@pytest.mark.parametrize(("level", "spread"), [(0, 1), (1000, 1), (0, 0.01), (-5e6, 2000)])
def test_bocd_finds_shifts_at_any_level_and_spread(level, spread) -> None:
    rng = np.random.default_rng(13)
    for shift in (2, 5):
        values = np.concatenate([rng.normal(0, 1, 300), rng.normal(shift, 1, 100)])
        found = BOCD().update_many(level + spread * values).drifts
        assert found.size
        assert 300 <= found[0] < 330


def test_bocd_tells_since_when() -> None:
    rng = np.random.default_rng(12)
    detector = BOCD()
    detector.update_many(np.concatenate([rng.normal(0, 1, 500), rng.normal(3, 1, 60)]))
    assert abs(detector.run_length - 60) <= 3
