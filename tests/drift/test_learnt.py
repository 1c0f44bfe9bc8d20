"""LearnedKernelMMD and SpotTheDiff: what they make large is the papers', gradients are right, and levels hold."""

import dataclasses
import json

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import cdist

from kedge.drift import MMD, LearnedKernelMMD, ParameterError, SpotTheDiff
from kedge.drift.batch import deep_kernel, pairwise, spot_the_diff, vectors
from kedge.drift.batch.ascent import climb


def _slopes(function, at: np.ndarray) -> np.ndarray:
    """By central differences."""
    return np.array([(function(at + step) - function(at - step)) / 2e-6 for step in 1e-6 * np.eye(len(at))])


def _blobs(rng, n: int, slant: int) -> np.ndarray:
    """Nine groups in a grid, long in one or the other direction."""
    spread = rng.normal(0, 0.1, (n, 2))
    spread[:, 1] = slant * spread[:, 0] + 0.3 * spread[:, 1]
    return rng.integers(0, 3, (n, 2)) + spread


def test_the_ratio_is_the_paper_s() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.normal(0, 1, (9, 2)), rng.normal(0.5, 2, (9, 2))
    both = np.concatenate([x, y])
    kernel = np.exp(-cdist(both, both, "sqeuclidean") / 2)
    h = np.empty((9, 9))
    for i in range(9):
        for j in range(9):
            h[i, j] = kernel[i, j] + kernel[9 + i, 9 + j] - kernel[i, 9 + j] - kernel[9 + i, j]
    estimate = sum(h[i, j] for i in range(9) for j in range(9) if i != j) / 72
    variance = 4 / 9**3 * sum(h[i].sum() ** 2 for i in range(9)) - 4 / 9**4 * h.sum() ** 2
    value, slope = deep_kernel.power_ratio(kernel)
    assert value == pytest.approx(estimate / np.sqrt(variance + 1e-8))
    numbers = _slopes(lambda flat: deep_kernel.power_ratio(flat.reshape(18, 18))[0], kernel.ravel())
    symmetric = numbers.reshape(18, 18)
    assert slope == pytest.approx((symmetric + symmetric.T) / 2, abs=1e-7)


def test_the_deep_kernel_s_gradient_is_that_of_differences() -> None:
    rng = np.random.default_rng(2)
    shape = deep_kernel.Shape(columns=3, hidden=4)
    learnt = rng.normal(0, 0.5, shape.size)
    rows = rng.normal(0, 1, (30, 3)) * np.repeat([1, 2], 15)[:, None]
    value, gradient = deep_kernel.objective(learnt, rows, shape)
    assert gradient == pytest.approx(
        _slopes(lambda at: deep_kernel.objective(at, rows, shape)[0], learnt), rel=1e-5, abs=1e-8
    )
    whole = pairwise.all_pairs(deep_kernel.kernel_of(rows, learnt, shape), 30)
    assert deep_kernel.power_ratio(whole)[0] == pytest.approx(value)
    assert np.abs(gradient).min() > 0


def test_the_deep_kernel_by_hand() -> None:
    rng = np.random.default_rng(3)
    shape = deep_kernel.Shape(columns=2, hidden=3)
    learnt, rows = rng.normal(0, 0.7, shape.size), rng.normal(size=(8, 2))
    values = rows
    for place, layer in enumerate(shape.split(learnt)):
        values = (np.log1p(np.exp(values)) if place else values) @ layer[:-1] + layer[-1]
    share = 1 / (1 + np.exp(-learnt[-3]))
    deep, plain = (
        np.exp(-cdist(each, each, "sqeuclidean") / (2 * np.exp(2 * width)))
        for each, width in ((values, learnt[-2]), (rows, learnt[-1]))
    )
    found = pairwise.all_pairs(deep_kernel.kernel_of(rows, learnt, shape), 8)
    assert found == pytest.approx(((1 - share) * deep + share) * plain)


def test_learning_raises_the_ratio_on_rows_never_seen() -> None:
    rng = np.random.default_rng(4)
    first, second = _blobs(rng, 200, 1), _blobs(rng, 200, -1)
    fresh = np.concatenate([_blobs(rng, 200, 1), _blobs(rng, 200, -1)])
    ratios = []
    for steps in (0, 60):
        learnt, shape = deep_kernel.learn(
            first, second, hidden=10, steps=steps, batch=100, rng=np.random.default_rng(0)
        )
        ratios.append(deep_kernel.objective(learnt, fresh, shape)[0])
    assert ratios[1] > ratios[0] + 0.1


def test_adam_climbs_to_the_top_and_stays_between_bounds() -> None:
    def hill(at):
        return -float(np.sum((at - 3) ** 2)), -2 * (at - 3)

    bounds = {"low": np.full(2, -9.0), "high": np.array([9.0, 1.0])}
    assert climb(hill, np.zeros(2), steps=400, rate=0.1, **bounds) == pytest.approx([3, 1], abs=1e-3)


