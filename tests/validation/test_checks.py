"""Checks, verdict, and what a failed gate says."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kedge.core.errors import GateFailed, Invalid
from kedge.core.reports import Report
from kedge.validation.checks import at_least, at_most, check, require, verdict


def report(*checks):
    return Report(
        id="r1", gate="good", subject="flights 3", created_ms=1, passed=verdict(checks), checks=tuple(checks)
    )


@settings(max_examples=200)
@given(st.floats(), st.floats())
def test_a_value_beside_its_bound(value, bound):
    assert at_least("x", value, bound).passed is (value >= bound)
    assert at_most("x", value, bound).passed is (value <= bound)
    if math.isnan(value) or math.isnan(bound):
        assert not at_least("x", value, bound).passed
        assert not at_most("x", value, bound).passed


def test_what_a_check_says():
    made = at_least("auc", np.float64(0.71), 0.65, detail="held out")
    assert (made.name, made.value, made.rule, made.passed, made.detail) == (
        "auc",
        0.71,
        ">= 0.65",
        True,
        "held out",
    )
    assert type(made.value) is float
    assert type(at_most("x", np.float32(1), np.float32(2)).passed) is bool
    own = check("schema", 3, "no column is missing", np.bool_(False))
    assert (own.value, own.passed) == (3.0, False)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_no_number_is_said_in_words(value):
    assert at_most("brier", value, 0.2).value is None
    assert at_most("brier", value, 0.2).detail == f"the value was {value}"
    assert at_most("brier", value, 0.2, detail="x").detail == f"x; the value was {value}"


def test_a_gate_passes_when_all_of_its_checks_do():
    good, bad = at_least("a", 1, 0), at_least("b", 0, 1)
    assert verdict([good, good]) is True
    assert verdict([good, bad]) is False
    with pytest.raises(Invalid, match="at least one check"):
        verdict([])


def test_a_failed_gate_names_what_failed_and_only_that():
    passed = report(at_least("fine", 1, 0))
    require(passed)
    failed = report(at_least("auc", 0.61239, 0.65), at_most("brier", math.nan, 0.2), at_least("fine", 1, 0))
    with pytest.raises(GateFailed) as raised:
        require(failed)
    message = raised.value.message
    assert "'good' did not pass for flights 3" in message
    assert "auc is 0.6124, must be >= 0.65" in message
    assert "brier is no finite number (the value was nan), must be <= 0.2" in message
    assert "fine" not in message
    assert "r1" in raised.value.hint
