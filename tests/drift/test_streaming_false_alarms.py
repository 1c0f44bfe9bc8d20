"""How often streaming detectors alarm where nothing changes: over 400 seeds and more, inside exact bounds of what each states.

ADWIN is in test_false_alarms.py, the online tests in test_online.py, Page-Hinkley and calibrated detectors in
test_calibration.py; test_evidence.py says which detector is held where.
"""

import numpy as np
import pytest
from scipy import stats

from kedge.drift import (
    BOCD,
    CUSUM,
    ECDDWT,
    FHDDM,
    HDDMA,
    HDDMW,
    KSWIN,
    STEPD,
    GeometricMovingAverage,
    IncrementalKolmogorovSmirnov,
    KdqTreeStreaming,
    LinearFourRates,
    MinimumApproval,
    StreamingEnsemble,
    calibrate,
)
from kedge.drift.streaming.kswin import gap_of

pytestmark = pytest.mark.slow

SEEDS = 400


def _within(alarms: int, trials: int, level: float) -> bool:
    low, high = stats.binom.interval(0.9999, trials, level)
    return low <= alarms <= high


def _errors(seed: int, n: int, rate: float) -> np.ndarray:
    return (np.random.default_rng([n, seed]).random(n) < rate).astype(float)


def _first(detector, values: np.ndarray) -> int:
    """How many values it took to the first alarm; all of them where there was none."""
    detector.reset()
    drifts = detector.update_many(values).drifts
    return int(drifts[0]) + 1 if drifts.size else len(values)


@pytest.mark.parametrize("alpha", [0.05, 0.005])
def test_kswin_s_first_comparison_alarms_with_chance_alpha(alpha) -> None:
    """Gaps are multiples of 1 / 30, so the level attained is that of the least gap whose p-value is at most alpha."""
    seeds, window, recent = 4000, 100, 30
    values = np.random.default_rng(1).normal(size=(seeds, window))
    alarms = sum(KSWIN(alpha, window=window, recent=recent).update_many(each).drifts.size for each in values)
    gap, one = gap_of(alpha, recent), np.arange(float(recent))
    attained = stats.ks_2samp(one, one + gap - 0.5, method="exact").pvalue
    assert attained <= alpha
    assert _within(alarms, seeds, attained)


@pytest.mark.parametrize("alpha", [0.05, 0.01])
def test_incremental_kolmogorov_smirnov_s_first_window_alarms_with_chance_alpha(alpha) -> None:
    seeds, m, w = 2000, 120, 40
    values = np.random.default_rng(2).normal(size=(seeds, m + w))
    alarms = sum(
        IncrementalKolmogorovSmirnov(alpha, window=w).fit(each[:m]).update_many(each[m:]).drifts.size
        for each in values
    )
    # Gaps are multiples of 1 / 120: the level attained is that of the least whose p-value is below alpha.
    gaps = np.arange(1, m + 1) / m
    p_values = IncrementalKolmogorovSmirnov(alpha, window=w).fit(values[0, :m]).p_values(gaps)
    assert _within(alarms, seeds, float(p_values[p_values < alpha].max()))


def test_bocd_s_alarms_are_false_as_often_as_its_probability_says() -> None:
    """On streams from its own model, with changes: of alarms at a probability of p, the share 1 - p is false."""
    hazard, strength, n = 0.01, 0.05, 400
    expected, false, alarms = 0.0, 0, 0
    for seed in range(1500):
        rng = np.random.default_rng([3, seed])
        changes = rng.random(n) < hazard
        changes[0] = False
        levels = rng.normal(0, strength**-0.5, n)[np.cumsum(changes)]
        detector = BOCD(hazard, threshold=0.6, variance=1.0, prior_strength=strength, burn_in=0)
        found = detector.update_many(rng.normal(levels, 1), statistics=True)
        if found.drifts.size:
            first = int(found.drifts[0])
            alarms += 1
            # A run of length 0 after a value begins with the next one.
            false += not changes[: first + 2].any()
            expected += 1 - found.statistics[first]
    assert alarms > 1000
    low, high = stats.poisson.interval(0.9999, expected)
    assert low <= false <= high


@pytest.mark.parametrize("rate", [0.1, 0.2, 0.3])
def test_ecdd_runs_for_about_400_values(rate) -> None:
    """Within a fifth, and the sum of exponential times within its exact bounds on top."""
    mean = np.mean([_first(ECDDWT(), _errors(seed, 5000, rate)) for seed in range(SEEDS)])
    low, high = stats.gamma.interval(0.9999, SEEDS, scale=400 / SEEDS)
    assert 0.8 * low < mean < 1.2 * high


