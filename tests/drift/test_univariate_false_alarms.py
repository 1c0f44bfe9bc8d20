"""How often univariate tests alarm where nothing changes, inside exact binomial bounds of alpha, and that power grows."""

import numpy as np
import pytest
from scipy import stats

from kedge.drift import (
    AndersonDarling,
    BaumgartnerWeissSchindler,
    Bhattacharyya,
    CramerVonMises,
    EnergyDistance,
    EppsSingleton,
    FisherExact,
    GTest,
    Hellinger,
    JensenShannon,
    KolmogorovSmirnov,
    Kuiper,
    KullbackLeibler,
    LInfinity,
    MannWhitney,
    ProportionsZ,
    TotalVariation,
    Wasserstein,
    Welch,
)

pytestmark = pytest.mark.slow

SEEDS = 600
RANKED = [AndersonDarling, BaumgartnerWeissSchindler, CramerVonMises, Kuiper, MannWhitney]
DRAWN = [
    Bhattacharyya,
    EnergyDistance,
    Hellinger,
    JensenShannon,
    KullbackLeibler,
    LInfinity,
    TotalVariation,
    Wasserstein,
]
TABLES = [FisherExact, GTest, ProportionsZ]
LIMITS = [*RANKED, EppsSingleton, KolmogorovSmirnov, Welch]


def _bounds(level: float, seeds: int = SEEDS) -> tuple[float, float]:
    low, high = stats.binom.interval(0.9999, seeds, level)
    return float(low), float(high)


def _alarms(make, draw, m: int, n: int, seeds: int = SEEDS) -> int:
    rng = np.random.default_rng([m, n, 17])
    return sum(make().fit(draw(rng, m)).test(draw(rng, n)).drift for _ in range(seeds))


def _normal(rng, size):
    return rng.normal(0, 1, size)


def _tied(rng, size):
    return rng.choice([0.0, 0.0, 0.0, 1.0, 2.0, 5.0], size)


def _cauchy(rng, size):
    return rng.standard_cauchy(size)


def _counts(rng, size):
    return rng.poisson(2, size)


def _letters(rng, size):
    return rng.choice(list("abcd"), size, p=[0.4, 0.3, 0.2, 0.1])


def _fewer(cls) -> dict[str, int]:
    """Epps-Singleton and Welch draw splits where others have limits."""
    return {"permutations": 499} if cls in (EppsSingleton, Welch) else {}


@pytest.mark.parametrize("draw", [_normal, _cauchy, _counts])
@pytest.mark.parametrize(("m", "n"), [(500, 25), (500, 50), (25, 30), (2000, 400)])
def test_epps_singleton_on_samples_whose_limit_does_not_hold(draw, m, n) -> None:
    """Its limit would alarm in up to half of all steady windows."""
    alarms = _alarms(lambda: EppsSingleton(alpha=0.1, permutations=299), draw, m, n)
    low, high = _bounds(0.1)
    assert low <= alarms <= high


@pytest.mark.parametrize("draw", [_normal, _cauchy, _counts])
def test_epps_singleton_takes_its_limit_where_that_holds(draw) -> None:
    alarms = _alarms(lambda: EppsSingleton(alpha=0.1), draw, 260, 250)
    low, high = _bounds(0.1)
    assert low * 0.9 <= alarms <= high * 1.1
    assert EppsSingleton().fit(range(260)).test(range(250)).method == "asymptotic"


@pytest.mark.parametrize("cls", LIMITS)
def test_limits(cls) -> None:
    alarms = _alarms(lambda: cls(alpha=0.1, **_fewer(cls)), _normal, 150, 100)
    low, high = _bounds(0.1)
    slack = 0.6 if cls in (Kuiper, KolmogorovSmirnov) else 1.0  # discrete: at most alpha
    assert low * slack <= alarms <= high


