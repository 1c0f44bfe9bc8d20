"""Tests of ranks and distribution functions equal SciPy's over many seeds, and their definitions where values tie."""

import contextlib
import itertools
import math
import sys

import numpy as np
import pytest
from scipy import special, stats

from kedge.drift import (
    AndersonDarling,
    BaumgartnerWeissSchindler,
    CramerVonMises,
    DataError,
    EnergyDistance,
    EppsSingleton,
    KolmogorovSmirnov,
    Kuiper,
    MannWhitney,
    ParameterError,
    Wasserstein,
    Welch,
)
from kedge.drift.batch.limits import anderson_darling_tail, cramer_von_mises_tail, three_cumulants_tail
from kedge.drift.batch.ordering import Ordering
from kedge.drift.kernels import ordering, smirnov_tail
from kedge.drift.kernels.layout import ANDERSON_DARLING, BAUMGARTNER, CRAMER_VON_MISES

SIZES = [(1, 1), (1, 7), (2, 3), (5, 5), (12, 30), (200, 90)]
RANKED = [AndersonDarling, BaumgartnerWeissSchindler, CramerVonMises, Kuiper, MannWhitney]


def _pairs(ties: bool, least: int = 1):
    for m, n in SIZES:
        if min(m, n) < least:
            continue
        for seed in range(20):
            rng = np.random.default_rng([seed, m, n])
            x, y = rng.normal(0, 1, m), rng.normal(0.4, 1.5, n)
            yield (np.round(x), np.round(y)) if ties else (x, y)


def _gaps(x, y):
    """Distinct values, how often each occurs, and F - G just after each, from the definition."""
    z, times = np.unique(np.concatenate([x, y]), return_counts=True)
    return z, times, np.array([(x <= v).mean() - (y <= v).mean() for v in z])


@pytest.mark.filterwarnings("ignore:ks_2samp")
@pytest.mark.parametrize("ties", [False, True])
def test_distances_are_scipy_s(ties) -> None:
    for x, y in _pairs(ties):
        plain = Wasserstein(norm="none").fit(x).test(y).statistic
        assert plain == pytest.approx(stats.wasserstein_distance(x, y), abs=1e-12)
        energy = EnergyDistance(norm="none").fit(x).test(y).statistic
        assert energy == pytest.approx(stats.energy_distance(x, y), abs=1e-7)
        if np.ptp(x):
            assert Wasserstein().fit(x).test(y).statistic == pytest.approx(plain / np.std(x))
            assert EnergyDistance().fit(x).test(y).statistic == pytest.approx(energy / math.sqrt(np.std(x)))
        assert KolmogorovSmirnov().fit(x).test(y).statistic == pytest.approx(stats.ks_2samp(x, y).statistic)


def test_cramer_von_mises_is_scipy_s() -> None:
    for x, y in _pairs(ties=False, least=2):
        for method, theirs in (("auto", "exact"), ("exact", "exact"), ("asymptotic", "asymptotic")):
            result = CramerVonMises(method=method, permutations=99).fit(x).test(y)
            if result.method == "permutation" or (method == "auto" and result.method != "exact"):
                continue
            expected = stats.cramervonmises_2samp(x, y, method=theirs)
            assert result.statistic == pytest.approx(expected.statistic)
            assert result.p_value == pytest.approx(expected.pvalue, rel=1e-6, abs=1e-9)


def test_cramer_von_mises_with_ties_by_its_definition() -> None:
    for x, y in _pairs(ties=True):
        _, times, gaps = _gaps(x, y)
        before = np.r_[0.0, gaps[:-1]]
        m, n = x.size, y.size
        expected = m * n / (m + n) ** 2 * np.sum(times * (gaps**2 + before**2) / 2)
        result, mirrored = CramerVonMises().fit(x).test(y), CramerVonMises().fit(-x).test(-y)
        assert result.statistic == pytest.approx(expected, abs=1e-12)
        assert mirrored.statistic == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.filterwarnings("ignore:p-value")
def test_anderson_darling_is_scipy_s(ties) -> None:
    compared = 0
    for x, y in _pairs(ties, least=2):
        result = AndersonDarling(method="asymptotic").fit(x).test(y)
        if np.unique(np.r_[x, y]).size < 2:
            assert (result.statistic, result.p_value) == (0.0, 1.0)
            continue
        expected = stats.anderson_ksamp([x, y], variant="midrank")
        sigma = _sigma(x.size, y.size)
        assert (result.statistic - 1) / sigma == pytest.approx(expected.statistic, abs=1e-9)
        if not ties and 0.002 < expected.pvalue < 0.2 and x.size > 10:
            assert result.p_value == pytest.approx(
                expected.pvalue, rel=0.1
            )  # theirs is a parabola through seven points
            compared += 1
    assert ties or compared > 5