@pytest.mark.parametrize("rate", [0.05, 0.2, 0.5])
@pytest.mark.parametrize("alpha", [0.003, 0.02])
def test_stepd_s_first_test_alarms_with_chance_alpha_and_it_runs_for_longer(rate, alpha) -> None:
    """At the first comparison with the chance of the normal test of two binomials, summed exactly."""
    w, seeds = 30, 4000
    k, s = np.arange(w + 1), np.arange(w + 1)[:, np.newaxis]
    p, inverse = (k + s) / (2 * w), 2 / w
    spread = np.sqrt(np.maximum(p * (1 - p), 1e-12) * inverse)
    alarming = (k > s) & (p < 1) & ((k - s) / w - inverse / 2 > spread * stats.norm.isf(alpha))
    level = float(np.sum(stats.binom.pmf(k, w, rate) * stats.binom.pmf(s, w, rate) * alarming))
    alarms = sum(
        _first(STEPD(alpha), np.append(_errors(seed, 2 * w, rate), 0)) <= 2 * w for seed in range(seeds)
    )
    assert level <= 1.2 * alpha
    assert _within(alarms, seeds, level)
    mean = np.mean([_first(STEPD(alpha), _errors(seed, int(6 / alpha), rate)) for seed in range(SEEDS)])
    assert mean > stats.gamma.interval(0.9999, SEEDS, scale=1 / alpha / SEEDS)[1]


@pytest.mark.parametrize("cls", [HDDMA, HDDMW])
@pytest.mark.parametrize("direction", ["up", "both"])
@pytest.mark.parametrize("confidence", [0.001, 0.05])
def test_hoeffding_bounds_are_broken_no_more_often_than_stated(cls, direction, confidence) -> None:
    """At every value with at most that chance, so on average at no more of all values than that."""
    detector, alarms, n = cls(confidence, warning_confidence=2 * confidence, direction=direction), 0, 1000
    for seed in range(SEEDS):
        detector.reset()
        alarms += detector.update_many(_errors(seed, n, 0.3)).drifts.size
    assert alarms <= stats.binom.ppf(0.9999, SEEDS * n, confidence)


def test_fhddm_alarms_rarely_by_chance() -> None:
    """One window strays from the true share with a chance below 1e-6; the best of thousands is high by itself, and against
    it a low one is not so rare. Still fewer than one stream in five of 2000 values alarms."""
    for rate, most in ((0.05, 0.001), (0.2, 0.05), (0.3, 0.15)):
        alarmed = sum(
            _first(FHDDM(), np.append(_errors(seed, 2000, rate), 0)) <= 2000 for seed in range(SEEDS)
        )
        assert alarmed <= stats.binom.ppf(0.9999, SEEDS, most)
    for n, confidence in ((100, 1e-6), (50, 0.01)):
        stray = np.sqrt(np.log(1 / confidence) / (2 * n))
        for rate in (0.05, 0.2, 0.5):
            assert stats.binom.cdf(np.floor(n * (1 - rate - stray)), n, 1 - rate) <= confidence


def test_linear_four_rates_alarm_no_more_often_than_stated() -> None:
    """Four rates, each at each value with no more than the level's chance."""
    alarms, n, level = 0, 2000, 1e-4
    detector = LinearFourRates(drift_level=level)
    for seed in range(SEEDS):
        rng = np.random.default_rng([5, seed])
        truth = rng.random(n) < 0.4
        values = (2 * truth + (truth ^ (rng.random(n) < 0.2))).astype(float)
        detector.reset()
        alarms += detector.update_many(values).drifts.size
    assert alarms <= stats.binom.ppf(0.9999, SEEDS * n, 4 * level)


def test_a_kdq_tree_s_first_window_alarms_with_chance_alpha() -> None:
    """Its divergence exceeds the critical value; references are samples as well, of which the bootstrap knows."""
    alarms, m, w = 0, 400, 60
    for seed in range(SEEDS):
        values = np.random.default_rng([6, seed]).normal(size=(m + w, 2))
        detector = KdqTreeStreaming(
            window=w, alpha=0.1, leaf_size=50, persistence=1.0, seed=seed, bootstraps=300
        )
        detector.fit(values[:m]).update_many(values[m:])
        alarms += detector.statistic > detector.critical
    assert _within(alarms, SEEDS, 0.1)


@pytest.mark.parametrize(
    ("detector", "arl0"),
    [
        (CUSUM(0.25), 200),
        (GeometricMovingAverage(0.95), 200),
        (CUSUM(0.25, direction="up"), 200),
        (STEPD(), 400),
    ],
    ids=repr,
)
def test_calibrated_run_lengths(detector, arl0) -> None:
    rng = np.random.default_rng(7)
    binary = detector.spec.input == "binary"

    def draw(n: int) -> np.ndarray:
        return (rng.random(n) < 0.2).astype(float) if binary else rng.normal(size=n)

    made, _ = calibrate(detector, draw(4000), arl0=arl0, seed=1, runs=SEEDS)
    times = [_first(made, draw(10 * arl0)) for _ in range(SEEDS)]
    # Two errors of 1 / sqrt(400) each, that of calibrating and that of this check; and the reference is a sample.
    width = stats.norm.ppf(0.9999) * np.sqrt(2 / SEEDS) + 0.1
    assert 1 - width < np.mean(times) / arl0 < 1 + width


def test_an_ensemble_alarms_no_more_often_than_its_members_together() -> None:
    """Of members whose alarm any of them makes its own: the sum of what two are held to above."""
    members = HDDMA(0.01, warning_confidence=0.05), HDDMW(0.01, warning_confidence=0.05)
    ensemble, alarms, n = StreamingEnsemble(members, MinimumApproval(1)), 0, 1000
    for seed in range(SEEDS):
        ensemble.reset()
        alarms += ensemble.update_many(_errors(seed, n, 0.3)).drifts.size
    assert 0 < alarms <= stats.binom.ppf(0.9999, SEEDS * n, 0.02)
