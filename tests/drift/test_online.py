"""Online tests: statistics by their definitions, thresholds by their run times."""

import numpy as np
import pytest
from scipy import stats

from kedge.drift import (
    PCACD,
    CVMOnline,
    DataError,
    FETOnline,
    IncrementalKolmogorovSmirnov,
    KdqTreeStreaming,
    LSDDOnline,
    MMDOnline,
    ParameterError,
    StreamingEnsemble,
)
from kedge.drift.ensemble.elections import MinimumApproval
from kedge.drift.kernels import embedding, kdq_tree, online, pca, smirnov
from kedge.drift.streaming.online import threshold_for

FEW = {"simulations": 1000, "expected_run_time": 100}
VECTORS = (MMDOnline, LSDDOnline)


def _statistics(detector, values) -> np.ndarray:
    """Of full windows up to the first alarm."""
    result = detector.update_many(values, statistics=True)
    end = int(result.drifts[0]) + 1 if result.drifts.size else result.n
    assert end > detector.window + 10
    return result.statistics[detector.window - 1 : end]


def _windows(values: np.ndarray, w: int, n: int) -> list[np.ndarray]:
    return [values[i : i + w] for i in range(n)]


def test_cramer_von_mises_is_scipy_s() -> None:
    rng = np.random.default_rng(1)
    reference, values = rng.normal(size=250), rng.normal(0.2, 1, 120)
    found = _statistics(CVMOnline(window=20).fit(reference), values)
    for window, statistic in zip(_windows(values, 20, found.size), found, strict=True):
        assert statistic == pytest.approx(stats.cramervonmises_2samp(reference, window).statistic, rel=1e-12)


def test_cramer_von_mises_with_ties_is_the_sum_over_both_samples() -> None:
    rng = np.random.default_rng(2)
    reference, values = rng.integers(0, 5, 200) * 1.0, rng.integers(0, 5, 80) * 1.0
    found = _statistics(CVMOnline(window=12).fit(reference), values)
    for window, statistic in zip(_windows(values, 12, found.size), found, strict=True):
        both = np.concatenate([reference, window])
        gaps = [(window <= x).mean() - (reference <= x).mean() for x in both]
        assert statistic == pytest.approx(12 * 200 / 212**2 * np.sum(np.square(gaps)), rel=1e-12)


@pytest.mark.parametrize(
    ("direction", "alternative"), [("up", "greater"), ("down", "less"), ("both", "two-sided")]
)
def test_surprises_are_fisher_s(direction, alternative) -> None:
    rng = np.random.default_rng(3)
    reference, values = rng.random(160) < 0.3, rng.random(100) < 0.35
    detector = FETOnline(2000, window=20, weight=1.0, direction=direction).fit(reference)
    found = _statistics(detector, values)
    for window, statistic in zip(_windows(values, 20, found.size), found, strict=True):
        table = [[window.sum(), 20 - window.sum()], [reference.sum(), 160 - reference.sum()]]
        expected = stats.fisher_exact(table, alternative=alternative).pvalue
        assert np.exp(-statistic) == pytest.approx(expected, rel=1e-9)


def test_surprises_are_smoothed() -> None:
    rng = np.random.default_rng(4)
    reference, values = rng.random(200) < 0.3, rng.random(60) < 0.3
    plain = _statistics(FETOnline(window=10, weight=1.0).fit(reference), values)
    smooth = _statistics(FETOnline(window=10, weight=0.3).fit(reference), values)
    expected = 0.0
    for raw, found in zip(plain, smooth, strict=False):
        expected += 0.3 * (raw - expected)
        assert found == pytest.approx(expected, rel=1e-12)


def test_only_zeros_and_ones_are_taken() -> None:
    detector = FETOnline()
    detector.update_many([0, 1, True, False])
    before = detector.state()
    with pytest.raises(DataError, match="0 or 1"):
        detector.update(0.5)
    with pytest.raises(DataError, match="0 or 1"):
        detector.update_many([0, 2])
    assert detector.state() == before


def test_mmd_with_many_features_is_that_of_the_kernel() -> None:
    rng = np.random.default_rng(5)
    reference, values = rng.normal(size=(200, 3)), rng.normal(0.1, 1, (40, 3))
    detector = MMDOnline(window=20, features=3000, bandwidth=2.0, simulations=500).fit(reference)
    found = _statistics(detector, values)
    scaled = (values - reference.mean(axis=0)) / reference.std(axis=0)
    before = (reference - reference.mean(axis=0)) / reference.std(axis=0)

    def kernel(x, y):
        return np.exp(-((x[:, None] - y[None]) ** 2).sum(axis=2) / 8).mean()

    for window, statistic in zip(_windows(scaled, 20, found.size), found, strict=True):
        expected = kernel(window, window) + kernel(before, before) - 2 * kernel(window, before)
        assert statistic == pytest.approx(expected, abs=0.1 * expected + 0.002)


