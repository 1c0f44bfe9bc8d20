"""Checks, verdicts and what a gate says when it stops something."""

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kedge.core.errors import GateFailed, Invalid
from kedge.core.reports import Check, Report
from kedge.validation.checks import at_least, at_most, check, require, verdict

NUMBERS = st.floats(allow_nan=True, allow_infinity=True)


@given(NUMBERS, st.floats(allow_nan=False))
def test_a_value_passes_where_it_keeps_the_rule_and_nan_never(value: float, bound: float) -> None:
    assert at_least("c", value, bound).passed == (value >= bound)
    assert at_most("c", value, bound).passed == (value <= bound)
    if math.isnan(value):
        assert not at_least("c", value, bound).passed
        assert not at_most("c", value, bound).passed


@given(NUMBERS, NUMBERS)
def test_a_bound_that_is_no_number_lets_nothing_pass(value: float, bound: float) -> None:
    if math.isnan(bound):
        assert not verdict([at_least("c", value, bound)])
        assert not verdict([at_most("c", value, bound)])


@given(NUMBERS)
def test_every_check_survives_json(value: float) -> None:
    for made in (at_least("c", value, 0.5, "why"), check("own", value, "is nice", False)):
        assert msgspec.json.decode(msgspec.json.encode(made), type=Check) == made


@given(st.lists(st.booleans(), min_size=1))
def test_a_gate_passes_when_all_of_its_checks_do(passed: list[bool]) -> None:
    assert verdict([check(f"c{n}", n, "rule", each) for n, each in enumerate(passed)]) == all(passed)


def test_a_gate_without_checks_is_refused() -> None:
    with pytest.raises(Invalid, match="at least one check"):
        verdict([])


def test_numpys_numbers_and_verdicts_become_pythons() -> None:
    import numpy as np

    made = check("c", np.float32(0.5), "is half", np.bool_(True))
    assert (type(made.value), made.passed) == (float, True)
    assert at_least("c", np.int64(3), 2).value == 3.0


def test_what_did_not_pass_is_named_and_nothing_else() -> None:
    checks = (at_least("auc", 0.7, 0.65), at_most("error", math.nan, 0.05), at_least("rows", 1, 1000))
    report = Report(id="r", gate="g", subject="late 3", created_ms=0, passed=False, checks=checks)
    with pytest.raises(GateFailed) as caught:
        require(report)
    assert caught.value.message == (
        "gate 'g' did not pass for late 3: error is not a finite number, must be <= 0.05; rows is 1, must be >= 1000"
    )
