"""Batch tests against SciPy and scikit-learn over many seeds and shapes, with ties: what test_ordered.py and test_binned.py
do not hold."""

import numpy as np
import pytest
from scipy import stats
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score

from kedge.drift import CDBD, HDDDM, ChiSquare, KolmogorovSmirnov, ModelUncertainty, PopulationStabilityIndex
from kedge.drift.batch.classifier_two_sample import area_under_curve
from kedge.drift.batch.pca_reconstruction import compared, reconstruction_errors

SEEDS = 20
SIZES = [(2, 3), (7, 7), (12, 30), (90, 40), (200, 150)]


def _pairs(ties: bool):
    for m, n in SIZES:
        for seed in range(SEEDS):
            rng = np.random.default_rng([seed, m, n])
            x, y = rng.normal(0, 1, m), rng.normal(0.5, 1.5, n)
            yield (np.round(x), np.round(y)) if ties else (x, y)


@pytest.mark.filterwarnings("ignore:ks_2samp")
@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize(("method", "theirs"), [("exact", "exact"), ("asymptotic", "asymp")])
def test_kolmogorov_smirnov_s_p_values_are_scipy_s(ties, method, theirs) -> None:
    for x, y in _pairs(ties):
        expected = stats.ks_2samp(x, y, method=theirs)
        found = KolmogorovSmirnov(method=method).fit(x).test(y)
        assert found.statistic == pytest.approx(expected.statistic, abs=1e-14)
        if expected.pvalue > 0.999:  # where SciPy's exact sum fails and it takes the limit
            assert found.p_value > 0.999
        else:
            assert found.p_value == pytest.approx(expected.pvalue, rel=1e-6, abs=1e-12)


def _entropies(p, q) -> float:
    return float(stats.entropy(p, q))


def test_psi_and_cdbd_are_scipy_s_relative_entropies() -> None:
    for seed in range(SEEDS):
        rng = np.random.default_rng(seed)
        x, y = rng.normal(0, 1, 200 + seed), rng.normal(0.4, 1, 150)
        found = PopulationStabilityIndex(bins=5).fit(x).test(y)
        p, q = np.array(found.reference_counts), np.array(found.counts)
        assert min(q) > 0
        assert found.statistic == pytest.approx(_entropies(p, q) + _entropies(q, p), rel=1e-9)
        x, y = (np.round(each) for each in (x, y))
        found = CDBD(bins=12, permutations=20).fit(x).test(y)
        edges = np.histogram_bin_edges(np.r_[x, y], 12)
        p, q = (np.histogram(each, edges)[0] + 0.5 for each in (x, y))
        assert found.statistic == pytest.approx(_entropies(q, p), rel=1e-9)


def test_chi_square_is_scipy_s() -> None:
    compared = 0
    for k in (2, 3, 9):
        for seed in range(SEEDS):
            rng = np.random.default_rng([seed, k])
            names = np.array(list("abcdefghi"))[:k]
            x, y = rng.choice(names, int(rng.integers(3, 400))), rng.choice(names, int(rng.integers(3, 400)))
            kept = np.unique(np.r_[x, y])
            table = np.array([[(each == name).sum() for name in kept] for each in (x, y)])
            expected = stats.chi2_contingency(table, correction=False)
            found = ChiSquare(method="asymptotic").fit(x).test(y)
            assert found.statistic == pytest.approx(expected.statistic, abs=1e-10)
            assert found.p_value == pytest.approx(expected.pvalue, abs=1e-12)
            compared += len(kept) > 1
    assert compared >= 50


def test_uncertainties_are_scipy_s() -> None:
    for seed in range(SEEDS):
        rng = np.random.default_rng(seed)
        x, y = rng.dirichlet([3, 1, 1], 60 + seed), rng.dirichlet([2, 2, 1], 40)
        x, y = (np.round(each, 1) if seed % 2 else each for each in (x, y))
        x, y = (each / each.sum(axis=1, keepdims=True) for each in (x, y))
        expected = stats.ks_2samp(stats.entropy(x, axis=1).round(12), stats.entropy(y, axis=1).round(12))
        found = ModelUncertainty().fit(x).test(y)
        assert found.statistic == pytest.approx(expected.statistic, abs=1e-9)
        assert found.p_value == pytest.approx(expected.pvalue, rel=1e-6)


def test_reconstruction_errors_are_those_of_scikit_learn_s_components() -> None:
    for seed in range(SEEDS):
        rng = np.random.default_rng(seed)
        d = int(rng.integers(2, 7))
        mixing = rng.normal(size=(d, d))
        samples = [rng.normal(size=(int(rng.integers(20, 200)), d)) @ mixing for _ in range(3)]
        learnt, other, window = (np.round(each) for each in samples) if seed % 2 else samples
        mean, deviation = learnt.mean(axis=0), learnt.std(axis=0)
        model = PCA(n_components=d - 1).fit((learnt - mean) / deviation)
        share = float(model.explained_variance_ratio_.sum()) - 1e-9
        expected = []
        for rows in (other, window):
            scaled = (rows - mean) / deviation
            expected.append(np.linalg.norm(scaled - model.inverse_transform(model.transform(scaled)), axis=1))
        found = reconstruction_errors(learnt, (other, window), share)
        for ours, theirs in zip(found, expected, strict=True):
            assert ours == pytest.approx(theirs, abs=1e-9)
        limit = compared(*found, "asymptotic", 99, 0)
        assert limit[:2] == pytest.approx(stats.ttest_ind(found[1], found[0], equal_var=False))


def test_areas_are_scikit_learn_s_and_scipy_s() -> None:
    for seed in range(SEEDS):
        rng = np.random.default_rng(seed)
        labels = np.repeat([0, 1], rng.integers(2, 90, 2))
        scores = np.round(rng.random(labels.size) + 0.2 * labels, 1 + seed % 3)
        area, p_value = area_under_curve(scores, labels)
        assert area == pytest.approx(roc_auc_score(labels, scores))
        given = {"alternative": "greater", "method": "asymptotic", "use_continuity": False}
        expected = stats.mannwhitneyu(scores[labels == 1], scores[labels == 0], **given)
        assert p_value == pytest.approx(expected.pvalue, abs=1e-12)


def test_hdddm_s_bins_are_numpy_s() -> None:
    """On tied values too, which lie on edges."""
    for seed in range(SEEDS):
        rng = np.random.default_rng(seed)
        x, y = np.round(rng.normal(0, 2, (120, 2)), 1), np.round(rng.normal(0.3, 2, (80, 2)), 1)
        distances = []
        for before, after in zip(x.T, y.T, strict=True):
            edges = np.histogram_bin_edges(np.r_[before, after], 10)
            p, q = (np.histogram(each, edges)[0] / each.size for each in (before, after))
            distances.append(np.sqrt(np.sum((np.sqrt(p) - np.sqrt(q)) ** 2)))
        found = HDDDM(bins=10).fit(x).test(y).statistic
        assert found == pytest.approx(np.mean(distances), rel=1e-12)
