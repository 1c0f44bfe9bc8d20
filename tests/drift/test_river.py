"""Detectors equal River 0.26 at every index, over many seeds, streams and parameters: alarms, and warnings where it has them."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from river import drift as river
from river.drift import binary

from kedge.drift import ADWIN, DDM, EDDM, FHDDM, HDDMA, HDDMW, KSWIN, PageHinkley

SEEDS = 20
DIRECTIONS = ("up", "down", "both")
Numbers = Callable[[np.random.Generator], np.ndarray]

REAL: dict[str, Numbers] = {
    "level": lambda rng: rng.normal(np.repeat([0, 1.5, -1], 400), 1),
    "scale": lambda rng: rng.normal(0, np.repeat([1, 4, 0.2], 400)),
    "errors": lambda rng: (rng.random(1200) < np.repeat([0.1, 0.4, 0.2], 400)).astype(float),
    "heavy tails": lambda rng: rng.standard_cauchy(1200) + np.repeat([0, 5, 0], 400),
    "ties": lambda rng: rng.integers(0, np.repeat([4, 9, 4], 400)).astype(float),
    "constant": lambda rng: np.repeat(rng.integers(-3, 4, 3), 400).astype(float),
    "far off": lambda rng: 1e6 + rng.normal(np.repeat([0, 1, 0], 400), 1),
}

BINARY: dict[str, Numbers] = {
    "rises": lambda rng: _below(rng, [0.1, 0.4, 0.2]),
    "falls": lambda rng: _below(rng, [0.5, 0.1, 0.3]),
    "rare": lambda rng: _below(rng, [0.01, 0.06, 0.01]),
    "steady": lambda rng: _below(rng, [0.3, 0.3, 0.3]),
    "blocks": lambda rng: np.repeat(rng.integers(0, 2, 60), 25).astype(float),
}

LOSSES: dict[str, Numbers] = {
    "beta": lambda rng: np.concatenate([rng.beta(2, 8, 500), rng.beta(5, 5, 500), rng.beta(2, 8, 500)]),
    "uniform": lambda rng: rng.random(1500) * np.repeat([0.3, 1.0, 0.5], 500),
}


def _below(rng: np.random.Generator, rates: list[float]) -> np.ndarray:
    return (rng.random(1500) < np.repeat(rates, 500)).astype(float)


def _streams(kinds: dict[str, Numbers]) -> Iterator[tuple[str, np.ndarray]]:
    for k, (kind, draw) in enumerate(kinds.items()):
        for seed in range(SEEDS):
            yield f"{kind} {seed}", draw(np.random.default_rng([k, seed]))


def _flags(theirs, values: np.ndarray) -> tuple[list[int], list[int]]:
    drifts, warnings = [], []
    for place, value in enumerate(values.tolist()):
        theirs.update(value)
        if theirs.drift_detected:
            drifts.append(place)
        elif getattr(theirs, "warning_detected", False):
            warnings.append(place)
    return drifts, warnings


def _compare(ours, make, kinds: dict[str, Numbers], *, right: bool = False) -> tuple[int, int]:
    """How many alarms and warnings there were; all of them at the same places. `right`: River counts right answers."""
    drifts = warnings = 0
    for name, values in _streams(kinds):
        expected = _flags(make(), 1 - values if right else values)
        ours.reset()
        found = ours.update_many(values)
        assert found.drifts.tolist() == expected[0], name
        assert found.warnings.tolist() == expected[1], name
        drifts, warnings = drifts + len(expected[0]), warnings + len(expected[1])
    return drifts, warnings


@pytest.mark.slow
@pytest.mark.parametrize(
    "given",
    [
        {},
        {"delta": 0.2, "clock": 1},
        {"delta": 0.05, "clock": 7, "max_buckets": 3, "min_window_length": 12, "grace_period": 40},
    ],
)
def test_adwin(given) -> None:
    ours = ADWIN(**given, preset="river")
    assert _compare(ours, lambda: river.ADWIN(**given), REAL)[0] >= 100


def test_adwin_s_width_and_mean_are_river_s() -> None:
    """Not the alarms alone: the window that it keeps, after every value."""
    for kind in ("level", "heavy tails", "ties"):
        values = REAL[kind](np.random.default_rng(3))
        theirs, ours = river.ADWIN(0.05, clock=1), ADWIN(0.05, clock=1, preset="river")
        for value in values.tolist():
            theirs.update(value)
            ours.update(value)
            if not theirs.drift_detected:
                assert ours.width == theirs.width


@pytest.mark.slow
@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize(
    ("least", "delta", "threshold", "alpha"),
    [(30, 0.005, 50.0, 0.9999), (10, 0.2, 8.0, 0.99), (60, 0.0, 20.0, 1.0)],
)
def test_page_hinkley(direction, least, delta, threshold, alpha) -> None:
    ours = PageHinkley(delta, threshold=threshold, alpha=alpha, min_instances=least, direction=direction)
    drifts, _ = _compare(ours, lambda: river.PageHinkley(least, delta, threshold, alpha, direction), REAL)
    assert drifts >= 100


@pytest.mark.slow
@pytest.mark.parametrize(("alpha", "window", "recent"), [(0.005, 100, 30), (0.0001, 150, 40), (0.05, 30, 10)])
def test_kswin(alpha, window, recent) -> None:
    """With River's draws, of its own seeds."""
    alarms = 0
    for seed, (name, values) in enumerate(
        _streams({k: REAL[k] for k in ("level", "scale", "ties", "heavy tails")})
    ):
        if seed % 2:
            continue  # River is slow: ten seeds of each
        theirs = river.KSWIN(alpha=alpha, window_size=window, stat_size=recent, seed=seed)
        expected, _ = _flags(theirs, values[200:600])
        ours = KSWIN(alpha, window=window, recent=recent, seed=seed, preset="river")
        assert ours.update_many(values[200:600]).drifts.tolist() == expected, name
        alarms += len(expected)
    assert alarms >= 15


