"""What once went wrong: digits lost to large values, variances that rounding made up, states that lead out of arrays."""

import numpy as np
import pytest
from scipy import stats

from kedge.drift import ADWIN, BOCD, EppsSingleton, PageHinkley, ParameterError, StateError
from kedge.drift.codec import encode


@pytest.mark.parametrize("plateau", [1e6, 1e7, 1e8, 1e9, 1e10])
def test_adwin_has_its_digits_back_once_large_values_have_left(plateau) -> None:
    rng = np.random.default_rng(0)
    levels = [
        rng.normal(5, 1, 500),
        rng.normal(plateau, 1, 3000),
        rng.normal(5, 1, 8000),
        rng.normal(9, 1, 500),
    ]
    detector = ADWIN()
    found = detector.update_many(np.concatenate(levels)).drifts
    assert not ((found > 4000) & (found < 11_500)).any()
    assert ((found >= 11_500) & (found < 11_600)).any()
    assert detector.statistic == pytest.approx(9, abs=0.3)


@pytest.mark.slow
@pytest.mark.parametrize(("share", "size"), [(0.3, 1000), (0.9, 100), (0.9, 500)])
def test_epps_singleton_of_two_values_holds_its_level(share, size) -> None:
    rng = np.random.default_rng(2)
    detector = EppsSingleton(method="asymptotic")
    alarms = sum(
        detector.fit((rng.random(size) < share) * 1.0).test((rng.random(size) < share) * 1.0).drift
        for _ in range(600)
    )
    low, high = stats.binom.interval(0.9999, 600, 0.05)
    assert low <= alarms <= high


def test_epps_singleton_of_two_values_is_that_of_their_mirror_image() -> None:
    one, other = np.repeat([0.0, 1.0], [91, 9]), np.repeat([0.0, 1.0], [90, 10])
    for method in ("auto", "asymptotic"):
        found = [
            EppsSingleton(method=method, permutations=999).fit(turned(one)).test(turned(other)).p_value
            for turned in (lambda x: x, lambda x: 1 - x, lambda x: -x)
        ]
        assert min(found) > 0.5


@pytest.mark.parametrize(("cls", "places"), [(ADWIN, range(1, 12)), (BOCD, [0])])
@pytest.mark.parametrize("value", [1e18, -1e18, 0.5, np.nan])
def test_states_that_lead_out_of_the_array_are_refused(cls, places, value) -> None:
    detector = cls()
    detector.update_many(np.random.default_rng(1).normal(size=300))
    for place in places:
        if place in (2, 3):  # sums, which may be anything
            continue
        known = np.append(detector._state, 0.0)
        known[place] = value
        with pytest.raises(StateError):
            cls.from_state(encode(cls.__name__, cls.state_version, detector.parameters(), {"state": known}))


def test_a_delta_that_would_overflow_is_refused() -> None:
    with pytest.raises(ParameterError, match="delta"):
        PageHinkley(delta=1.7e308)
