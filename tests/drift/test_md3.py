"""MD3: its classifier is scikit-learn's, its numbers those of a loop over folds, its alarms as many as promised."""

import numpy as np
import pytest
from scipy import stats
from sklearn.svm import LinearSVC

from kedge.drift import MD3, DataError
from kedge.drift.batch import linear, md3


def _rows(rng, n: int, boundary: float = 0.0, columns: int = 3, classes: int = 2) -> np.ndarray:
    values = rng.normal(0, 1, (n, columns))
    edges = [boundary] if classes == 2 else [boundary - 0.5, boundary + 0.5]
    return np.column_stack([values, np.digitize(values[:, 0] + rng.normal(0, 0.5, n), edges)])


def _scaled(rows: np.ndarray) -> np.ndarray:
    return (rows[:, :-1] - rows[:, :-1].mean(axis=0)) / rows[:, :-1].std(axis=0)


@pytest.mark.parametrize("penalty", [0.01, 1.0, 100.0])
def test_the_classifier_is_scikit_learn_s(penalty) -> None:
    rows = _rows(np.random.default_rng(1), 300, boundary=0.7)
    found = linear.train(rows[:, :-1], rows[:, -1], np.array([0.0, 1.0]), penalty)
    # A large scale leaves the intercept almost unshrunk there, as it is here.
    theirs = LinearSVC(dual=False, C=penalty, tol=1e-12, intercept_scaling=1e4, max_iter=100_000)
    theirs.fit(_scaled(rows), rows[:, -1])
    assert found.weights[1] == pytest.approx(theirs.coef_[0], abs=1e-6)
    assert found.intercepts[1] == pytest.approx(theirs.intercept_[0], abs=1e-6)
    assert found.scores(rows[:, :-1])[:, 1] == pytest.approx(
        theirs.decision_function(_scaled(rows)), abs=1e-5
    )


def test_several_classes_are_each_told_from_all_others() -> None:
    rows = _rows(np.random.default_rng(2), 300, classes=3)
    classes = np.array([0.0, 1.0, 2.0])
    found = linear.train(rows[:, :-1], rows[:, -1], classes, 1.0)
    for place, name in enumerate(classes):
        one = linear.train(rows[:, :-1], (rows[:, -1] == name) + 0.0, np.array([0.0, 1.0]), 1.0)
        assert found.weights[place] == pytest.approx(one.weights[1])
    inside, right = found.judge(rows[:, :-1], rows[:, -1])
    scores = np.sort(found.scores(rows[:, :-1]), axis=1)
    assert (inside == (scores[:, 2] - scores[:, 1] <= 2)).all()
    assert right.mean() > 0.6


def test_classes_without_a_row_or_without_a_difference_can_be_trained_on() -> None:
    classes = np.array([0.0, 1.0])
    alone = linear.train(np.eye(3), np.zeros(3), classes, 1.0)
    assert alone.scores(np.eye(3))[:, 1] == pytest.approx(-1)
    same = linear.train(np.ones((4, 2)), np.array([0.0, 0.0, 0.0, 1.0]), classes, 1.0)
    assert same.scores(np.ones((1, 2)))[0, 1] == pytest.approx(
        -0.5
    )  # the loss's minimum for one sign in four


def test_densities_are_those_of_a_loop_over_the_folds() -> None:
    rng = np.random.default_rng(3)
    reference, window = _rows(rng, 90), _rows(rng, 50, boundary=1.0)
    detector = MD3(folds=6, penalty=0.5).fit(reference)
    rows = reference[np.lexsort(reference.T[::-1])]
    places = detector._places(rows[:, -1])
    assert sorted(np.bincount(places)) == [15] * 6
    ones = np.bincount(places, rows[:, -1])
    assert ones.max() - ones.min() <= 1
    inside, right = [], []
    for fold in range(6):
        one = linear.train(rows[places != fold, :-1], rows[places != fold, -1], np.array([0.0, 1.0]), 0.5)
        scores = one.scores(rows[places == fold, :-1])[:, 1]
        inside.extend(np.abs(scores) <= 1)
        right.extend((scores > 0) == rows[places == fold, -1])
    found = detector.test(window)
    assert found.reference_density == pytest.approx(np.mean(inside))
    assert found.reference_accuracy == pytest.approx(np.mean(right))
    scores = linear.train(rows[:, :-1], rows[:, -1], np.array([0.0, 1.0]), 0.5).scores(window[:, :-1])[:, 1]
    assert found.density == pytest.approx(np.mean(np.abs(scores) <= 1))
    assert found.accuracy == pytest.approx(np.mean((scores > 0) == window[:, -1]))