@pytest.mark.slow
@pytest.mark.parametrize(("warn", "drift", "least"), [(2.0, 3.0, 30), (1.5, 2.5, 100), (1.0, 4.0, 5)])
def test_ddm(warn, drift, least) -> None:
    ours = DDM(warn, drift_level=drift, min_instances=least)
    drifts, warnings = _compare(ours, lambda: binary.DDM(least, warn, drift), BINARY)
    assert drifts >= 40
    assert warnings >= 1000


@pytest.mark.slow
@pytest.mark.parametrize(("alpha", "beta", "least"), [(0.95, 0.9, 30), (0.9, 0.8, 50), (0.99, 0.97, 10)])
def test_eddm(alpha, beta, least) -> None:
    ours = EDDM(alpha, beta=beta, min_instances=least)
    drifts, warnings = _compare(ours, lambda: binary.EDDM(least, alpha, beta), BINARY)
    assert drifts >= 40
    assert warnings >= 100


@pytest.mark.slow
@pytest.mark.parametrize("kinds", [BINARY, LOSSES], ids=["errors", "losses"])
@pytest.mark.parametrize("direction", ["up", "both"])
@pytest.mark.parametrize(("drift", "warn"), [(0.001, 0.005), (0.05, 0.2)])
def test_hddm_a(kinds, direction, drift, warn) -> None:
    ours = HDDMA(drift, warning_confidence=warn, direction=direction)
    drifts, warnings = _compare(ours, lambda: binary.HDDMA(drift, warn, direction == "both"), kinds)
    assert drifts >= 30
    assert warnings >= 100


@pytest.mark.slow
@pytest.mark.parametrize("kinds", [BINARY, LOSSES], ids=["errors", "losses"])
@pytest.mark.parametrize("direction", ["up", "both"])
@pytest.mark.parametrize(("drift", "warn", "weight"), [(0.001, 0.005, 0.05), (0.02, 0.1, 0.01)])
def test_hddm_w(kinds, direction, drift, warn, weight) -> None:
    ours = HDDMW(drift, warning_confidence=warn, weight=weight, direction=direction)
    drifts, warnings = _compare(ours, lambda: binary.HDDMW(drift, warn, weight, direction == "both"), kinds)
    assert drifts >= 20
    assert warnings >= 50


@pytest.mark.slow
@pytest.mark.parametrize(
    ("window", "confidence", "short"), [(100, 1e-6, None), (40, 0.01, None), (60, 1e-4, 15), (25, 0.05, 8)]
)
def test_fhddm(window, confidence, short) -> None:
    ours = FHDDM(window, confidence=confidence, short_window=short or 0)
    drifts, _ = _compare(ours, lambda: binary.FHDDM(window, confidence, short), BINARY, right=True)
    assert drifts >= 20