def test_the_statistic_is_hotelling_s() -> None:
    rng = np.random.default_rng(5)
    rows, places = rng.normal(size=(50, 2)), rng.normal(size=(3, 2))
    rows[30:] += 0.5
    values, _ = spot_the_diff.similarities(rows, places, 0.8)
    assert values == pytest.approx(np.exp(-cdist(rows, places, "sqeuclidean") / (2 * 0.64)))
    groups = vectors.assignments(30, 50, 8, 0)
    found, differences = spot_the_diff.permuted(values, groups)
    for statistic, member in zip(found, groups.T, strict=True):
        x, y = values[member], values[~member]
        pooled = (29 * np.cov(x.T) + 19 * np.cov(y.T)) / 48 + spot_the_diff.RIDGE * np.eye(3)
        gap = y.mean(axis=0) - x.mean(axis=0)
        assert statistic == pytest.approx(12 * gap @ np.linalg.solve(pooled, gap))
    assert differences == pytest.approx(values[30:].mean(axis=0) - values[:30].mean(axis=0))
    learnt = np.append(places.ravel(), np.log(0.8))
    value, gradient = spot_the_diff.objective(learnt, rows, 30, 3)
    assert value == pytest.approx(found[0])
    numbers = _slopes(lambda at: spot_the_diff.objective(at, rows, 30, 3)[0], learnt)
    assert gradient == pytest.approx(numbers, rel=1e-5, abs=1e-6)


def test_places_are_where_the_samples_differ() -> None:
    rng = np.random.default_rng(6)
    scale, centre = np.array([1.0, 1000.0]), np.array([0.0, 5e4])
    reference, window = rng.normal(0, 1, (400, 2)), rng.normal(0, 1, (400, 2))
    window[:80] = rng.normal([3, 3], 0.3, (80, 2))
    reference[:80] = rng.normal([-3, 3], 0.3, (80, 2))
    detector = SpotTheDiff(locations=2).fit(reference * scale + centre)
    result = detector.test(window * scale + centre)
    assert result.drift
    places = {
        difference > 0: place for place, difference in zip(result.locations, result.differences, strict=True)
    }
    assert (np.array(places[True]) - centre) / scale == pytest.approx([3, 3], abs=0.8)
    assert (np.array(places[False]) - centre) / scale == pytest.approx([-3, 3], abs=0.8)
    assert np.abs(result.differences[0]) >= np.abs(result.differences[1])
    assert json.loads(json.dumps(dataclasses.asdict(result)))["locations"] == [
        list(each) for each in result.locations
    ]


@pytest.mark.parametrize("cls", [LearnedKernelMMD, SpotTheDiff])
def test_what_they_cannot_do_is_refused(cls) -> None:
    with pytest.raises(ParameterError, match="at least 1 / alpha"):
        cls(alpha=0.001)
    assert cls(alpha=0.01, permutations=100, steps=0).fit(np.eye(20)).test(np.eye(20)).p_value > 0.01


SMALL = {
    "kernel": lambda seed: LearnedKernelMMD(0.1, hidden=5, steps=10, permutations=59, seed=seed),
    "places": lambda seed: SpotTheDiff(0.1, locations=2, steps=15, permutations=59, seed=seed),
}


@pytest.mark.slow
@pytest.mark.parametrize("make", SMALL.values(), ids=SMALL)
@pytest.mark.parametrize(("m", "n"), [(30, 20), (12, 40)])
def test_false_alarms_are_as_many_as_promised(make, m, n) -> None:
    rng = np.random.default_rng([m, n, 41])
    alarms = sum(
        make(seed).fit(rng.normal(size=(m, 2))).test(rng.normal(size=(n, 2))).drift for seed in range(400)
    )
    low, high = stats.binom.interval(0.9999, 400, 5 / 60)  # p-values are multiples of 1/60, below 0.1
    assert low <= alarms <= high


@pytest.mark.slow
def test_a_learnt_kernel_sees_what_the_median_distance_does_not() -> None:
    found = {"learnt": 0, "median": 0}
    rng = np.random.default_rng(7)
    for seed in range(12):
        reference, window = _blobs(rng, 140, 1), _blobs(rng, 140, -1)
        learnt = LearnedKernelMMD(hidden=8, steps=40, batch=60, seed=seed)
        found["learnt"] += learnt.fit(reference).test(window).drift
        found["median"] += MMD().fit(reference).test(window).drift
    assert found["learnt"] >= 10
    assert found["median"] <= 4


@pytest.mark.slow
@pytest.mark.parametrize("make", SMALL.values(), ids=SMALL)
def test_power_grows_with_the_rows(make) -> None:
    rng = np.random.default_rng(8)
    found = [
        sum(
            make(seed).fit(rng.normal(0, 1, (n, 2))).test(rng.normal(0.6, 1, (n, 2))).drift
            for seed in range(30)
        )
        for n in (12, 40, 120)
    ]
    assert found[0] < found[1] < found[2]
    assert found[2] >= 25
