"""The online tests' statistics and thresholds against Alibi Detect 0.13.0 (MMD and LSDD of two samples: test_vectors.py).

It computes in float32. What it does otherwise, and why the numbers are still comparable: its Cramér-von Mises statistic is
standardised; Fisher's statistic is 1 - p and smoothed as such, so it is compared unsmoothed; its MMD is the unbiased one of
the whole kernel, ours the biased one of random features, of as many as to leave little of their noise; its LSDD chooses the
ridge by itself. It has a threshold for each of the first windows, which of the streams left one in `RUN_TIME` exceeds,
and the last of them for all that follow; ours is one for all, of the same mean run time. So its thresholds are tried on
statistics that we simulate: as many streams must be left as it promises; and ours must lie between its first and its last.
Fisher's are not compared: it tosses a coin where the statistic equals the threshold.
"""

import json
import math

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import cdist
from tests.golden import make_alibi

from kedge.drift import CVMOnline, FETOnline, LSDDOnline, MMDOnline
from kedge.drift.kernels import online
from kedge.drift.streaming.online import threshold_for

GOLDEN = json.loads(make_alibi.FILE.read_text())
M, W = make_alibi.REFERENCE, make_alibi.WINDOW
STREAMS = 4000


def _statistics(detector, reference, values) -> np.ndarray:
    detector.fit(reference)
    detector._set_threshold(math.inf)  # no alarm, after which the window would be filled anew
    return detector.update_many(values, statistics=True).statistics[W - 1 :]


def _standardised(statistic, m: int, w: int):
    """Anderson (1962): mean and variance of the Cramér-von Mises statistic of two samples."""
    total = m + w
    mean = (1 + 1 / total) / 6
    variance = (total + 1) * (4 * m * w * total - 3 * (m**2 + w**2) - 2 * m * w) / (45 * total**2 * 4 * m * w)
    return (statistic - mean) / math.sqrt(variance)


def test_cramer_von_mises_statistics() -> None:
    expected = GOLDEN["CVMOnline"]["statistics"]
    assert len(expected) == 16
    for name, values in make_alibi.numbers().items():
        found = _statistics(CVMOnline(window=W, simulations=250), values[:M], values[M:])
        assert _standardised(found, M, W) == pytest.approx(expected[name], rel=1e-5, abs=1e-5), name


def _chosen(m: int) -> np.ndarray:
    """Places of a reference that make simulated streams as long as Alibi Detect's."""
    return online.choose(np.random.default_rng(5).random((STREAMS, 2 * W - 1)), m)


