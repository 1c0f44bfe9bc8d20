"""One column of two samples, compared by every detector that a monitor may name for it."""

import numpy as np
import pyarrow as pa
import pytest

from kedge.monitoring.comparison import compare_column, ready
from kedge.monitoring.specs import DETECTORS

COMPARING = sorted(name for name, rule in DETECTORS.items() if rule.takes != "stream")


def columns(kind, changed):
    """Two samples; without a change the second holds the first one's values."""
    rng = np.random.default_rng(5)
    if kind == "numeric":
        before, after = rng.normal(0, 1, 400), rng.normal(2, 1, 300)
    else:
        before, after = (rng.choice(["a", "b"], 400, p=(share, 1 - share)) for share in (0.7, 0.1))
    return [ready("x", kind, [pa.array(sample)]) for sample in (before, after if changed else before[::-1])]


@pytest.mark.parametrize("name", COMPARING)
def test_a_change_is_found_and_none_is_not(name):
    kinds = {"any": ("numeric", "categorical")}.get(DETECTORS[name].takes, (DETECTORS[name].takes,))
    for kind in kinds:
        for changed in (True, False):
            (found,), missing = compare_column("x", kind, [{"name": name}], *columns(kind, changed))
            assert (found.drift, missing) == (changed, 0)


def test_a_detector_that_needs_more_values_waits_for_them():
    few = [ready("x", "numeric", [pa.array([1.0, 2.0, 3.0])])] * 2
    specs = [{"name": "EppsSingleton"}, {"name": "KolmogorovSmirnov"}]
    assert [found.detector for found in compare_column("x", "numeric", specs, *few)[0]] == [
        "KolmogorovSmirnov"
    ]
