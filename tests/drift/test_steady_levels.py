"""How often tests of columns alarm where nothing changes, on samples whose limits fail or whose draws a seed alone chose."""

import numpy as np
import pytest
from scipy import stats

from kedge.drift import (
    AndersonDarling,
    ChiSquare,
    CramerVonMises,
    EnergyDistance,
    FisherExact,
    Hellinger,
    Wasserstein,
)

pytestmark = pytest.mark.slow

WINDOWS = 600


def _within(alarms: int, level: float, slack: float = 1.0) -> bool:
    low, high = stats.binom.interval(0.9999, WINDOWS, level)
    return bool(low * slack <= alarms <= high)


def _alarms(detector, draw, m: int, n: int, salt: int = 0) -> int:
    rng = np.random.default_rng([m, n, 41, salt])
    return sum(detector.fit(draw(rng, m)).test(draw(rng, n)).drift for _ in range(WINDOWS))


def _normal(rng, size):
    return rng.normal(0, 1, size)


@pytest.mark.parametrize("cls", [AndersonDarling, CramerVonMises, EnergyDistance, Hellinger, Wasserstein])
@pytest.mark.parametrize("seed", range(6))
def test_no_seed_draws_the_same_splits_for_every_window(cls, seed) -> None:
    """Few splits, so that the accident of those drawn would show: energy distance alarmed at 0.021 to 0.117."""
    ranked = {"method": "permutation"} if cls in (AndersonDarling, CramerVonMises) else {}
    found = _alarms(cls(permutations=99, seed=seed, **ranked), _normal, 30, 30, seed)
    assert _within(found, 0.05, 0.7 if cls is Hellinger else 1.0)


@pytest.mark.parametrize("seed", range(4))
def test_no_seed_draws_the_same_tables_for_every_window(seed) -> None:
    found = _alarms(
        FisherExact(0.1, permutations=99, seed=seed), lambda rng, size: rng.choice(12, size), 60, 60, seed
    )
    assert _within(found, 0.1, 0.8)


def _zipf(rng, size):
    return rng.zipf(1.5, size)


def _geometric(rng, size):
    return rng.geometric(0.3, size)


@pytest.mark.parametrize("draw", [_zipf, _geometric])
@pytest.mark.parametrize(("m", "n"), [(300, 10), (1000, 50)])
def test_chi_square_on_rare_categories(draw, m, n) -> None:
    """Its limit would alarm in 14 to 27 % of steady windows."""
    assert _within(_alarms(ChiSquare(permutations=99), draw, m, n), 0.05, 0.8)  # tables tie: milder than alpha


def test_chi_square_takes_its_limit_where_that_holds() -> None:
    detector = ChiSquare(0.05)
    assert _within(_alarms(detector, lambda rng, size: rng.choice(4, size), 300, 200), 0.05)
    assert detector.fit([0, 1] * 50).test([0, 1] * 10).method == "asymptotic"
    assert detector.fit([0, 1] * 50).test([0, 1, 2, 3, 4]).method == "permutation"
