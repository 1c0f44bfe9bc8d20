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
from kedge.drift import ADWIN, ChiSquare, KolmogorovSmirnov, PageHinkley, PopulationStabilityIndex
from kedge.drift.correction import benjamini_hochberg, holm


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
def test_adwin_is_river_s_when_it_resets(name, ours, theirs) -> None:
    values = _streams()[name]
    found = ADWIN(after_drift="reset", **ours).update_many(values).drifts.tolist()
    assert found == _river(river.ADWIN(**theirs), values)


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
    assert detector.test([4.0] * 10).drift is False or detector.test([4.0] * 10).statistic > 0


def test_corrections_agree_with_scipy() -> None:
    rng = np.random.default_rng(2)
    for _ in range(50):
        p = rng.random(12) ** 3
        assert (benjamini_hochberg(p, 0.1) == (stats.false_discovery_control(p) <= 0.1)).all()
        assert holm(p, 0.1).sum() >= (p <= 0.1 / 12).sum()


@pytest.mark.slow
def test_false_alarms_of_kolmogorov_smirnov_are_as_nominal() -> None:
    rng = np.random.default_rng(11)
    alarms = sum(
        KolmogorovSmirnov(alpha=0.1).fit(rng.normal(size=200)).test(rng.normal(size=150)).drift
        for _ in range(600)
    )
    low, high = stats.binom.interval(0.9999, 600, 0.1)
    assert alarms <= high
    assert alarms >= low * 0.7  # the exact test is discrete, so its level is at most the nominal one


def test_examples_in_the_documentation() -> None:
    modules = [name for _, name, _ in pkgutil.walk_packages(kedge.drift.__path__, "kedge.drift.")]
    results = [doctest.testmod(importlib.import_module(name)) for name in modules]
    assert sum(result.failed for result in results) == 0
    assert sum(result.attempted for result in results) > 15


def test_the_library_brings_nothing_of_the_rest() -> None:
    code = (
        "import sys, kedge.drift\n"
        "bad = [m for m in sys.modules if m.split('.')[0] in {'pandas', 'pyarrow', 'httpx', 'starlette', 'mlflow', 'sklearn'}"
        " or (m.startswith('kedge.') and not m.startswith('kedge.drift'))]\n"
        "sys.exit(' '.join(bad) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