def test_errors_are_those_of_two_proportions() -> None:
    table = np.array([[30, 60], [35, 15]])  # in the margin or not; 90 rows, then 50
    chi_square = stats.chi2_contingency(table, correction=False).statistic
    assert md3.errors_between(30 / 90, 35 / 50, 90, 50) == pytest.approx(-np.sqrt(chi_square))
    assert md3.errors_between(1.0, 1.0, 90, 50) == 0


def test_a_drift_must_be_confirmed_by_accuracy_where_that_is_known() -> None:
    rng = np.random.default_rng(4)
    detector = MD3().fit(_rows(rng, 400))
    wider = _rows(rng, 400)
    wider[:, 0] = np.where(wider[:, -1] > 0, 1, -1) * (
        1 + np.abs(wider[:, 0])
    )  # classes farther apart: it errs less
    unknown, known = detector.test(wider[:, :-1]), detector.test(wider)
    assert unknown.drift
    assert (unknown.accuracy, unknown.accuracy_errors) == (None, None)
    assert unknown.statistic == known.density_errors
    assert known.suspected
    assert not known.drift
    assert known.accuracy > known.reference_accuracy
    assert known.accuracy_errors == known.statistic < 0
    moved = _rows(rng, 400) + np.array([1.0, 0, 0, 0])
    assert detector.test(moved).drift


def test_a_boundary_that_moves_under_the_same_rows_is_not_suspected() -> None:
    """The limit of the method: without labels, nothing has changed."""
    rng = np.random.default_rng(5)
    found = MD3().fit(_rows(rng, 400)).test(_rows(rng, 400, boundary=0.8))
    assert not found.suspected
    assert found.accuracy_errors > 3


def test_what_cannot_be_compared_is_refused() -> None:
    rng = np.random.default_rng(6)
    rows = _rows(rng, 50)
    with pytest.raises(DataError, match="2 classes"):
        MD3().fit(np.column_stack([rows[:, :-1], np.ones(50)]))
    with pytest.raises(DataError, match="2 columns"):
        MD3().fit(rows[:, -1:])
    detector = MD3().fit(rows)
    with pytest.raises(DataError, match="4 columns, or all but the last"):
        detector.test(rows[:, :2])
    assert (
        detector.test(np.column_stack([rows[:, :-1], np.full(50, 7.0)])).accuracy == 0
    )  # a class never seen


def _suspicions(make, m: int, n: int, classes: int, seeds: int = 400) -> tuple[int, int]:
    rng = np.random.default_rng([m, n, 31])
    results = [
        make().fit(_rows(rng, m, classes=classes)).test(_rows(rng, n, classes=classes)) for _ in range(seeds)
    ]
    return sum(each.suspected for each in results), sum(each.drift for each in results)


@pytest.mark.slow
@pytest.mark.parametrize(("m", "n", "classes"), [(150, 100, 2), (60, 40, 2), (40, 200, 2), (150, 100, 3)])
def test_false_alarms_are_as_many_as_promised(m, n, classes) -> None:
    """Of the margin, those of a normal deviate beyond theta; with accuracy, fewer."""
    suspected, drifts = _suspicions(lambda: MD3(1.645, folds=5), m, n, classes)
    low, high = stats.binom.interval(0.9999, 400, 0.1)
    assert low * 0.8 <= suspected <= high  # shares of few rows are coarse
    assert drifts <= suspected / 2


@pytest.mark.slow
def test_a_fold_s_deviation_is_no_error_of_a_window() -> None:
    """The paper's rule on windows shorter and longer than a fold: many times and hardly any of the alarms promised."""
    rng = np.random.default_rng(7)
    rates = []
    for m, n in ((1000, 20), (100, 100)):
        alarms = 0
        for _ in range(60):
            reference, window = _rows(rng, m), _rows(rng, n)
            places = MD3()._places(reference[:, -1])
            inside, _ = md3.cross_validated(reference[:, :-1], reference[:, -1], places, 1.0)
            folds = [inside[places == fold].mean() for fold in range(10)]
            found = MD3().fit(reference).test(window)
            alarms += abs(found.density - np.mean(folds)) >= 2 * np.std(folds, ddof=1)
        rates.append(alarms / 60)
    assert rates[0] > 0.15
    assert rates[1] < 0.03


@pytest.mark.slow
def test_power_grows_with_the_rows() -> None:
    rng = np.random.default_rng(8)
    found = []
    for n in (20, 80, 320):
        pairs = [(_rows(rng, n), _rows(rng, n) + np.array([0.8, 0, 0, 0])) for _ in range(40)]
        found.append(sum(MD3(folds=5).fit(first).test(second).drift for first, second in pairs))
    assert found[0] < found[1] < found[2]
    assert found[2] >= 30
