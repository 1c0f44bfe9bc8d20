"""Epps-Singleton's p-values by splits are those of all splits, and its limit's where that holds."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from kedge.drift import EppsSingleton
from kedge.drift.kernels import subset_sums


@pytest.mark.parametrize("ties", [False, True])
def test_epps_singleton_goes_through_all_splits(ties) -> None:
    rng = np.random.default_rng(8)
    for _ in range(3):
        values = rng.poisson(2, 11).astype(float) if ties else rng.standard_cauchy(11)
        observed = EppsSingleton().fit(values[:5]).test(values[5:])
        found = 0
        for chosen in itertools.combinations(range(11), 5):
            mine = np.isin(np.arange(11), chosen)
            statistic = EppsSingleton(method="asymptotic").fit(values[mine]).test(values[~mine]).statistic
            found += statistic >= observed.statistic * (1 - 1e-7)
        assert observed.method == "exact"
        assert observed.p_value == pytest.approx(found / math.comb(11, 5))
        drawn = EppsSingleton(method="permutation").fit(values[:5]).test(values[5:])
        assert drawn.p_value == pytest.approx(observed.p_value, abs=0.02)


def test_epps_singleton_by_drawing_and_by_its_limit_agree_where_that_holds() -> None:
    rng = np.random.default_rng(9)
    for shift in (0.0, 0.15, 0.3):
        x, y = rng.normal(0, 1, 250), rng.normal(shift, 1, 240)
        found = [EppsSingleton(method=method).fit(x).test(y) for method in ("permutation", "asymptotic")]
        assert found[0].statistic == found[1].statistic
        assert found[0].p_value == pytest.approx(found[1].p_value, rel=0.15, abs=0.02)
    for m, n, method in ((5, 9, "exact"), (199, 199, "permutation"), (200, 200, "asymptotic")):
        assert (
            EppsSingleton(permutations=99).fit(rng.normal(size=m)).test(rng.normal(size=n)).method == method
        )
    assert EppsSingleton(permutations=99).fit(rng.normal(size=40_000)).test(y).method == "permutation"


def test_sums_over_subsets_are_those_of_every_subset_alike() -> None:
    features = np.array([[1.0, 0.1], [10.0, 0.2], [100.0, 0.3], [1000.0, 0.4]])

    def drawn(kernel):
        sums = np.empty((4000, 2))
        kernel(features, 2, np.arange(4), np.array([3], np.uint64), sums)
        return sums

    compiled = drawn(subset_sums.drawn_sums)
    counts = [np.sum(compiled[:, 0] == sum(pair)) for pair in itertools.combinations(features[:, 0], 2)]
    assert sum(counts) == 4000
    assert stats.chisquare(counts).pvalue > 0.001
    assert (compiled == drawn(subset_sums.drawn_sums.py_func)).all()
