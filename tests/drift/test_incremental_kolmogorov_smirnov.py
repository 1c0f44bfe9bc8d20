"""The incremental test equals SciPy's, made anew at every value."""

import numpy as np
import pytest
from scipy import stats

from kedge.drift import DataError, IncrementalKolmogorovSmirnov, ParameterError, StateError
from kedge.drift.codec import decode, encode


def _sample(rng: np.random.Generator, size: int, mean: float, ties: bool) -> np.ndarray:
    values = rng.normal(mean, 1, size)
    return np.round(values * 2) / 2 if ties else values


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize(("m", "w"), [(200, 30), (150, 75), (64, 7)])
def test_every_step_is_scipy_s(m, w, ties) -> None:
    rng = np.random.default_rng(m + ties)
    reference, values = _sample(rng, m, 0, ties), _sample(rng, 200, 0.5, ties)
    detector = IncrementalKolmogorovSmirnov(1e-12, window=w).fit(reference)
    found = detector.update_many(values, statistics=True).statistics
    p_values = detector.p_values(found)
    for i in range(w - 1, values.size):
        expected = stats.ks_2samp(reference, values[i - w + 1 : i + 1], method="exact")
        assert found[i] == pytest.approx(expected.statistic, abs=1e-15)
        assert p_values[i] == pytest.approx(expected.pvalue, rel=1e-10)
    assert detector.p_value == p_values[-1]


def test_p_values_of_large_samples_are_scipy_s_asymptotic_ones() -> None:
    rng = np.random.default_rng(1)
    reference, values = rng.normal(size=10_500), rng.normal(0.05, 1, 300)
    detector = IncrementalKolmogorovSmirnov(window=300).fit(reference)
    detector.update_many(values)
    expected = stats.ks_2samp(reference, values, method="asymp")
    assert (detector.statistic, detector.p_value) == pytest.approx((expected.statistic, expected.pvalue))


def test_an_alarm_is_where_the_p_value_falls_below_alpha() -> None:
    rng = np.random.default_rng(2)
    reference, values = rng.normal(size=300), np.concatenate([rng.normal(size=300), rng.normal(1, 1, 300)])
    silent = IncrementalKolmogorovSmirnov(1e-15, window=40).fit(reference)
    p_values = silent.p_values(silent.update_many(values, statistics=True).statistics)
    first = int(np.argmax((p_values < 0.001) & (np.arange(600) >= 39)))
    detector = IncrementalKolmogorovSmirnov(0.001, window=40).fit(reference)
    drifts = detector.update_many(values).drifts
    assert drifts[0] == first
    assert np.diff(drifts).min() >= 40, "after an alarm the window is filled anew"


def test_an_alpha_that_no_gap_reaches_never_alarms() -> None:
    detector = IncrementalKolmogorovSmirnov(1e-6, window=2).fit(np.arange(10))
    assert not detector.update_many(np.full(50, 99.0)).drifts.size


def test_the_first_values_serve_as_the_reference() -> None:
    rng = np.random.default_rng(3)
    values = rng.normal(np.repeat([0, 1], 500), 1)
    given = IncrementalKolmogorovSmirnov(window=50).fit(values[:200])
    taken = IncrementalKolmogorovSmirnov(window=50, reference_size=200)
    assert (given.update_many(values[200:]).drifts + 200).tolist() == taken.update_many(
        values
    ).drifts.tolist()
    assert taken.n_reference == 200


def test_a_given_reference_survives_reset_and_saving() -> None:
    rng = np.random.default_rng(4)
    reference, values = rng.normal(size=333), rng.normal(1, 1, 300)
    detector = IncrementalKolmogorovSmirnov(window=50).fit(reference)
    expected = detector.update_many(values).drifts.tolist()
    assert expected
    again = IncrementalKolmogorovSmirnov.from_state(detector.state())
    assert again.n_reference == 333
    again.reset()
    assert again.update_many(values).drifts.tolist() == expected


def test_references_that_are_too_short_are_refused() -> None:
    with pytest.raises(ParameterError, match="2 windows"):
        IncrementalKolmogorovSmirnov(window=100, reference_size=199)
    with pytest.raises(DataError, match="2 windows"):
        IncrementalKolmogorovSmirnov(window=100).fit(np.zeros(199))
    with pytest.raises(DataError, match="finite"):
        IncrementalKolmogorovSmirnov(window=2).fit([0, 1, 2, 3, np.nan])
    assert IncrementalKolmogorovSmirnov(window=2, missing="skip").fit([0, 1, 2, 3, np.nan]).n_reference == 4


@pytest.mark.parametrize("head", [(-5, 0, 0, 1), (1e300, 0, 1, 1), (1001, 0, 0, 1), (1000, 1001, 0, 1)])
def test_forged_sizes_are_refused(head) -> None:
    parameters, values = decode("IncrementalKolmogorovSmirnov", 1, IncrementalKolmogorovSmirnov().state())
    values["state"][:4] = head
    with pytest.raises(StateError, match="long"):
        IncrementalKolmogorovSmirnov.from_state(encode("IncrementalKolmogorovSmirnov", 1, parameters, values))
