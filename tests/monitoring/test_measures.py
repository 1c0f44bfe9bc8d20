"""AUC and Brier against scikit-learn, which must agree to the last digits, ties and all."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, roc_auc_score

from kedge.monitoring.measures import auc, brier, calibration, error_rate

ROWS = st.lists(
    st.tuples(st.sampled_from([0.0, 1.0]), st.integers(0, 20).map(lambda value: value / 20)),
    min_size=2,
    max_size=60,
)


@given(ROWS)
def test_auc_is_that_of_scikit_learn(rows):
    labels, scores = np.array(rows).T
    assume(0 < labels.sum() < len(labels))
    assert auc(labels, scores) == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)


@given(ROWS)
def test_brier_is_that_of_scikit_learn(rows):
    labels, scores = np.array(rows).T
    assume(0 < labels.sum() < len(labels))
    assert brier(labels, scores) == pytest.approx(brier_score_loss(labels, scores), abs=1e-12)


def test_a_large_sample_with_many_ties():
    generator = np.random.default_rng(7)
    labels = (generator.random(50_000) < 0.2).astype(float)
    scores = np.round(np.clip(0.2 + 0.1 * labels + generator.normal(0, 0.2, 50_000), 0, 1), 2)
    assert auc(labels, scores) == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)


@given(ROWS)
def test_auc_does_not_depend_on_scale_and_mirrors(rows):
    labels, scores = np.array(rows).T
    value = auc(labels, scores)
    assume(value is not None)
    assert auc(labels, scores * 8 + 3) == pytest.approx(value)
    assert auc(1 - labels, scores) == pytest.approx(1 - value)


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_one_class_has_no_auc(label):
    assert auc(np.full(5, label), np.linspace(0, 1, 5)) is None


def test_calibration_is_that_of_scikit_learn():
    generator = np.random.default_rng(3)
    probabilities = generator.random(5000)
    labels = (generator.random(5000) < probabilities**2).astype(float)
    found = calibration(labels, probabilities)
    observed, predicted = calibration_curve(labels, probabilities, n_bins=10)
    np.testing.assert_allclose(found.observed, observed)
    np.testing.assert_allclose(found.predicted, predicted)
    assert found.rows.sum() == 5000
    # E|p - p^2| over the uniform is 1/6.
    assert found.error == pytest.approx(1 / 6, abs=0.02)


def test_calibration_of_edges_and_empty_bins():
    found = calibration(np.array([0.0, 1.0]), np.array([0.0, 1.0]))
    assert found.rows.tolist() == [1, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    assert found.error == 0.0
    assert np.isfinite(found.observed).all()


def test_error_rate_counts_the_threshold_as_positive():
    assert error_rate(np.array([1.0, 1.0, 0.0, 0.0]), np.array([0.5, 0.4, 0.5, 0.1]), 0.5) == 0.5
