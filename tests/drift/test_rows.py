"""Detectors of rows against scikit-learn, SciPy and plain loops."""

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import cdist
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from kedge.drift import (
    CDBD,
    HDDDM,
    NNDVI,
    ClassifierTwoSample,
    KdqTree,
    ModelUncertainty,
    ParameterError,
    PCAReconstruction,
)
from kedge.drift.batch.classifier_two_sample import area_under_curve
from kedge.drift.batch.pca_reconstruction import compared, reconstruction_errors


def _rows(seed: int, n: int, shift: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    rows = rng.normal(0, [1, 2, 0.5], (n, 3)) + shift
    rows[:, 2] += 0.8 * rows[:, 0]
    return rows


def test_reconstruction_errors_are_those_of_scikit_learn_s_components() -> None:
    learnt, other, window = _rows(1, 200), _rows(2, 150), _rows(3, 120, 0.5)
    mean, deviation = learnt.mean(axis=0), learnt.std(axis=0)
    model = PCA(n_components=2).fit((learnt - mean) / deviation)
    expected = []
    for rows in (other, window):
        scaled = (rows - mean) / deviation
        expected.append(np.linalg.norm(scaled - model.inverse_transform(model.transform(scaled)), axis=1))
    found = reconstruction_errors(
        learnt, (other, window), float(model.explained_variance_ratio_.sum()) - 1e-9
    )
    for ours, theirs in zip(found, expected, strict=True):
        assert ours == pytest.approx(theirs, abs=1e-10)
    limit = compared(*found, "asymptotic", 99, 0)
    assert limit[:2] == pytest.approx(stats.ttest_ind(found[1], found[0], equal_var=False))


def test_errors_that_rounding_makes_are_no_drift() -> None:
    """Rows on a line are reconstructed whole: errors of 1e-16 that grow with the distance from the mean are none."""
    along = np.random.default_rng(1).normal(0, 1, 400)
    rows = np.column_stack([along, 3 * along + 1, 0.7 - along])
    assert PCAReconstruction().fit(rows[:200]).test(rows[200:] * 100 - [0, 99, -0.7 * -99]).p_value == 1
    found = PCAReconstruction().fit(rows[:200]).test(np.add(rows[200:], [0, 0, 0.1]))
    assert (found.drift, found.method) == (True, "Welch, exact")
    assert found.p_value < 1e-12, "two constants: all errors are none in the reference"


def test_the_area_is_that_of_scikit_learn_and_its_p_value_scipy_s() -> None:
    rng = np.random.default_rng(4)
    labels = np.repeat([0, 1], [80, 60])
    scores = np.round(rng.random(140) + 0.2 * labels, 1)  # with ties
    area, p_value = area_under_curve(scores, labels)
    assert area == pytest.approx(roc_auc_score(labels, scores))
    expected = stats.mannwhitneyu(
        scores[labels == 1],
        scores[labels == 0],
        alternative="greater",
        method="asymptotic",
        use_continuity=False,
    )
    assert p_value == pytest.approx(expected.pvalue)


def test_any_estimator_with_probabilities_judges() -> None:
    found = ClassifierTwoSample(estimator=LogisticRegression()).fit(_rows(5, 150)).test(_rows(6, 150, 1.0))
    assert found.drift
    assert found.statistic > 0.6
    with pytest.raises(ParameterError, match="predict_proba"):
        ClassifierTwoSample(estimator=object())


def _hellinger(p: np.ndarray, q: np.ndarray) -> float:
    return float(np.sqrt(((np.sqrt(p) - np.sqrt(q)) ** 2).sum()))


def test_hdddm_is_the_mean_distance_of_histograms() -> None:
    reference, window = _rows(7, 120), _rows(8, 90, 0.4)
    distances = []
    for before, after in zip(reference.T, window.T, strict=True):
        edges = np.linspace(min(before.min(), after.min()), max(before.max(), after.max()), 11)
        shares = [np.histogram(each, edges)[0] / each.size for each in (before, after)]
        distances.append(_hellinger(*shares))
    assert HDDDM(bins=10).fit(reference).test(window).statistic == pytest.approx(np.mean(distances))


def test_nndvi_by_a_matrix_of_neighbours() -> None:
    reference, window = _rows(9, 60), _rows(10, 40, 0.7)
    both = np.concatenate([reference, window])
    near = np.argsort(cdist(both, both), axis=1)[:, :8]  # itself and seven others
    weights = np.zeros((100, 100))
    for row, places in enumerate(near):
        weights[row, places] = 1
    a, b = weights[:60].sum(axis=0) / 60, weights[60:].sum(axis=0) / 40
    expected = np.mean(np.abs(a - b) / (a + b))
    assert NNDVI(neighbours=7).fit(reference).test(window).statistic == pytest.approx(expected)


def test_uncertainties_are_compared_by_kolmogorov_and_smirnov() -> None:
    rng = np.random.default_rng(11)
    reference, window = rng.dirichlet([5, 1, 1], 200), rng.dirichlet([2, 2, 2], 150)
    found = ModelUncertainty().fit(reference).test(window)
    expected = stats.ks_2samp(stats.entropy(reference, axis=1), stats.entropy(window, axis=1))
    assert found.statistic == pytest.approx(expected.statistic)
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-6)


ROWS = [
    HDDDM(0.1),
    NNDVI(0.1),
    KdqTree(0.1, leaf=20, permutations=100),
    PCAReconstruction(0.1),
    ClassifierTwoSample(0.1),
]
TESTS = [*ROWS, CDBD(0.1, permutations=100), ModelUncertainty(0.1)]


def _samples(detector, seed: int, shift: float) -> tuple[np.ndarray, np.ndarray]:
    if detector.spec.input == "probabilities":
        rng = np.random.default_rng(seed)
        return rng.dirichlet([4, 2, 1], 120), rng.dirichlet([4 - 3 * shift, 2, 1], 100)
    rows = _rows(2 * seed, 120), _rows(2 * seed + 1, 100, shift)
    if detector.spec.input == "real":
        return rows[0][:, 0], rows[1][:, 0]
    return rows


@pytest.mark.parametrize("detector", TESTS, ids=lambda each: each.spec.name)
def test_what_has_changed_is_found(detector) -> None:
    reference, window = _samples(detector, 3, 0.9)
    if isinstance(detector, PCAReconstruction):
        window = window[:, ::-1]  # a shift along the components leaves no error
    assert detector.fit(reference).test(window).drift