def _sigma(m, n) -> float:
    """Scholz and Stephens (1987), equation 4, summed plainly for two samples."""
    total = m + n
    inverse, h = 1 / m + 1 / n, sum(1 / i for i in range(1, total))
    g = sum(1 / ((total - i) * j) for i in range(1, total - 1) for j in range(i + 1, total))
    a = (4 * g - 6) + (10 - 6 * g) * inverse
    b = (2 * g - 4) * 4 + 16 * h + (2 * g - 14 * h - 4) * inverse - 8 * h + 4 * g - 6
    c = (6 * h + 2 * g - 2) * 4 + (4 * h - 4 * g + 6) * 2 + (2 * h - 6) * inverse + 4 * h
    d = (2 * h + 6) * 4 - 8 * h
    return math.sqrt(
        (a * total**3 + b * total**2 + c * total + d) / ((total - 1) * (total - 2) * (total - 3))
    )


def test_baumgartner_is_scipy_s() -> None:
    for x, y in _pairs(ties=False, least=2):
        exact = math.comb(x.size + y.size, x.size) <= 10_000
        method = stats.PermutationMethod(n_resamples=10_000 if exact else 9)
        expected = stats.bws_test(x, y, method=method)
        result = BaumgartnerWeissSchindler().fit(x).test(y)
        assert result.statistic == pytest.approx(expected.statistic)
        assert (result.method == "exact") is exact
        if exact:
            assert result.p_value == pytest.approx(expected.pvalue)


@pytest.mark.parametrize("ties", [False, True])
def test_mann_whitney_is_scipy_s(ties) -> None:
    for x, y in _pairs(ties):
        expected = stats.mannwhitneyu(y, x, method="asymptotic")
        result = MannWhitney(method="asymptotic").fit(x).test(y)
        assert result.statistic == pytest.approx(2 * expected.statistic / (x.size * y.size) - 1)
        if np.ptp(np.r_[x, y]):
            assert result.p_value == pytest.approx(expected.pvalue, abs=1e-12)
        small = MannWhitney(method="exact", permutations=99).fit(x).test(y)
        if small.method == "exact" and not ties:
            assert small.p_value == pytest.approx(stats.mannwhitneyu(y, x, method="exact").pvalue)


def test_welch_is_scipy_s() -> None:
    for ties in (False, True):
        for x, y in _pairs(ties, least=2):
            result = Welch(method="asymptotic").fit(x).test(y)
            if np.ptp(x) and np.ptp(y):
                expected = stats.ttest_ind(y, x, equal_var=False)
                assert result.statistic == pytest.approx(expected.statistic)
                assert result.p_value == pytest.approx(expected.pvalue)


@pytest.mark.filterwarnings("ignore:Estimated covariance")
def test_epps_singleton_is_scipy_s() -> None:
    for ties in (False, True):
        for x, y in _pairs(ties, least=5):
            result = EppsSingleton(method="asymptotic").fit(x).test(y)
            if stats.iqr(np.r_[x, y]) == 0 or not np.ptp(x) or not np.ptp(y):
                continue
            expected = stats.epps_singleton_2samp(x, y)
            assert result.statistic == pytest.approx(expected.statistic, rel=1e-6)
            assert result.p_value == pytest.approx(expected.pvalue, rel=1e-5, abs=1e-12)


def test_kuiper_by_its_definition() -> None:
    for ties in (False, True):
        for x, y in _pairs(ties):
            gaps = np.append(_gaps(x, y)[2], 0.0)
            assert Kuiper().fit(x).test(y).statistic == pytest.approx(gaps.max() - gaps.min())
    hours = np.random.default_rng(3).uniform(0, 24, (2, 60))
    turned = (hours + 7.3) % 24
    assert Kuiper().fit(hours[0]).test(hours[1]).statistic == pytest.approx(
        Kuiper().fit(turned[0]).test(turned[1]).statistic
    )


@pytest.mark.parametrize("cls", RANKED)
@pytest.mark.parametrize("ties", [False, True])
def test_exact_p_values_go_through_all_splits(cls, ties) -> None:
    rng = np.random.default_rng(5)
    for _ in range(4):
        values = np.round(rng.normal(0, 2, 8)) if ties else rng.normal(0, 1, 8)
        observed = cls().fit(values[:3]).test(values[3:])
        found = 0
        for chosen in itertools.combinations(range(8), 3):
            mine = np.isin(np.arange(8), chosen)
            statistic = cls().fit(values[mine]).test(values[~mine]).statistic
            found += abs(statistic) >= abs(observed.statistic) - 1e-9
        assert observed.method == "exact"
        assert observed.p_value == pytest.approx(found / math.comb(8, 3))


