"""Numbers equal those of River 0.26.1, SciPy, and arithmetic by hand."""

import doctest
import importlib
import pkgutil
import subprocess
import sys

import numpy as np
import pytest
from river import drift as river
from scipy import stats

import kedge.drift
from kedge.drift import (
    ADWIN,
    ChiSquare,
    DataError,
    KolmogorovSmirnov,
    PageHinkley,
    PopulationStabilityIndex,
    benjamini_hochberg,
    bonferroni,
    holm,
)


def _streams() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(7)
    return {
        "normal": np.concatenate([rng.normal(0, 1, 3000), rng.normal(1, 1, 3000), rng.normal(-1, 2, 3000)]),
        "binary": (rng.random(9000) < np.repeat([0.2, 0.4, 0.1], 3000)).astype(float),
        "negative": np.concatenate([rng.normal(-1000, 30, 4000), rng.normal(-1040, 30, 4000)]),
        "heavy": rng.standard_cauchy(6000),
        "constant": np.full(3000, 0.1),
    }


def _river(detector, values) -> list[int]:
    found = []
    for i, value in enumerate(values):
        detector.update(value)
        if detector.drift_detected:
            found.append(i)
    return found


@pytest.mark.parametrize("name", _streams())
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({}, {}),
        ({"delta": 0.1, "clock": 1}, {"delta": 0.1, "clock": 1}),
        ({"max_buckets": 3, "min_window_length": 20},) * 2,
    ],
)
def test_adwin_preset_is_river_s(name, ours, theirs) -> None:
    values = _streams()[name]
    expected = _river(river.ADWIN(**theirs), values)
    assert ADWIN(preset="river", **ours).update_many(values).drifts.tolist() == expected
    assert ADWIN(after_drift="reset", **ours).update_many(values).drifts.tolist() == expected


@pytest.mark.parametrize("offset", [0.0, 1e3, -1e9, 1e12])
@pytest.mark.parametrize("scale", [0.0, 1e-9, 1e-3, 1.0, 1e6])
def test_adwin_is_river_s_where_means_are_rounding(offset, scale) -> None:
    """Cuts are first sought by products without divisions: those must let through all that the bound itself would find."""
    rng = np.random.default_rng(5)
    for delta, shortest, step in ((0.002, 5, 0.3), (0.9, 1, 0.0)):
        values = offset + scale * (rng.normal(0, 1, 700) + step * (np.arange(700) >= 350))
        expected = _river(river.ADWIN(delta=delta, clock=1, min_window_length=shortest), values.tolist())
        ours = ADWIN(delta, clock=1, min_window_length=shortest, preset="river")
        assert ours.update_many(values).drifts.tolist() == expected


def test_adwin_widths_are_river_s() -> None:
    values = _streams()["normal"]
    ours, theirs = ADWIN(preset="river"), river.ADWIN()
    for value in values.tolist():
        theirs.update(value)
        assert (ours.update(value) == "drift") is theirs.drift_detected
        if not theirs.drift_detected:  # River empties its window at the value after the change
            assert ours.width == theirs.width


def test_adwin_finds_a_change_after_a_burst_of_large_values() -> None:
    """Their squares leave the sum of squares below zero by rounding; its root must not silence the detector."""
    rng = np.random.default_rng(8)
    burst = [rng.normal(0, 1, 500), rng.normal(1e12, 1, 60), rng.normal(0, 1, 2000), rng.normal(8, 1, 500)]
    detector = ADWIN()
    found = detector.update_many(np.concatenate(burst)).drifts
    assert (found >= 2560).any()
    assert detector.statistic == pytest.approx(8, abs=1)


@pytest.mark.parametrize("name", _streams())
@pytest.mark.parametrize("direction", ["up", "down", "both"])
def test_page_hinkley_is_river_s(name, direction) -> None:
    values = _streams()[name]
    found = PageHinkley(threshold=30, direction=direction).update_many(values).drifts.tolist()
    assert found == _river(river.PageHinkley(threshold=30, mode=direction), values)


