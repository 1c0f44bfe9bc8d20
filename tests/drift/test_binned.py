"""Distances between histograms and tests of tables equal SciPy's and their definitions."""

import functools
import math

import numpy as np
import pytest
from scipy import stats
from scipy.spatial import distance

from kedge.drift import (
    Bhattacharyya,
    ChiSquare,
    DataError,
    FisherExact,
    GTest,
    Hellinger,
    JensenShannon,
    KullbackLeibler,
    LInfinity,
    ParameterError,
    ProportionsZ,
    StateError,
    TotalVariation,
    test_columns,
)
from kedge.drift.batch.chi_square import _pearson
from kedge.drift.batch.fisher_exact import _unlikeliness
from kedge.drift.batch.g_test import _ratio
from kedge.drift.batch.tables import _by_counts, _by_values
from kedge.drift.codec import encode

BINNED = [Bhattacharyya, Hellinger, JensenShannon, KullbackLeibler, LInfinity, TotalVariation]
FLOORED = [Bhattacharyya, KullbackLeibler]
TABLES = [FisherExact, GTest, ProportionsZ]


def _definition(cls, p, q) -> float:
    if cls is JensenShannon:
        return distance.jensenshannon(p, q, base=2)
    if cls is KullbackLeibler:
        return stats.entropy(p, q)
    return {
        Bhattacharyya: lambda: -math.log(np.sum(np.sqrt(p * q))),
        Hellinger: lambda: math.sqrt(max(1 - np.sum(np.sqrt(p * q)), 0)),
        LInfinity: lambda: distance.chebyshev(p, q),
        TotalVariation: lambda: 0.5 * distance.cityblock(p, q),
    }[cls]()


def _shares(result):
    return (np.array(counts) / sum(counts) for counts in (result.reference_counts, result.counts))


@pytest.mark.parametrize("cls", BINNED)
@pytest.mark.parametrize("binning", ["quantile", "width", "pooled", "categories"])
def test_distances_by_their_definitions(cls, binning) -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        x, y = rng.normal(0, 1, int(rng.integers(3, 400))), rng.normal(0.5, 1, int(rng.integers(3, 400)))
        if binning == "categories":
            x, y = np.round(x).astype(int), np.round(y).astype(int)
        result = cls(binning=binning).fit(x).test(y)
        p, q = _shares(result)
        if cls in FLOORED:
            p, q = (each / each.sum() for each in (np.maximum(p, 1e-4), np.maximum(q, 1e-4)))
        assert result.statistic == pytest.approx(_definition(cls, p, q), abs=1e-7)
        assert result.p_value is None


@pytest.mark.parametrize("cls", FLOORED)
def test_empty_bins_are_floored_or_smoothed(cls) -> None:
    before, after = ["a"] * 6 + ["b"] * 4, ["b"] * 3 + ["c"] * 2
    smooth = cls(binning="categories", zero="smooth", pseudocount=1.0).fit(before).test(after)
    p, q = np.array([7, 5, 1]) / 13, np.array([1, 4, 3]) / 8
    assert smooth.statistic == pytest.approx(_definition(cls, p, q))
    low, high = (
        cls(binning="categories", floor=floor).fit(before).test(after).statistic for floor in (0.01, 1e-9)
    )
    assert low < high < math.inf


def test_jensen_shannon_in_both_bases() -> None:
    before, after = ["a"] * 6 + ["b"] * 4, ["b"] * 3 + ["c"] * 2
    p, q = np.array([0.6, 0.4, 0]), np.array([0, 0.6, 0.4])
    for base, number in (("2", 2), ("e", math.e)):
        result = JensenShannon(binning="categories", base=base).fit(before).test(after)
        assert result.statistic == pytest.approx(distance.jensenshannon(p, q, base=number))
    assert JensenShannon(binning="categories").fit(["a"]).test(["b"]).statistic == pytest.approx(1)


def test_pooled_bins_are_numpy_s() -> None:
    rng = np.random.default_rng(6)
    x, y = rng.normal(0, 1, 500), rng.normal(1, 2, 300)
    result = Hellinger(binning="pooled", bins=12).fit(x).test(y)
    edges = np.histogram_bin_edges(np.r_[x, y], 12)
    assert result.bins == pytest.approx(edges.tolist())
    assert list(result.reference_counts) == np.histogram(x, edges)[0].tolist()
    assert list(result.counts) == np.histogram(y, edges)[0].tolist()