@pytest.mark.parametrize("cls", [AndersonDarling, BaumgartnerWeissSchindler, CramerVonMises, MannWhitney])
def test_limits_with_ties(cls) -> None:
    low, high = _bounds(0.1)
    assert low <= _alarms(lambda: cls(alpha=0.1, method="asymptotic"), _tied, 150, 100) <= high


@pytest.mark.parametrize("cls", [EppsSingleton, Welch])
def test_tests_of_moments_with_ties(cls) -> None:
    low, high = _bounds(0.1)
    assert low <= _alarms(lambda: cls(alpha=0.1, **_fewer(cls)), _tied, 300, 200) <= high


@pytest.mark.parametrize("cls", RANKED)
@pytest.mark.parametrize("draw", [_normal, _tied])
def test_small_samples(cls, draw) -> None:
    """Exact and drawn p-values are valid: they alarm at most as often as they promise."""
    for m, n in ((5, 6), (30, 7)):
        alarms = _alarms(lambda: cls(alpha=0.1, permutations=999), draw, m, n)
        low, high = _bounds(0.1)
        assert alarms <= high
        if draw is _normal and cls is not Kuiper:
            assert alarms >= low * 0.6


@pytest.mark.parametrize("cls", DRAWN)
def test_drawn_p_values_of_distances(cls) -> None:
    alarms = _alarms(lambda: cls(alpha=0.1, permutations=199), _normal, 150, 100, 400)
    low, high = _bounds(0.1, 400)
    # Largest gaps of bins that hold equally many values are tied often, and ties make a test milder than alpha.
    assert low * (0.5 if cls is LInfinity else 0.8) <= alarms <= high


@pytest.mark.parametrize(
    "cls", [Bhattacharyya, Hellinger, JensenShannon, KullbackLeibler, LInfinity, TotalVariation]
)
@pytest.mark.parametrize("binning", ["quantile", "width", "pooled", "categories"])
def test_drawn_p_values_of_small_samples(cls, binning) -> None:
    """Both samples make the bins: quantiles of a small reference alone would alarm in 0.7 to 15 % of windows at 10 %."""
    draw = _letters if binning == "categories" else _normal
    low, high = _bounds(0.1)
    for m, n in ((80, 60), (30, 300)):
        alarms = _alarms(lambda: cls(binning=binning, alpha=0.1, permutations=199), draw, m, n)
        assert low * 0.7 <= alarms <= high  # counts tie: milder than alpha


@pytest.mark.parametrize("cls", TABLES)
@pytest.mark.parametrize(("m", "n"), [(400, 300), (30, 12)])
def test_tables(cls, m, n) -> None:
    few = {"permutations": 199} if cls is not ProportionsZ else {}
    alarms = _alarms(lambda: cls(alpha=0.1, **few), _letters, m, n)
    low, high = _bounds(0.1)
    assert alarms <= high
    if cls is not ProportionsZ or n > 100:  # of small samples its exact p-value is coarse
        assert alarms >= low * 0.8


@pytest.mark.parametrize("cls", [*LIMITS, *DRAWN])
def test_power_grows_with_the_samples(cls) -> None:
    extra = {"permutations": 199} if cls in DRAWN else _fewer(cls)
    rng = np.random.default_rng(23)
    found = [
        sum(cls(**extra).fit(rng.normal(0, 1, n)).test(rng.normal(0.5, 1.3, n)).drift for _ in range(60))
        for n in (15, 60, 240)
    ]
    assert found[0] < found[1] < found[2] or found[1:] == [60, 60]
    assert found[2] >= 48


@pytest.mark.parametrize("cls", TABLES)
def test_power_of_tables_grows(cls) -> None:
    rng = np.random.default_rng(29)
    found = [
        sum(
            cls(**({} if cls is ProportionsZ else {"permutations": 199}))
            .fit(_letters(rng, n))
            .test(rng.choice(list("abcd"), n, p=[0.25, 0.3, 0.2, 0.25]))
            .drift
            for _ in range(60)
        )
        for n in (20, 80, 320)
    ]
    assert found[0] < found[1] < found[2]
    assert found[2] >= 48