def test_adwin_keeps_what_followed_the_change() -> None:
    rng = np.random.default_rng(3)
    values = np.concatenate([rng.normal(10, 0.1, 3000), rng.normal(12, 0.1, 200)])
    keeping, resetting = ADWIN(), ADWIN(after_drift="reset")
    keeping.update_many(values)
    resetting.update_many(values)
    assert keeping.width > resetting.width
    assert keeping.statistic == pytest.approx(12, abs=0.1)


@pytest.mark.parametrize(("m", "n"), [(50, 70), (1000, 300), (20000, 12000)])
@pytest.mark.parametrize("ties", [False, True])
def test_kolmogorov_smirnov_is_scipy_s(m, n, ties) -> None:
    rng = np.random.default_rng(m)
    reference, window = rng.normal(0, 1, m), rng.normal(0.1, 1, n)
    if ties:
        reference, window = np.round(reference, 1), np.round(window, 1)
    expected = stats.ks_2samp(reference, window)
    result = KolmogorovSmirnov().fit(reference).test(window)
    assert result.statistic == pytest.approx(expected.statistic, abs=1e-12)
    assert result.p_value == pytest.approx(expected.pvalue, rel=1e-6, abs=1e-12)


def test_chi_square_is_scipy_s() -> None:
    rng = np.random.default_rng(5)
    reference, window = rng.choice(list("abcde"), 900), rng.choice(list("abcdef"), 400)
    result = ChiSquare().fit(reference).test(window)
    expected = stats.chi2_contingency(np.array([result.reference_counts, result.counts]), correction=False)
    assert result.statistic == pytest.approx(expected.statistic)
    assert result.p_value == pytest.approx(expected.pvalue)


def test_psi_by_hand() -> None:
    reference, window = [0] * 50 + [1] * 50, [0] * 25 + [1] * 75
    result = PopulationStabilityIndex(binning="categories").fit(reference).test(window)
    assert result.statistic == pytest.approx(
        (0.25 - 0.5) * np.log(0.25 / 0.5) + (0.75 - 0.5) * np.log(0.75 / 0.5)
    )
    assert result.counts == (25, 75)


def test_psi_of_an_empty_bin_is_bounded_by_the_floor() -> None:
    detector = PopulationStabilityIndex(floor=0.001, binning="width", bins=2).fit([0.0, 1.0])
    assert detector.test([0.0]).statistic == pytest.approx(
        0.5 * np.log(2) + (0.001 - 0.5) * np.log(0.001 / 0.5)
    )


def test_psi_of_a_constant_reference() -> None:
    detector = PopulationStabilityIndex().fit([3.0] * 100)
    assert detector.test([3.0] * 10).statistic == 0
    above = detector.test([4.0] * 10)
    assert above.reference_counts == (0, 100, 0)
    assert above.counts == (0, 0, 10)
    assert above.statistic == pytest.approx(2 * (1 - 1e-4) * np.log(1e4))


@pytest.mark.parametrize("binning", ["quantile", "width"])
def test_psi_of_a_reference_that_is_mostly_one_value(binning) -> None:
    """All ten quantiles but the last are then the same number, and a single bin would hide any shift."""
    sparse = np.r_[np.zeros(950), np.arange(1.0, 51)]
    detector = PopulationStabilityIndex(binning=binning).fit(sparse)
    assert detector.test(np.arange(1.0, 1001)).statistic > 2
    assert detector.test(-np.arange(1.0, 1001)).drift is (binning == "quantile")
    assert detector.test(sparse).statistic == 0


def test_psi_of_extreme_numbers_stays_a_number() -> None:
    largest = np.finfo(np.float64).max
    for binning in ("quantile", "width"):
        result = (
            PopulationStabilityIndex(binning=binning).fit([-largest, 0.0, largest]).test([largest, 5e-324])
        )
        assert np.isfinite(result.bins).all()
        assert np.isfinite(result.statistic)
    assert sum(KolmogorovSmirnov().fit([-largest, largest]).test([largest] * 3).counts) == 3


def test_psi_bins_hold_equal_shares_of_a_continuous_reference() -> None:
    reference = np.random.default_rng(1).normal(size=1000)
    result = PopulationStabilityIndex().fit(reference).test(reference)
    assert len(result.bins) == 11
    assert max(result.reference_counts) - min(result.reference_counts) <= 2