@pytest.mark.parametrize("cls", BINNED)
def test_a_drawn_p_value_is_that_of_all_splits(cls) -> None:
    """Of six and six values in two categories the splits can be counted by hand: hypergeometric."""
    before, after = ["a"] * 5 + ["b"], ["a"] * 2 + ["b"] * 4
    result = cls(binning="categories", permutations=20_000).fit(before).test(after)
    k = np.arange(1, 7)  # how many of the seven a fall into the window
    extreme = (k <= 2) | (k >= 5)
    expected = stats.hypergeom.pmf(k, 12, 7, 6)[extreme].sum()
    assert result.p_value == pytest.approx(expected, abs=0.015)
    assert result.method == "categories, permutation"
    assert result.threshold == 0.05


@pytest.mark.parametrize("binning", ["quantile", "width"])
def test_bins_of_a_p_value_are_made_of_both_samples(binning) -> None:
    rng = np.random.default_rng(7)
    x, y = rng.normal(0, 1, 300), rng.normal(1, 2, 200)
    both = np.r_[x, y]
    detector = Hellinger(binning=binning, bins=5, permutations=99).fit(x)
    result = detector.test(y)
    alone = Hellinger(binning=binning, bins=5).fit(both)  # without a p-value, bins are the reference's
    assert result.bins == alone.test(y).bins
    assert result == type(detector).from_state(detector.state()).test(y)
    assert result == test_columns({"x": x}, {"x": y}, detectors=detector).columns[0].result
    swapped = Hellinger(binning=binning, bins=5, permutations=99).fit(y).test(x)
    assert swapped.bins == result.bins
    assert swapped.statistic == pytest.approx(result.statistic)


def test_a_state_that_kept_bins_alone_gives_no_p_value() -> None:
    old = encode(
        "Hellinger",
        1,
        Hellinger(permutations=99).parameters(),
        {"edges": np.arange(4.0), "counts": np.array([3, 4, 5]), "n_reference": np.array([12])},
    )
    with pytest.raises(StateError, match="fit it anew"):
        Hellinger.from_state(old)


@pytest.mark.parametrize("cls", BINNED)
def test_constants(cls) -> None:
    for binning in ("quantile", "width", "pooled"):
        same = cls(binning=binning, permutations=99).fit([0.1] * 30).test([0.1] * 9)
        assert (same.statistic, same.p_value) == (0.0, 1.0)
        moved = cls(binning=binning).fit([0.1] * 30).test([0.2] * 9)
        assert moved.drift
        assert sum(moved.counts) == 9
    single = cls(binning="categories").fit(["x"] * 5)
    assert single.test(["x"]).statistic == 0
    assert single.test(["y"]).drift


@pytest.mark.parametrize("cls", [*BINNED, *TABLES])
def test_what_is_no_sample_is_refused(cls) -> None:
    categorical = cls in TABLES
    detector = cls().fit(["a", "b"] if categorical else [1.0, 2.0])
    bad = ([], [[1.0, 2.0]] * 5, 3.0, [math.nan] * 9, [object()] * 9, [None] * 3, [{}, 1])
    for sample in (
        *bad,
        *(() if categorical else (["a"], [1j], np.array([1j]), np.array(["2020-01-01"], "M8[D]"))),
    ):
        with pytest.raises(DataError):
            detector.test(sample)
        with pytest.raises(DataError):
            cls().fit(sample)
    with pytest.raises(DataError, match="empty"):
        cls(missing="skip").fit([math.nan] * 4)


def test_parameters_out_of_range_are_named() -> None:
    for cls, name, value in (
        (Hellinger, "bins", 1),
        (KullbackLeibler, "floor", 0.0),
        (KullbackLeibler, "pseudocount", math.nan),
        (Bhattacharyya, "zero", "drop"),
        (JensenShannon, "base", 2),
        (GTest, "permutations", 3),
        (ProportionsZ, "method", "permutation"),
    ):
        with pytest.raises(ParameterError, match=name):
            cls(**{name: value})


def _tables(k: int, rows: int):
    for seed in range(30):
        rng = np.random.default_rng([seed, k])
        yield rng.choice(list("abcdef")[:k], int(rng.integers(2, rows))), rng.choice(list("abcdefg")[:k], 40)


def test_g_test_is_scipy_s() -> None:
    for k in (2, 3, 6):
        for x, y in _tables(k, 900):
            result = GTest(method="asymptotic").fit(x).test(y)
            table = np.array([result.reference_counts, result.counts])
            expected = stats.chi2_contingency(table, correction=False, lambda_="log-likelihood")
            assert result.statistic == pytest.approx(expected.statistic, abs=1e-9)
            assert result.p_value == pytest.approx(expected.pvalue, abs=1e-12)
            small = (expected.expected_freq < 5).mean() > 0.2 or expected.expected_freq.min() < 1
            assert GTest(permutations=99).fit(x).test(y).method == ("permutation" if small else "asymptotic")