def _held(statistics: np.ndarray, thresholds: np.ndarray) -> None:
    left = int((statistics <= thresholds).all(axis=1).sum())
    # Each threshold is a quantile of as many simulated streams, and so errs as our count does: twice the variance.
    promised = (1 - 1 / make_alibi.RUN_TIME) ** W
    width = stats.norm.ppf(0.9999) * math.sqrt(2 * STREAMS * promised * (1 - promised))
    assert abs(left - STREAMS * promised) < width
    assert thresholds[-1] < threshold_for(statistics, W // 2, make_alibi.RUN_TIME) < thresholds[0]


def test_cramer_von_mises_thresholds() -> None:
    values = np.sort(
        np.random.default_rng(1).normal(size=M + 2 * W - 1)
    )  # of which as many are left as it takes
    found = CVMOnline(window=W)._simulate(values, _chosen(len(values)))
    _held(_standardised(found, M, W), np.array(GOLDEN["CVMOnline"]["thresholds"]))


@pytest.mark.parametrize(("direction", "alternative"), [("up", "greater"), ("down", "less")])
def test_fisher_statistics(direction, alternative) -> None:
    expected = GOLDEN["FETOnline"][alternative]
    assert len(expected) == 16
    for name, values in make_alibi.flags().items():
        detector = FETOnline(window=W, weight=1.0, simulations=250, direction=direction)
        found = _statistics(detector, values[:M], values[M:])
        assert 1 - np.exp(-found) == pytest.approx(expected[name], abs=1e-6), name


def _kernel(x, y, sigma: float = 1.5) -> np.ndarray:
    return np.exp(-cdist(x, y, "sqeuclidean") / (2 * sigma**2))


def _mean_off_diagonal(kernel: np.ndarray) -> float:
    n = len(kernel)
    return (kernel.sum() - n) / (n * (n - 1))


class Unscaled(MMDOnline):
    """Takes the columns as they are, as Alibi Detect does."""

    def _scaled(self, rows):
        return rows


@pytest.mark.parametrize("seed", range(make_alibi.SEEDS))
def test_mmd_statistics(seed) -> None:
    reference, values = make_alibi.vectors(seed)
    golden = GOLDEN["MMDOnline"][seed]
    kept = reference[golden["reference"]]
    features = 4000
    detector = Unscaled(window=W, features=features, bandwidth=1.5, simulations=250)
    found = _statistics(detector, kept, values)
    own = _kernel(kept, kept)
    for k, (statistic, expected) in enumerate(zip(found, golden["statistics"], strict=True)):
        window = values[k : k + W]
        within, between = _kernel(window, window), _kernel(kept, window).mean()
        unbiased = _mean_off_diagonal(own) + _mean_off_diagonal(within) - 2 * between
        assert unbiased == pytest.approx(expected, abs=2e-6)
        biased = own.mean() + within.mean() - 2 * between
        assert statistic == pytest.approx(biased, rel=6 / math.sqrt(features), abs=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_mmd_thresholds(seed) -> None:
    reference, _ = make_alibi.vectors(seed)
    kernel, found = _kernel(reference, reference), np.empty((STREAMS, W))
    for row, after in zip(found, _chosen(M), strict=True):
        before = np.setdiff1d(np.arange(M), after)
        own = _mean_off_diagonal(kernel[np.ix_(before, before)])
        columns = kernel[np.ix_(before, after)].mean(axis=0)
        inside = kernel[np.ix_(after, after)]
        for k in range(W):
            part = slice(k, k + W)
            row[k] = own + _mean_off_diagonal(inside[part, part]) - 2 * columns[part].mean()
    _held(found, np.array(GOLDEN["MMDOnline"][seed]["thresholds"]))


class _Chosen:
    """In place of a generator: every centre once."""

    def integers(self, low, high, count):
        return np.arange(count)


class GivenCentres(LSDDOnline):
    """With Alibi Detect's centres, scaled as it scales."""

    least_windows = 6
    centres: np.ndarray

    def _scaled(self, rows):
        return rows

    def _make_map(self, scaled, rng):
        return super()._make_map(self.centres, _Chosen())


def _ridge(centres: np.ndarray, trace: float) -> float:
    """The ridge of which 2 R - R H R, R the inverse of H + ridge, has this trace: by bisection."""
    values = np.maximum(np.linalg.eigvalsh(_kernel(centres, centres, 1.5 * math.sqrt(2))), 0)
    low, high = 1e-6, 1e3
    for _ in range(200):
        middle = math.sqrt(low * high)
        above = np.sum((values + 2 * middle) / (values + middle) ** 2) > trace
        low, high = (middle, high) if above else (low, middle)
    return low


def _given(seed: int) -> tuple[GivenCentres, np.ndarray, np.ndarray, dict]:
    golden = GOLDEN["LSDDOnline"][seed]
    reference, values = make_alibi.vectors(seed)
    mean, deviation = reference.mean(axis=0), reference.std(axis=0, ddof=1)
    scaled, values = (reference - mean) / deviation, (values - mean) / deviation
    centres = scaled[golden["centres"]]
    detector = GivenCentres(
        window=W,
        bandwidth=1.5,
        centers=len(centres),
        regularization=_ridge(centres, golden["mixing"]),
        simulations=250,
    )
    return detector, centres, scaled[golden["others"]], {**golden, "values": values}


@pytest.mark.parametrize("seed", range(make_alibi.SEEDS))
def test_lsdd_statistics(seed, monkeypatch) -> None:
    detector, centres, others, golden = _given(seed)
    monkeypatch.setattr(GivenCentres, "centres", centres, raising=False)
    found = _statistics(detector, others[golden["reference"]], golden["values"])
    assert found == pytest.approx(golden["statistics"], rel=2e-4, abs=2e-5)


@pytest.mark.parametrize("seed", [0, 1])
def test_lsdd_thresholds(seed, monkeypatch) -> None:
    detector, centres, others, golden = _given(seed)
    monkeypatch.setattr(GivenCentres, "centres", centres, raising=False)
    found = detector.fit(others)._simulate(others, _chosen(len(others)))
    _held(found, np.array(golden["thresholds"]))


def test_the_streams_change() -> None:
    """Else equal statistics would say little: those after the change are well above those before."""
    for name in ("MMDOnline", "LSDDOnline"):
        for each in GOLDEN[name]:
            before, after = each["statistics"][:20], each["statistics"][-20:]
            assert np.mean(after) > 3 * abs(np.mean(before))
