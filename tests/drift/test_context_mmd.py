"""ContextMMD: its statistic is Alibi Detect's, its parts are those of plain loops, and contexts may change unnoticed."""

import json

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import cdist
from sklearn.linear_model import LogisticRegression
from tests.golden import make_alibi

from kedge.drift import MMD, ContextMMD, DataError, ParameterError
from kedge.drift.batch import conditional

ALIBI = json.loads(make_alibi.FILE.read_text())["ContextMMD"]


def _kernel(a: np.ndarray, b: np.ndarray, bandwidth: float) -> np.ndarray:
    return np.exp(-cdist(a, b, "sqeuclidean") / (2 * bandwidth**2))


def _rows(rng, n: int, low: float = 0.0, high: float = 4.0, change: float = 0.0) -> np.ndarray:
    """One column about a curve over the context, the last column."""
    context = rng.uniform(low, high, n)
    return np.column_stack([np.sin(2 * context) + context + change + rng.normal(0, 0.5, n), context])


@pytest.mark.parametrize("ridge", [0.01, 0.1])
def test_the_statistic_is_alibi_detect_s(ridge) -> None:
    both = np.concatenate(make_alibi.pair(0))
    rows, contexts = both[:125, :3], both[:, 3:]
    kernel, of_contexts = _kernel(rows, rows, 0.5), _kernel(contexts[:125], contexts, 0.3)
    found = conditional.discrepancy(
        kernel, of_contexts[:, :125], of_contexts[:, 125:], np.arange(125) >= 80, ridge
    )
    assert found == pytest.approx(ALIBI[str(ridge)], rel=1e-7)


def test_the_statistic_is_a_distance_of_conditional_means() -> None:
    """With the linear kernel x y, embeddings are the numbers themselves."""
    rng = np.random.default_rng(1)
    rows, held = _rows(rng, 60), rng.uniform(0, 4, (7, 1))
    second = np.arange(60) >= 35
    means = []
    for part in (rows[~second], rows[second]):
        context = part[:, 1:]
        own = _kernel(context, context, 0.5) + len(part) * 0.02 * np.eye(len(part))
        means.append(_kernel(held, context, 0.5) @ np.linalg.inv(own) @ part[:, 0])
    of_contexts = _kernel(rows[:, 1:], rows[:, 1:], 0.5)
    found = conditional.discrepancy(
        np.outer(rows[:, 0], rows[:, 0]), of_contexts, _kernel(rows[:, 1:], held, 0.5), second, 0.02
    )
    assert found == pytest.approx(np.mean((means[0] - means[1]) ** 2))


def test_the_ridge_is_that_of_the_least_error_left_out() -> None:
    rows = _rows(np.random.default_rng(2), 40)
    of_contexts = _kernel(rows[:, 1:], rows[:, 1:], 0.4)
    errors = []
    for ridge in conditional.RIDGES:
        left = []
        for out in range(40):
            rest = np.arange(40) != out
            own = of_contexts[np.ix_(rest, rest)] + 40 * ridge * np.eye(39)
            left.append(rows[out, 0] - of_contexts[out, rest] @ np.linalg.solve(own, rows[rest, 0]))
        errors.append(np.mean(np.square(left)))
    found = conditional.chosen_ridge(np.outer(rows[:, 0], rows[:, 0]), conditional.spectrum(of_contexts))
    assert found == conditional.RIDGES[int(np.argmin(errors))]
    assert conditional.RIDGES[-1] < found < 1


@pytest.mark.parametrize("penalty", [0.1, 10.0])
def test_chances_are_those_of_a_logistic_regression(penalty) -> None:
    rng = np.random.default_rng(3)
    columns = rng.normal(size=(200, 3))
    second = rng.random(200) < 1 / (1 + np.exp(1 - 2 * columns[:, 0]))
    weights = conditional._logistic(columns, second, penalty)
    theirs = LogisticRegression(C=1 / penalty, tol=1e-10, max_iter=1000).fit(columns, second)
    assert weights[:-1] == pytest.approx(theirs.coef_[0], abs=1e-5)
    assert weights[-1] == pytest.approx(theirs.intercept_[0], abs=1e-5)