def test_lsdd_by_its_definition() -> None:
    rng = np.random.default_rng(6)
    reference, values = rng.normal(size=(200, 2)), rng.normal(0.3, 1, (40, 2))
    detector = LSDDOnline(window=20, centers=12, bandwidth=1.5, regularization=0.2, seed=4).fit(reference)
    found = _statistics(detector, values)
    scaled = (values - reference.mean(axis=0)) / reference.std(axis=0)
    before = (reference - reference.mean(axis=0)) / reference.std(axis=0)
    centers = before[np.random.default_rng(4).integers(0, 200, 12)]

    def bumps(x, width):
        return np.exp(-((x[:, None] - centers[None]) ** 2).sum(axis=2) / width)

    overlaps = bumps(centers, 4 * 1.5**2)
    for window, statistic in zip(_windows(scaled, 20, found.size), found, strict=True):
        h = (bumps(window, 2 * 1.5**2)).mean(axis=0) - bumps(before, 2 * 1.5**2).mean(axis=0)
        a = np.linalg.solve(overlaps + 0.2 * np.eye(12), h)
        assert statistic == pytest.approx(2 * h @ a - a @ overlaps @ a, rel=1e-8)


@pytest.mark.parametrize("cls", VECTORS)
def test_units_of_the_columns_do_not_matter(cls) -> None:
    rng = np.random.default_rng(7)
    reference, values = rng.normal(size=(200, 2)), rng.normal(0.5, 1, (100, 2))
    plain = cls(window=20, **FEW).fit(reference).update_many(values, statistics=True)
    scales, offsets = np.array([1024.0, 1 / 64]), np.array([4.0, -8.0])
    other = cls(window=20, **FEW).fit(reference * scales + offsets)
    found = other.update_many(values * scales + offsets, statistics=True)
    assert found.statistics == pytest.approx(plain.statistics, rel=1e-6)
    assert found.drifts.tolist() == plain.drifts.tolist()


@pytest.mark.parametrize("cls", VECTORS)
def test_a_column_that_never_varied_and_vectors_far_off(cls) -> None:
    rng = np.random.default_rng(8)
    reference = np.column_stack([rng.normal(size=300), np.full(300, 0.1)])
    detector = cls(window=20, **FEW).fit(reference)
    assert np.isfinite(detector.threshold)
    far = detector.update_many(np.full((100, 2), 1e100), statistics=True)
    assert np.isfinite(far.statistics).all()
    assert far.drifts.size


def test_an_ensemble_of_vector_detectors() -> None:
    rng = np.random.default_rng(9)
    members = tuple(cls(1000, window=20, reference_size=200) for cls in VECTORS)
    ensemble = StreamingEnsemble(members, MinimumApproval(2))
    values = np.concatenate([rng.normal(size=(400, 3)), rng.normal(2, 1, (100, 3))])
    assert {ensemble.update(row) for row in values} >= {"normal"}
    again = StreamingEnsemble(members, MinimumApproval(1)).update_many(values)
    assert 400 <= again.drifts[-1] < 500
    with pytest.raises(ParameterError, match="vectors"):
        StreamingEnsemble((CVMOnline(), MMDOnline()))


def test_a_change_of_dependence_alone_is_found() -> None:
    """Each column stays as it was: only tests of vectors can see it."""
    rng = np.random.default_rng(10)
    before = rng.normal(size=(1000, 2))
    after = rng.multivariate_normal([0, 0], [[1, 0.95], [0.95, 1]], 400)
    for cls in VECTORS:
        detector = cls(2000, window=50).fit(before)
        assert detector.update_many(after).drifts.size


def test_the_threshold_of_geometric_run_times() -> None:
    """Independent statistics: each exceeds the threshold with chance 1 / run_time."""
    found = np.random.default_rng(11).random((20_000, 40))
    assert 1 - threshold_for(found, 10, 50.0) == pytest.approx(1 / 50, rel=0.05)


def test_the_threshold_of_constant_statistics_is_their_value() -> None:
    assert threshold_for(np.full((100, 31), 0.25), 10, 50.0) == 0.25


def test_too_few_simulations_are_refused() -> None:
    with pytest.raises(ParameterError, match="at least 7500"):
        CVMOnline(30_000, window=20)
    with pytest.raises(ParameterError, match="8 windows"):
        CVMOnline(reference_size=100)


