"""The rule by which a column drifts, and its correction for many columns."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kedge.core.monitors import COLUMN_VERDICT
from kedge.monitoring.histograms import Overlay
from kedge.monitoring.verdict import Finding, column_results, drifted_columns

NO_BINS = Overlay((), (), ())
P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=20)


def findings(column, *, p=None, psi=None):
    found = []
    if p is not None:
        found.append(
            Finding(
                column=column,
                detector="KolmogorovSmirnov",
                params={},
                statistic=0.1,
                threshold=0.05,
                p_value=p,
                alpha=0.05,
                drift=p <= 0.05,
                overlay=NO_BINS,
            )
        )
    if psi is not None:
        found.append(
            Finding(
                column=column,
                detector="PopulationStabilityIndex",
                params={},
                statistic=psi,
                threshold=0.2,
                p_value=None,
                alpha=None,
                drift=psi >= 0.2,
                overlay=NO_BINS,
            )
        )
    return found


def verdicts(found):
    return {row.column: row.drift for row in column_results(found) if row.detector == COLUMN_VERDICT}


def test_both_the_test_and_the_size_must_agree():
    found = [
        *findings("trifle_in_a_large_sample", p=1e-30, psi=0.01),
        *findings("noise_in_a_small_sample", p=0.4, psi=0.5),
        *findings("drift", p=1e-30, psi=0.5),
    ]
    assert verdicts(found) == {
        "trifle_in_a_large_sample": False,
        "noise_in_a_small_sample": False,
        "drift": True,
    }


def test_a_single_detector_decides_alone():
    assert verdicts([*findings("a", psi=0.3), *findings("b", p=0.001)]) == {"a": True, "b": True}


def test_p_values_are_corrected_over_columns():
    alone = column_results(findings("a", p=0.04))
    assert alone[0].drift
    among_many = column_results(
        [*findings("a", p=0.04), *[row for n in range(9) for row in findings(f"b{n}", p=0.9)]]
    )
    assert not among_many[0].drift
    assert among_many[0].p_value == 0.04
    assert among_many[0].params["adjusted_p_value"] == min(0.04 * 10, 0.9)


@given(P_VALUES)
def test_the_flags_are_those_of_the_step_up_procedure(p_values):
    """Benjamini and Hochberg (1995), (1): reject the k smallest, k the largest i with p_(i) <= i/m alpha."""
    results = column_results([row for n, p in enumerate(p_values) for row in findings(f"c{n}", p=p)])
    flags = [row.drift for row in results if row.detector == "KolmogorovSmirnov"]
    ordered = np.sort(p_values)
    count = len(p_values)
    passing = [i + 1 for i in range(count) if ordered[i] <= (i + 1) / count * 0.05]
    rejected = max(passing, default=0)
    near = any(abs(ordered[i] - (i + 1) / count * 0.05) < 1e-12 for i in range(count))
    assert near or sum(flags) >= rejected
    assert near or all(
        flag == (p <= ordered[rejected - 1] if rejected else False)
        for flag, p in zip(flags, p_values, strict=True)
    )


def test_drifted_columns_come_by_size():
    found = [
        *findings("mild", p=0.0, psi=0.3),
        *findings("wild", p=0.0, psi=3.0),
        *findings("calm", p=0.9, psi=0.0),
    ]
    assert drifted_columns(column_results(found)) == (["wild", "mild"], 3)
    assert drifted_columns([]) == ([], 0)