@pytest.mark.slow
def test_chances_are_near_the_true_ones() -> None:
    rng = np.random.default_rng(4)
    contexts = np.concatenate([rng.uniform(0, 4, 600), rng.uniform(2, 4, 300)])
    second = np.arange(900) >= 600
    spectrum = conditional.spectrum(_kernel(contexts[:, None], contexts[:, None], 0.8))
    chances = conditional.propensities(spectrum, second, 0)
    assert np.abs(chances - np.where(contexts < 2, 0, 0.5)).mean() < 0.08
    assert chances.sum() == pytest.approx(300, rel=1e-4)


def test_what_has_no_context_is_refused() -> None:
    with pytest.raises(DataError, match="at least 3 columns, of which the last 2 are the context"):
        ContextMMD(context=2).fit(np.ones((20, 2)))
    with pytest.raises(ParameterError, match="at least 1 / alpha"):
        ContextMMD(permutations=15)


def test_no_more_rows_are_used_than_asked_for() -> None:
    rng = np.random.default_rng(5)
    detector = ContextMMD(rows=60).fit(_rows(rng, 5000))
    found = detector.test(_rows(rng, 4000, change=1.0))
    assert found.drift
    assert (found.n_reference, found.n) == (5000, 4000)


def _alarms(make, narrow: tuple[float, float], m: int, n: int, change: float, seeds: int) -> int:
    rng = np.random.default_rng([m, n, 37])
    return sum(make().fit(_rows(rng, m)).test(_rows(rng, n, *narrow, change)).drift for _ in range(seeds))


@pytest.mark.slow
@pytest.mark.parametrize("narrow", [(0.0, 4.0), (2.0, 4.0), (3.0, 4.0)])
def test_contexts_may_change(narrow) -> None:
    """However far they move inside the reference's, alarms are no more than promised; MMD always alarms."""
    alarms = _alarms(lambda: ContextMMD(0.1, permutations=30), narrow, 40, 28, 0.0, 400)
    low, high = stats.binom.interval(0.9999, 400, 0.1)
    assert low * 0.5 <= alarms <= high
    if narrow == (3.0, 4.0):
        assert _alarms(lambda: MMD(0.1, permutations=40), narrow, 40, 28, 0.0, 50) == 50


@pytest.mark.slow
@pytest.mark.parametrize("narrow", [(0.0, 4.0), (3.0, 4.0)])
def test_what_changes_given_the_context_is_found(narrow) -> None:
    found = [_alarms(lambda: ContextMMD(permutations=30), narrow, n, n, 0.6, 30) for n in (16, 40, 100)]
    assert found[0] < found[1] < found[2]
    assert found[2] >= 24


@pytest.mark.slow
def test_rows_that_are_new_only_to_their_context_are_found() -> None:
    """No two-sample test of the first column could: all of it is as it was, at other contexts."""
    rng = np.random.default_rng(6)
    found = 0
    for _ in range(10):
        reference, window = (np.column_stack([context, context]) for context in rng.normal(0, 1, (2, 100)))
        window[:, 1] *= -1
        noise = rng.normal(0, 0.3, (2, 100))
        reference[:, 0] += noise[0]
        window[:, 0] += noise[1]
        found += ContextMMD(permutations=30).fit(reference).test(window).drift
    assert found == 10


@pytest.mark.parametrize(("low", "high", "apart"), [(0.0, 4.0, False), (3.0, 4.0, False), (6.0, 7.0, True)])
def test_contexts_that_lie_apart_are_told(low, high, apart) -> None:
    rng = np.random.default_rng(4)
    detector = ContextMMD(permutations=40).fit(_rows(rng, 150))
    result = detector.test(_rows(rng, 100, low, high, change=-2.0))
    assert ("nothing could be compared" in result.method) == apart
    assert result.drift != apart
