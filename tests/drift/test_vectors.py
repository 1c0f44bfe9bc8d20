"""Detectors of rows: equal to Alibi Detect's numbers written down and to brute-force sums, and they find what there is."""

import json

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.metrics.pairwise import rbf_kernel
from tests.golden import make_alibi

from kedge.drift import LSDD, MMD, EnergyDistanceMultivariate, ParameterError
from kedge.drift.batch import lsdd, mmd, pairwise, vectors

ALIBI = json.loads(make_alibi.FILE.read_text())


def _mmd_by_hand(x, y, bandwidth) -> float:
    def kernel(a, b):
        return np.exp(-cdist(a, b, "sqeuclidean") / (2 * bandwidth**2))

    m, n = len(x), len(y)
    within = (kernel(x, x).sum() - m) / (m * (m - 1)) + (kernel(y, y).sum() - n) / (n * (n - 1))
    return within - 2 * kernel(x, y).mean()


@pytest.mark.parametrize("sigma", make_alibi.SIGMAS)
def test_mmd_is_alibi_detect_s(sigma) -> None:
    for (reference, window), expected in zip(
        map(make_alibi.pair, range(make_alibi.SEEDS)), ALIBI["MMD"], strict=True
    ):
        found = MMD(bandwidth=sigma, permutations=20).fit(reference).test(window).statistic
        assert found == pytest.approx(expected[str(sigma)], abs=1e-6)  # it computes in float32
        assert found == pytest.approx(_mmd_by_hand(reference, window, sigma), abs=1e-14)


def test_alibi_detect_s_own_bandwidth_is_the_median_distance_over_root_two() -> None:
    """Of pairs of one row of each sample; we take the median itself, of all pairs, which a new order does not change."""
    for (reference, window), expected in zip(
        map(make_alibi.pair, range(make_alibi.SEEDS)), ALIBI["MMD"], strict=True
    ):
        between = np.median(cdist(reference, window))
        found = MMD(bandwidth=between / np.sqrt(2), permutations=20).fit(reference).test(window).statistic
        assert found == pytest.approx(expected["None"], rel=0.002, abs=1e-5)
        median = pairwise.median_distance(np.concatenate([reference, window]), 0)
        assert MMD(permutations=20).fit(reference).test(window).statistic == pytest.approx(
            _mmd_by_hand(reference, window, median), abs=1e-13
        )


def test_mmd_is_that_of_scikit_learn_s_kernel() -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        d = int(rng.integers(1, 6))
        x, y = (
            rng.normal(0, 1, (int(rng.integers(5, 90)), d)),
            rng.normal(0.3, 2, (int(rng.integers(5, 90)), d)),
        )
        if seed % 2:
            x, y = np.round(x), np.round(y)
        gamma, m, n = 1 / (2 * 0.8**2), len(x), len(y)
        within = (rbf_kernel(x, gamma=gamma).sum() - m) / (m * (m - 1))
        within += (rbf_kernel(y, gamma=gamma).sum() - n) / (n * (n - 1))
        expected = within - 2 * rbf_kernel(x, y, gamma=gamma).mean()
        found = MMD(bandwidth=0.8, permutations=20).fit(x).test(y).statistic
        assert found == pytest.approx(expected, abs=1e-13)


def test_lsdd_is_alibi_detect_s() -> None:
    for samples, expected in zip(map(make_alibi.pair, range(make_alibi.SEEDS)), ALIBI["LSDD"], strict=True):
        both = np.concatenate(samples)
        groups = np.stack(make_alibi.groupings(), axis=1)
        centres = both[::7]
        means = lsdd.mean_differences(both, centres, groups, 0.5)
        found, _ = lsdd.density_differences(means, lsdd.gaussian_overlaps(centres, 0.5), make_alibi.RIDGE)
        assert found == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("block", [7, 64, 1000])
def test_group_sums_are_those_of_the_whole_matrix(block) -> None:
    rows = np.random.default_rng(1).normal(50, 3, (150, 4))
    groups = vectors.assignments(90, 150, 12, 0)
    whole = cdist(rows, rows)
    sums = pairwise.group_sums(pairwise.euclidean(rows), groups, block)
    for k, member in enumerate(groups.T):
        assert sums.first[k] == pytest.approx(whole[member][:, member].sum(), rel=1e-10)
        assert sums.second[k] == pytest.approx(whole[~member][:, ~member].sum(), rel=1e-10)
        assert sums.between[k] == pytest.approx(whole[member][:, ~member].sum(), rel=1e-10)


