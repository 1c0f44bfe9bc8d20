"""How often detectors alarm where nothing changes, over many seeds, inside exact binomial bounds of what they promise."""

import numpy as np
import pytest
from scipy import stats

from kedge.drift import ADWIN, ChiSquare, KolmogorovSmirnov, PopulationStabilityIndex

pytestmark = pytest.mark.slow


def _bounds(level: float, seeds: int) -> tuple[float, float]:
    low, high = stats.binom.interval(0.9999, seeds, level)
    return float(low), float(high)


def test_kolmogorov_smirnov() -> None:
    rng = np.random.default_rng(11)
    alarms = sum(
        KolmogorovSmirnov(alpha=0.1).fit(rng.normal(size=200)).test(rng.normal(size=150)).drift
        for _ in range(600)
    )
    low, high = _bounds(0.1, 600)
    assert low * 0.7 <= alarms <= high  # the exact test is discrete: its level is at most the nominal one


def test_chi_square() -> None:
    rng = np.random.default_rng(12)
    share = [0.4, 0.3, 0.2, 0.1]
    alarms = sum(
        ChiSquare(alpha=0.1).fit(rng.choice(4, 500, p=share)).test(rng.choice(4, 400, p=share)).drift
        for _ in range(600)
    )
    low, high = _bounds(0.1, 600)
    assert low <= alarms <= high


def test_psi_by_chance_is_as_documented() -> None:
    rng = np.random.default_rng(13)
    found = [
        PopulationStabilityIndex().fit(rng.normal(size=2000)).test(rng.normal(size=1000)).statistic
        for _ in range(400)
    ]
    assert np.mean(found) == pytest.approx(9 * (1 / 2000 + 1 / 1000), rel=0.15)


@pytest.mark.parametrize("kind", ["normal", "binary"])
def test_adwin(kind) -> None:
    """`delta` bounds the chance of a false cut at one look; over 125 looks the streams that alarm stay a small share."""
    rng = np.random.default_rng(14)
    draw = rng.normal if kind == "normal" else lambda size: (rng.random(size) < 0.2).astype(float)
    alarmed = sum(bool(ADWIN().update_many(draw(size=4000)).drifts.size) for _ in range(400))
    assert alarmed <= _bounds(0.05, 400)[1]
