"""PCACD and KdqTreeStreaming by their definitions, and what they do after a change."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from kedge.drift import PCACD, KdqTreeStreaming

BOTH = (PCACD, KdqTreeStreaming)


def _vectors(seed: int, n: int, d: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, d))


def _divergence(p: np.ndarray, q: np.ndarray) -> float:
    p, q = (p + 0.5) / (p.sum() + 0.5 * p.size), (q + 0.5) / (q.sum() + 0.5 * q.size)
    return float(np.sum(p * np.log(p / q)))


@pytest.mark.parametrize("metric", ["kl", "intersection"])
def test_page_hinkley_on_the_largest_divergence(metric) -> None:
    w, step = 100, 5
    mixing = np.array([[3.0, 1, 0], [0, 1, 0.5], [0, 0, 0.2]])
    values = _vectors(1, 500) @ mixing
    detector = PCACD(window=w, metric=metric, delta=0.01, threshold=1e9)
    found = detector.update_many(values, statistics=True).statistics
    reference = values[:w]
    scaled = (values - reference.mean(axis=0)) / reference.std(axis=0)
    _, _, directions = np.linalg.svd(scaled[:w])
    projected = scaled @ directions.T
    assert detector.components == 3
    total = lowest = mean = 0.0
    ticks = 0
    for i in range(2 * w - 1, 500, 1):
        if (i - (2 * w - 1)) % step == 0:
            scores = []
            for c in range(3):
                before, now = projected[:w, c], projected[i - w + 1 : i + 1, c]
                inner = np.linspace(before.min(), before.max(), 11)
                edges = [-np.inf, *inner[:-1], np.nextafter(inner[-1], np.inf), np.inf]
                p, q = np.histogram(before, edges)[0], np.histogram(now, edges)[0]
                area = 1 - np.minimum(p / w, q / w).sum()
                scores.append(max(_divergence(p, q), _divergence(q, p)) if metric == "kl" else area)
            ticks += 1
            mean += (max(scores) - mean) / ticks
            total += max(scores) - mean - 0.01
            lowest = min(lowest, total)
        assert found[i] == pytest.approx(total - lowest, abs=1e-9)
    assert found.max() > 0


def test_components_are_as_many_as_explain_the_variance() -> None:
    rng = np.random.default_rng(2)
    base = rng.normal(size=(300, 1))
    values = base + rng.normal(0, 0.01, (300, 4))
    for variance, expected in ((0.9, 1), (1.0, 4)):
        detector = PCACD(variance=variance)
        detector.update_many(values)
        assert detector.components == expected
    assert PCACD().components == 0


def test_cells_of_an_even_line_are_eighths() -> None:
    """On 0, 1/255, ..., 1 halving down to 32 values makes eight equal intervals."""
    reference = np.linspace(0, 1, 256)[:, np.newaxis]
    detector = KdqTreeStreaming(window=64, leaf_size=32, persistence=1.0).fit(reference)
    assert detector.leaves == 8
    values = np.random.default_rng(3).random((200, 1)) ** 1.2
    found = detector.update_many(values, statistics=True).statistics
    edges = [-np.inf, *(np.arange(1, 8) / 8), np.inf]
    before = np.histogram(reference, edges)[0]
    for i in range(63, 100):
        after = np.histogram(values[i - 63 : i + 1], edges)[0]
        assert found[i] == pytest.approx(_divergence(before, after), rel=1e-9)


def test_divergences_are_menelaus_s() -> None:
    here = Path(__file__).parent.parent / "golden"
    spec = importlib.util.spec_from_file_location("make_menelaus", here / "make_menelaus.py")
    make_menelaus = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make_menelaus)
    expected = json.loads((here / "menelaus.json").read_text())["kdq_tree"]
    detector = KdqTreeStreaming(window=60, leaf_size=20, persistence=1.0).fit(make_menelaus.grid())
    assert detector.leaves == 16
    for window, divergence in zip(make_menelaus.windows(), expected, strict=True):
        detector.reset()
        detector.update_many(window)
        assert detector.statistic == pytest.approx(divergence, rel=1e-9)
    assert max(expected) > 5 * min(expected)


def test_cells_hold_no_more_than_a_leaf_may() -> None:
    reference = _vectors(4, 500, 2)
    detector = KdqTreeStreaming(window=100, leaf_size=25).fit(reference)
    assert detector.leaves >= 500 / 25
    again = KdqTreeStreaming(window=100, leaf_size=25, seed=1).fit(reference)
    assert again.leaves == detector.leaves
    assert again.critical == pytest.approx(detector.critical, rel=0.2)


def test_the_critical_value_is_exceeded_by_the_share_alpha() -> None:
    reference = _vectors(5, 20_000, 2)  # so large that it is nearly the distribution itself
    detector = KdqTreeStreaming(window=100, alpha=0.1, leaf_size=2000, persistence=1.0).fit(reference)
    values = _vectors(6, 40_000, 2)
    found = detector.update_many(values, statistics=True)
    above = (found.statistics[99::100] > detector.critical).mean()
    assert 0.05 < above < 0.16


@pytest.mark.parametrize("cls", BOTH)
def test_after_a_change_the_new_level_is_the_reference(cls) -> None:
    values = _vectors(7, 3000)
    values[1000:] += 3
    values[2000:] -= 3
    given = {"alpha": 0.0001, "bootstraps": 10_000} if cls is KdqTreeStreaming else {}
    drifts = cls(window=150, **given).update_many(values).drifts
    assert len(drifts) == 2
    assert 1000 <= drifts[0] < 1150
    assert 2000 <= drifts[1] < 2150


@pytest.mark.parametrize("cls", BOTH)
def test_a_given_reference_stays(cls) -> None:
    detector = cls(window=100).fit(_vectors(8, 400))
    values = _vectors(9, 1000)
    values[300:] += 3
    first = int(detector.update_many(values).drifts[0])
    assert 300 <= first < 400
    assert detector.n_reference == 400


def test_the_trees_of_constant_and_of_far_vectors() -> None:
    detector = KdqTreeStreaming(window=50).fit(np.zeros((50, 2)))
    assert detector.leaves == 1
    assert not detector.update_many(np.full((500, 2), 1e100)).drifts.size  # one cell is all of space
    far = KdqTreeStreaming(window=50, leaf_size=10).fit(_vectors(10, 100, 2))
    assert far.update_many(np.full((100, 2), 1e100)).drifts.size