@pytest.mark.parametrize("cls", RANKED)
@pytest.mark.parametrize("ties", [False, True])
def test_drawn_and_limiting_p_values_agree(cls, ties) -> None:
    if ties and cls is Kuiper:
        return  # its limit knows of no ties, as documented
    rng = np.random.default_rng(9)
    for shift in (0.0, 0.2, 0.4):
        x, y = rng.normal(0, 1, 150), rng.normal(shift, 1, 120)
        if ties:
            x, y = np.round(x), np.round(y)
        drawn = cls(method="permutation", permutations=20_000).fit(x).test(y)
        limit = cls(method="asymptotic").fit(x).test(y)
        assert (drawn.method, limit.method) == ("permutation", "asymptotic")
        assert drawn.statistic == limit.statistic
        assert limit.p_value == pytest.approx(drawn.p_value, rel=0.15, abs=0.02)


def test_methods_are_chosen_by_size() -> None:
    values = np.random.default_rng(1).normal(size=3000)
    for m, n, method in ((4, 5, "exact"), (9, 500, "permutation"), (10, 500, "asymptotic")):
        assert CramerVonMises(permutations=99).fit(values[:m]).test(values[-n:]).method == method
    assert (
        CramerVonMises(method="exact", permutations=99).fit(values[:99]).test(values[-9:]).method
        == "permutation"
    )
    tested = MannWhitney(method="permutation", permutations=999).fit(values[:9]).test(values[:900] + 100)
    assert tested.p_value == 1 / 1000, "no split of the drawn ones is as extreme"


def test_limits_are_those_published() -> None:
    for x, p in ((0.34730, 0.1), (0.46136, 0.05), (0.74346, 0.01), (1.16786, 0.001)):
        assert cramer_von_mises_tail(x) == pytest.approx(p, rel=2e-4)
    for x, p in ((1.933, 0.1), (2.492, 0.05), (3.857, 0.01)):  # Scholz and Stephens's and Stephens's tables
        assert anderson_darling_tail(x) == pytest.approx(p, rel=0.03)
    assert cramer_von_mises_tail(10.0) == pytest.approx(
        math.sqrt(2) * stats.chi2.sf(10 * math.pi**2, 1), rel=0.01
    )
    assert anderson_darling_tail(30.0) == pytest.approx(math.sqrt(3) * stats.chi2.sf(60, 1), rel=0.02)
    grid = np.linspace(0, 3, 500)
    for tail in (cramer_von_mises_tail, anderson_darling_tail):
        p = [tail(x) for x in grid]
        assert p[0] == 1
        assert (np.diff(p) <= 1e-12).all()
    assert three_cumulants_tail(4.2, 1, 2, 8) == pytest.approx(stats.chi2.sf(4.2, 1)), (
        "a chi-square is met exactly"
    )


@pytest.mark.parametrize(
    "cls", [*RANKED, KolmogorovSmirnov, Welch, EppsSingleton, Wasserstein, EnergyDistance]
)
def test_constants_and_extremes_give_an_answer_or_an_error(cls) -> None:
    same = cls().fit([0.1] * 200).test([0.1] * 50)
    assert (same.statistic, same.drift) == (0.0, False)
    moved = cls().fit([0.1] * 200).test([0.2] * 50)
    assert moved.drift
    assert moved.p_value is None or 0 <= moved.p_value < 1e-9
    largest = sys.float_info.max
    outcome = _answer(cls(), [-largest, -1.0, 0.0, 1.0, largest] * 3, [largest] * 6)
    assert outcome == "refused" or (math.isfinite(outcome.statistic) and outcome.drift)


def _answer(detector, reference, window):
    with contextlib.suppress(DataError):
        return detector.fit(reference).test(window)
    return "refused"


def test_parted_constants_have_the_chance_of_a_split() -> None:
    for cls, m, n, p in ((Welch, 3, 3, 2 / 20), (Welch, 2, 4, 1 / 15), (EppsSingleton, 5, 6, 1 / 462)):
        result = cls().fit([1.0] * m).test([2.0] * n)
        assert (result.statistic, result.method) == (sys.float_info.max, "exact")
        assert result.p_value == pytest.approx(p)
    two = EppsSingleton().fit([0, 1, 0, 1, 0, 0, 0, 1]).test([5] * 6)
    assert two.p_value == 1 / math.comb(14, 6)
    zeros = EppsSingleton().fit([0.0] * 95 + [1.0] * 5).test([0.0] * 90 + [1.0] * 10)
    assert 0.1 < zeros.p_value < 0.3, "more than half of all values are one"


@pytest.mark.parametrize(
    ("cls", "short", "rule"),
    [(Welch, [1.0], "at least 2 values, got 1"), (EppsSingleton, [1.0, 2, 3, 4], "at least 5 values, got 4")],
)
def test_samples_too_short_are_named(cls, short, rule) -> None:
    with pytest.raises(DataError, match=f"the reference must hold {rule}"):
        cls().fit(short)
    with pytest.raises(DataError, match=f"the window must hold {rule}"):
        cls().fit(range(9)).test(short)