def test_permuted_statistics_are_those_of_permuted_rows() -> None:
    rng = np.random.default_rng(2)
    rows = rng.normal(size=(60, 3))
    groups = vectors.assignments(40, 60, 9, 5)
    assert (groups.sum(axis=0) == 40).all()
    found = mmd.unbiased(pairwise.group_sums(pairwise.gaussian(rows, 1.3), groups), 40, 20)
    expected = [_mmd_by_hand(rows[member], rows[~member], 1.3) for member in groups.T]
    assert found == pytest.approx(expected, abs=1e-14)


def test_distances_keep_their_digits_beside_an_outlier() -> None:
    rows = np.random.default_rng(2).normal(size=(50, 3)) + 1e6
    rows[7] = 1e15
    found = pairwise.all_pairs(pairwise.squared_distances(rows), 50)
    others = np.delete(np.arange(50), 7)
    assert found[np.ix_(others, others)] == pytest.approx(
        cdist(rows[others], rows[others], "sqeuclidean"), abs=1e-13, rel=1e-12
    )


def test_the_median_distance_is_that_of_pairs_of_different_rows() -> None:
    rows = np.random.default_rng(3).normal(size=(101, 4))
    pairs = cdist(rows, rows)[np.triu_indices(101, 1)]
    assert pairwise.median_distance(rows, 0) == pytest.approx(np.median(pairs))
    assert pairwise.median_distance(np.ones((9, 2)), 0) == 1.0
    mostly = np.vstack([np.full((50, 2), 1e5), [[1e5 + 3, 1e5 + 4]]])
    assert pairwise.median_distance(mostly, 0) == pytest.approx(5)
    many = np.random.default_rng(3).normal(size=(6000, 4))
    expected = np.median(cdist(many[:3000], many[3000:]))
    assert pairwise.median_distance(many, 0) == pytest.approx(expected, rel=0.02)


def test_energy_distance_by_hand() -> None:
    reference, window = make_alibi.pair(0)
    expected = (
        2 * cdist(reference, window).mean()
        - cdist(reference, reference).mean()
        - cdist(window, window).mean()
    )
    found = EnergyDistanceMultivariate().fit(reference).test(window)
    assert found.statistic == pytest.approx(expected, abs=1e-12)
    one = EnergyDistanceMultivariate().fit([[0.0]] * 10).test([[3.0]] * 5)
    assert one.statistic == pytest.approx(6)


def test_lsdd_of_normal_samples_is_near_that_of_their_densities() -> None:
    rng = np.random.default_rng(4)
    rows = np.concatenate([rng.normal(0, 1, (4000, 1)), rng.normal(1, 1, (4000, 1))])
    groups = np.repeat([True, False], 4000)[:, None]
    centres = rows[::80]
    means = lsdd.mean_differences(rows, centres, groups, 0.7)
    (found,), _ = lsdd.density_differences(means, lsdd.gaussian_overlaps(centres, 0.7), 0.01)
    exact = (1 - np.exp(-1 / 4)) / np.sqrt(np.pi)  # of N(0, 1) and N(1, 1)
    assert found / np.sqrt(np.pi * 0.7**2) == pytest.approx(exact, rel=0.15)


def test_the_linear_estimate_is_unbiased_and_normal() -> None:
    rng = np.random.default_rng(5)
    x, y = rng.normal(0, 1, (400, 2)), rng.normal(0.5, 1, (400, 2))
    drawn = [mmd.linear_time(x, y, 1.0, seed)[0] for seed in range(300)]
    error = np.std(drawn) / np.sqrt(300)
    assert np.mean(drawn) == pytest.approx(_mmd_by_hand(x, y, 1.0), abs=4 * error)


def test_too_few_permutations_are_refused() -> None:
    for cls in (MMD, EnergyDistanceMultivariate, LSDD):
        with pytest.raises(ParameterError, match=r"permutations must be at least 1 / alpha = 100"):
            cls(alpha=0.01, permutations=99)
        assert cls(alpha=0.01, permutations=100).permutations == 100


@pytest.mark.parametrize("cls", [MMD, EnergyDistanceMultivariate, LSDD])
def test_power_grows_with_the_rows(cls) -> None:
    rng = np.random.default_rng(6)
    found = [
        sum(cls().fit(rng.normal(0, 1, (n, 3))).test(rng.normal(0.35, 1, (n, 3))).drift for _ in range(30))
        for n in (15, 150)
    ]
    assert found[0] < 20 < 28 <= found[1]
