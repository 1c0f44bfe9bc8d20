"""Checks as values; a gate passes when all of its checks do."""

import math
from collections.abc import Sequence

from kedge.core.errors import GateFailed, Invalid
from kedge.core.reports import Check, Report


def at_least(name: str, value: float, minimum: float, detail: str = "") -> Check:
    """`value >= minimum`; NaN never passes.

    Examples
    --------
    >>> at_least("auc", 0.71, 0.65).passed
    True
    """
    return check(name, value, f">= {minimum:g}", passed=bool(value >= minimum), detail=detail)


def at_most(name: str, value: float, maximum: float, detail: str = "") -> Check:
    """`value <= maximum`; NaN never passes.

    Examples
    --------
    >>> at_most("calibration error", float("nan"), 0.05).passed
    False
    """
    return check(name, value, f"<= {maximum:g}", passed=bool(value <= maximum), detail=detail)


def check(name: str, value: float, rule: str, passed: bool, detail: str = "") -> Check:
    """A check of your own: the rule in words, and whether it holds.

    JSON has no NaN and no infinities: such a value is kept as None, and said in `detail`.
    """
    number = float(value)
    if not math.isfinite(number):
        said = f"the value was {number}"
        return Check(
            name=name,
            value=None,
            rule=rule,
            passed=bool(passed),
            detail=f"{detail}; {said}" if detail else said,
        )
    return Check(name=name, value=number, rule=rule, passed=bool(passed), detail=detail)


def verdict(checks: Sequence[Check]) -> bool:
    """Whether a gate with these checks passes. Raises Invalid for a gate without checks: it would pass anything."""
    if not checks:
        raise Invalid("a gate needs at least one check")
    return all(each.passed for each in checks)


def require(report: Report) -> None:
    """Raise GateFailed naming each check that did not pass; do nothing when the report passed."""
    failed = [
        f"{each.name} is {_shown(each)}, must be {each.rule}" for each in report.checks if not each.passed
    ]
    if not report.passed:
        raise GateFailed(
            f"gate {report.gate!r} did not pass for {report.subject}: " + "; ".join(failed),
            hint=f"the report is {report.id}",
        )


def _shown(of: Check) -> str:
    return f"no finite number ({of.detail})" if of.value is None else f"{of.value:.4g}"