@pytest.mark.parametrize("cls", [*RANKED, Welch, EppsSingleton, Wasserstein, EnergyDistance])
def test_what_is_no_sample_is_refused(cls) -> None:
    detector = cls().fit(np.arange(10.0))
    for bad in (
        [],
        [[1.0, 2.0]] * 5,
        3.0,
        [math.nan] * 9,
        ["a"] * 9,
        [object()] * 9,
        [1.0, None] * 5,
        ["1", 2] * 5 + ["x"],
    ):
        with pytest.raises(DataError):
            detector.test(bad)
        with pytest.raises(DataError):
            cls().fit(bad)


def test_parameters_out_of_range_are_named() -> None:
    for cls, name, value in (
        (CramerVonMises, "alpha", math.nan),
        (Kuiper, "permutations", 10),
        (AndersonDarling, "seed", -1),
        (Wasserstein, "norm", True),
        (EnergyDistance, "threshold", 0),
    ):
        with pytest.raises(ParameterError, match=name):
            cls(**{name: value})


def test_distances_normed_where_the_reference_is_constant() -> None:
    result = Wasserstein().fit([3.0] * 100).test([3.0, 5.0])
    assert result.method == "normed by both samples"
    pooled = np.r_[np.full(101, 3.0), 5.0]
    assert result.statistic == pytest.approx(1 / np.std(pooled))


def test_permutations_find_what_a_threshold_does_not() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.normal(0, 1, 3000), rng.normal(0.08, 1, 3000)
    for cls in (Wasserstein, EnergyDistance):
        assert not cls(threshold=0.2).fit(x).test(y).drift
        found = cls(permutations=999, seed=3).fit(x).test(y)
        assert found.drift
        assert (found.method, found.threshold) == ("permutation", 0.05)


def test_kernels_are_the_same_without_compilation_and_compiled_once() -> None:
    rng = np.random.default_rng(12)
    x, y = np.sort(np.round(rng.normal(size=40), 1)), np.sort(np.round(rng.normal(size=30), 1))
    found = Ordering.of(x, y)
    plain = np.zeros_like(found.measures)
    ordering.measure.py_func(found.pooled, found.labels, 40.0, 30.0, plain)
    assert plain == pytest.approx(found.measures, rel=1e-12)
    for measure in (CRAMER_VON_MISES, ANDERSON_DARLING, BAUMGARTNER):
        out = np.zeros(3)
        ordering.cumulants.py_func(found.pooled, measure, out)
        assert out == pytest.approx(found.cumulants(measure), rel=1e-12)
    assert smirnov_tail.tail.py_func(500, 0.07) == pytest.approx(smirnov_tail.tail(500, 0.07), rel=1e-12)
    assert smirnov_tail.tail(500, 0.07) == pytest.approx(special.smirnov(500, 0.07), rel=1e-9)
    for cls in (KolmogorovSmirnov, CramerVonMises, MannWhitney):
        detector = cls().fit(x)
        cls.from_state(detector.state()).test(y)
        detector.test(np.frombuffer(y.tobytes()))
        cls().fit(range(5)).test([1, 2, 3])
    for kernel in (
        ordering.merge,
        ordering.measure,
        ordering.cumulants,
        ordering.extremes,
        smirnov_tail.tail,
    ):
        assert len(kernel.signatures) == 1


def test_cumulants_are_traces_of_the_weighted_covariance() -> None:
    rng = np.random.default_rng(13)
    found = Ordering.of(
        np.sort(rng.integers(0, 6, 50)).astype(float), np.sort(rng.integers(0, 6, 40)).astype(float)
    )
    _, times = np.unique(found.pooled, return_counts=True)
    share = times / 90
    upto = np.cumsum(share)
    middle = upto - share / 2
    spread = middle * (1 - middle) - share / 4
    for measure, u, w, v in (
        (CRAMER_VON_MISES, upto[:-1], (share[:-1] + share[1:]) / 2, (upto * (1 - upto))[:-1]),
        (BAUMGARTNER, upto[:-1], share[:-1] / (upto * (1 - upto))[:-1], (upto * (1 - upto))[:-1]),
        (ANDERSON_DARLING, middle, share / spread, spread),
    ):
        covariance = np.minimum.outer(u, u) * (1 - np.maximum.outer(u, u))
        np.fill_diagonal(covariance, v)
        weighted = covariance * w
        traces = [np.trace(np.linalg.matrix_power(weighted, k)) for k in (1, 2, 3)]
        assert found.cumulants(measure) == pytest.approx((traces[0], 2 * traces[1], 8 * traces[2]))