def test_fisher_is_scipy_s() -> None:
    for x, y in _tables(2, 90):
        result = FisherExact().fit(x).test(y)
        if len(result.bins) == 2:
            table = np.array([result.reference_counts, result.counts])
            assert result.p_value == pytest.approx(stats.fisher_exact(table).pvalue, rel=1e-9)
            chi_square = stats.chi2_contingency(table, correction=False).statistic
            assert result.statistic == pytest.approx(math.sqrt(chi_square / table.sum()))
            assert result.method == "exact"
    large = FisherExact().fit([1] * 50_000 + [0] * 49_000).test([1] * 50_000 + [0] * 49_900)
    assert large.p_value == pytest.approx(
        stats.fisher_exact([[50_000, 49_000], [50_000, 49_900]]).pvalue, rel=1e-5
    )


def test_fisher_of_more_categories_is_freeman_and_halton_s() -> None:
    """All tables with the sums of a small one, each with its chance."""
    before, after = [4, 1, 3], [0, 4, 1]
    sums = np.add(before, after)
    tables = [
        (i, j, 5 - i - j) for i in range(sums[0] + 1) for j in range(sums[1] + 1) if 0 <= 5 - i - j <= sums[2]
    ]
    chances = np.array(
        [math.prod(math.comb(s, c) for s, c in zip(sums, t, strict=True)) for t in tables]
    ) / math.comb(13, 5)
    observed = chances[tables.index((0, 4, 1))]
    expected = chances[chances <= observed * (1 + 1e-9)].sum()
    names = np.array(list("abc"))
    result = FisherExact(permutations=50_000).fit(np.repeat(names, before)).test(np.repeat(names, after))
    assert result.p_value == pytest.approx(expected, abs=0.005)


def test_proportions_are_pearson_s_two_by_two() -> None:
    for x, y in _tables(2, 900):
        result = ProportionsZ(method="asymptotic").fit(x).test(y)
        if len(result.bins) < 2:
            assert (result.statistic, result.p_value) == (0.0, 1.0)
            continue
        table = np.array([result.reference_counts, result.counts])
        expected = stats.chi2_contingency(table, correction=False)
        assert result.statistic**2 == pytest.approx(expected.statistic)
        assert result.p_value == pytest.approx(expected.pvalue, abs=1e-12)
        exact = ProportionsZ(method="exact").fit(x).test(y)
        assert exact.p_value == pytest.approx(stats.fisher_exact(table).pvalue)
    assert ProportionsZ().fit([1] * 50 + [0] * 2).test([1] * 9).method == "exact"
    three = (
        ProportionsZ().fit(["b"] * 50 + ["a"] * 30 + ["c"] * 20).test(["b"] * 60 + ["a"] * 10 + ["c"] * 30)
    )
    assert three.statistic == pytest.approx((0.6 - 0.5) / math.sqrt(0.55 * 0.45 * 0.02))


@pytest.mark.parametrize(
    "cell", [functools.partial(_pearson, 0.25), functools.partial(_ratio, 0.25), _unlikeliness]
)
def test_tables_drawn_by_values_are_those_drawn_by_counts(cell) -> None:
    """Either sample may be the smaller one: both ways draw from the same distribution."""
    rng = np.random.default_rng(6)
    before, after = rng.poisson(6, 12) + 1, rng.poisson(2, 12)
    after[0] += before.sum() // 3 - after.sum()
    for one, other in ((before, after), (after, before)):
        ways = [
            np.sort(np.concatenate(list(way(one, other, cell, 20_000, 3))))
            for way in (_by_values, _by_counts)
        ]
        assert stats.ks_2samp(*ways).pvalue > 1e-4
        assert ways[0].mean() == pytest.approx(ways[1].mean(), rel=0.02)


@pytest.mark.parametrize("cls", [ChiSquare, GTest, FisherExact])
def test_many_rare_categories_take_no_longer_than_their_values(cls) -> None:
    rng = np.random.default_rng(7)
    result = cls(permutations=999).fit(rng.integers(20_000, size=9000)).test(rng.integers(20_000, size=900))
    assert result.method == "permutation"
    assert 0.001 < result.p_value < 0.999


@pytest.mark.parametrize("cls", TABLES)
def test_tables_of_one_category(cls) -> None:
    detector = cls().fit(["x"] * 30)
    assert detector.test(["x"]).p_value == 1
    assert detector.test(["y"] * 30).p_value < 1e-3
    assert detector.test(["y"]).p_value == pytest.approx(1 / 31, rel=0.2), "9999 draws"