def test_memory_stays_as_it_is() -> None:
    rng = np.random.default_rng(12)
    detector = MMDOnline(window=10, simulations=1000, expected_run_time=1500).fit(rng.normal(size=(200, 2)))
    detector.update_many(rng.normal(size=(1000, 2)))
    first = len(detector.state())
    detector.update_many(rng.normal(size=(50_000, 2)))
    assert abs(len(detector.state()) - first) < 200


def _run_time(cls, dimension: int, seed: int, **given) -> int:
    rng = np.random.default_rng((17, seed))

    def draw(n: int) -> np.ndarray:
        if cls is FETOnline:
            return (rng.random(n) < 0.3).astype(float)
        return rng.normal(size=(n, dimension) if dimension else n)

    detector = cls(100, seed=seed, **given).fit(draw(400))
    drifts = detector.update_many(draw(1500)).drifts
    return (int(drifts[0]) if drifts.size else 1500) - detector.window + 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cls", "dimension", "given"),
    [
        (CVMOnline, 0, {"window": 10}),
        (FETOnline, 0, {"window": 20}),
        (MMDOnline, 2, {"window": 10, "features": 20}),
        (LSDDOnline, 2, {"window": 10, "centers": 15}),
    ],
)
def test_run_times_without_drift_are_as_expected(cls, dimension, given) -> None:
    """The mean over 400 references and streams, within the bounds of a geometric mean and of the simulation's error."""
    runs = 400
    times = [_run_time(cls, dimension, seed, simulations=1000, **given) for seed in range(runs)]
    width = stats.norm.ppf(0.9999) / np.sqrt(runs)
    assert 1 - width < np.mean(times) / 100 < 1 + width
    # Geometric: as many early alarms as that says, too.
    early = sum(time <= 50 for time in times)
    low, high = stats.binom.interval(0.9999, runs, 1 - 0.99**50)
    assert 0.85 * low <= early <= 1.15 * high


@pytest.mark.parametrize(
    "cls",
    [IncrementalKolmogorovSmirnov, CVMOnline, FETOnline, MMDOnline, LSDDOnline, PCACD, KdqTreeStreaming],
)
def test_any_array_is_taken_without_compiling_again(cls) -> None:
    rng = np.random.default_rng(13)
    values = rng.normal(size=(1500, 3)) if cls.spec.input == "vector" else (rng.random(1500) < 0.4) * 1.0
    read_only = values.copy()
    read_only.flags.writeable = False
    detector = cls().fit(read_only)
    for each in (values, np.asfortranarray(values), values.astype(np.float32), values.tolist(), read_only):
        detector.update_many(each)
    detector.update(values[0])
    again = cls.from_state(detector.state())
    again.reset()
    again.update_many(values[:100])
    for kernel in (smirnov.run, online.cvm_run, online.fet_run, embedding.run, pca.run, kdq_tree.run):
        assert len(kernel.signatures) <= 1


@pytest.mark.parametrize("cls", [CVMOnline, FETOnline, MMDOnline, LSDDOnline])
def test_the_reference_stays_after_an_alarm(cls) -> None:
    """As their documentation says: they alarm again while the change lasts, until they are fitted to what is new."""
    rng = np.random.default_rng(12)
    shape = (400, 2) if cls in VECTORS else (400,)
    before, after = rng.normal(0, 1, shape), rng.normal(3, 1, shape)
    if cls is FETOnline:
        before, after = before > 1.5, after > 1.5
    detector = cls(2000, window=20, simulations=1000).fit(before)
    drifts = detector.update_many(after).drifts
    assert len(drifts) >= 10
    assert np.diff(drifts).min() >= 20, "the window is filled anew"
    assert not detector.fit(after).update_many(after[::-1][:100]).drifts.size
    fresh = cls(2000, window=20, simulations=1000, reference_size=400)
    fresh.update_many(before)
    assert fresh.update_many(after[:200]).drifts.size
    fresh.reset()
    fresh.update_many(after)
    assert not fresh.update_many(after[::-1][:100]).drifts.size


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.5, 0.02])
def test_fisher_s_run_time_is_not_below_the_wanted(share) -> None:
    """Rare ones leave the statistic few values: the run time is then longer than wanted, as the spec says."""
    rng = np.random.default_rng(13)
    times = []
    for _ in range(20):
        state = FETOnline(200, window=20, simulations=1000).fit(rng.random(1000) < share).state()
        for _ in range(20):
            drifts = FETOnline.from_state(state).update_many(rng.random(4000) < share).drifts
            times.append(drifts[0] - 18 if drifts.size else 4000)
    found = np.mean(times) / 200
    assert found > 0.8
    assert (found < 1.3) == (share == 0.5)