def test_counts_of_kolmogorov_smirnov_are_numpy_s() -> None:
    rng = np.random.default_rng(4)
    reference, window = rng.normal(0, 1, 3000), np.append(rng.normal(0.5, 1, 2000), 1e12)
    result = KolmogorovSmirnov().fit(reference).test(window)
    edges = np.array(result.bins)
    assert edges[-1] < 10, "one outlier sets the scale"
    for sample, counts in ((reference, result.reference_counts), (window, result.counts)):
        inside = np.clip(sample, edges[0], edges[-1])
        assert np.histogram(inside, edges)[0].tolist() == list(counts)


def test_exact_p_values_fall_back_where_paths_cannot_be_counted() -> None:
    reference, window = np.arange(65_537.0), np.arange(65_539.0)
    result = KolmogorovSmirnov(method="exact").fit(reference).test(window)
    assert result.method == "asymptotic"
    small = KolmogorovSmirnov(method="exact").fit(reference[:50]).test(window[:40] + 20)
    assert small.method == "exact"
    assert small.p_value == stats.ks_2samp(reference[:50], window[:40] + 20, method="exact").pvalue


def test_categories_are_compared_by_their_text() -> None:
    detector = ChiSquare().fit(["1", "2", "2", "True"])
    assert detector.test([1, 2, 2, True]).statistic == 0
    assert detector.test(np.array([1.0, 2.0])).bins == ("1", "2", "True")
    assert detector.test(np.array(["1", "3"])).counts == (1, 0, 1, 0)
    for bad in (["a", None], ["a", float("nan")], [("a",)], [object()], 3):
        with pytest.raises(DataError):
            detector.test(bad)
    assert ChiSquare(missing="skip").fit(["a", None]).test(["a", float("nan"), "b"]).n == 2


def test_benjamini_hochberg_is_scipy_s() -> None:
    rng = np.random.default_rng(2)
    for _ in range(50):
        p = rng.random(12) ** 3
        assert (benjamini_hochberg(p, 0.1) == (stats.false_discovery_control(p) <= 0.1)).all()


def test_holm_by_its_definition() -> None:
    rng = np.random.default_rng(2)
    for _ in range(50):
        p = rng.random(12) ** 4
        expected = np.zeros(12, bool)
        for rank, place in enumerate(np.argsort(p)):
            if p[place] > 0.1 / (12 - rank):
                break
            expected[place] = True
        assert (holm(p, 0.1) == expected).all()
        assert (bonferroni(p, 0.1) <= holm(p, 0.1)).all()


@pytest.mark.parametrize("correct", [bonferroni, holm, benjamini_hochberg])
def test_corrections_take_none_and_refuse_what_is_no_p_value(correct) -> None:
    assert correct([]).tolist() == []
    assert correct([0.0, 1.0]).tolist() == [True, False]
    for bad in ([0.1, float("nan")], [1.1], [-0.1], [[0.1]], 0.1):
        with pytest.raises(ValueError, match="p_values"):
            correct(bad)
    with pytest.raises(ValueError, match="alpha"):
        correct([0.1], alpha=0)


@pytest.mark.slow
def test_examples_in_the_documentation() -> None:
    modules = [name for _, name, _ in pkgutil.walk_packages(kedge.drift.__path__, "kedge.drift.")]
    results = [doctest.testmod(importlib.import_module(name)) for name in modules]
    assert sum(result.failed for result in results) == 0
    assert sum(result.attempted for result in results) > 15


def test_importing_loads_neither_numba_nor_scipy_stats() -> None:
    code = (
        "import sys, kedge.drift as d\n"
        "d.ADWIN(), d.PageHinkley(), d.PopulationStabilityIndex().fit([1.0]).test([2.0])\n"
        "sys.exit(' '.join({'numba', 'scipy.stats', 'scipy'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_library_brings_nothing_of_the_rest() -> None:
    code = (
        "import sys, kedge.drift\n"
        "bad = [m for m in sys.modules if m.split('.')[0] in {'pandas', 'pyarrow', 'httpx', 'starlette', 'mlflow', 'sklearn'}"
        " or (m.startswith('kedge.') and not m.startswith('kedge.drift'))]\n"
        "sys.exit(' '.join(bad) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
