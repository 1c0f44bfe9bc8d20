"""Welch's p-values by splits are SciPy's, and statistics do not depend on how far from zero values lie."""

import numpy as np
import pytest
from scipy import stats

from kedge.drift import EnergyDistance, Wasserstein, Welch


def test_welch_s_exact_p_values_are_scipy_s_permutations() -> None:
    """By every split, and by drawn ones within their error."""
    rng = np.random.default_rng(8)
    for x, y in ((rng.exponential(1, 6), rng.normal(2, 1, 5)), ([0.0, 0, 1, 0, 2, 0], [1.0, 0, 3, 5])):

        def t(a, b, axis):
            means, shares = (
                [part.mean(axis=axis) for part in (a, b)],
                [part.var(axis=axis, ddof=1) / part.shape[axis] for part in (a, b)],
            )
            return np.abs(means[0] - means[1]) / np.sqrt(shares[0] + shares[1])

        expected = stats.permutation_test(
            (x, y), t, vectorized=True, n_resamples=np.inf, alternative="greater"
        ).pvalue
        exact, drawn = (Welch(method=each).fit(x).test(y) for each in ("exact", "permutation"))
        assert exact.method == "exact"
        assert exact.p_value == pytest.approx(expected)
        assert drawn.p_value == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("offset", [1e15, -1e15, 2.0**52])
def test_what_is_far_from_zero_keeps_its_digits(offset) -> None:
    """All values are whole numbers that the floats hold, so nothing may depend on the offset."""
    rng = np.random.default_rng(13)
    x, y = np.round(rng.normal(0, 8, 5000)), np.round(rng.normal(0.2, 8, 3000))
    for detector in (Welch(), Welch(method="permutation", permutations=99), Wasserstein(), EnergyDistance()):
        near, far = detector.fit(x).test(y), detector.fit(x + offset).test(y + offset)
        assert far.statistic == pytest.approx(near.statistic, rel=1e-9)
        assert far.p_value == (None if near.p_value is None else pytest.approx(near.p_value, rel=1e-9))
