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
    return Check(
        name=name, value=_finite(value), rule=f">= {minimum:g}", passed=bool(value >= minimum), detail=detail
    )


def at_most(name: str, value: float, maximum: float, detail: str = "") -> Check:
    """`value <= maximum`; NaN never passes.

    Examples
    --------
    >>> at_most("calibration error", float("nan"), 0.05).passed
    False
    """
    return Check(
        name=name, value=_finite(value), rule=f"<= {maximum:g}", passed=bool(value <= maximum), detail=detail
    )


def check(name: str, value: float, rule: str, passed: bool, detail: str = "") -> Check:
    """A check of your own: the rule in words, and whether it holds."""
    return Check(name=name, value=_finite(value), rule=rule, passed=bool(passed), detail=detail)


def verdict(checks: Sequence[Check]) -> bool:
    """Whether a gate with these checks passes. Raises Invalid for a gate without checks: it would pass anything."""
    if not checks:
        raise Invalid("a gate needs at least one check")
    return all(each.passed for each in checks)


def require(report: Report) -> None:
    """Raise GateFailed naming each check that did not pass."""
    failed = [
        f"{each.name} is {_shown(each.value)}, must be {each.rule}"
        for each in report.checks
        if not each.passed
    ]
    if failed:
        raise GateFailed(f"gate {report.gate!r} did not pass for {report.subject}: " + "; ".join(failed))


def _finite(value: float) -> float | None:
    """JSON has no other numbers, so a report could not be stored with them."""
    return float(value) if math.isfinite(value) else None


def _shown(value: float | None) -> str:
    return "not a finite number" if value is None else f"{value:.4g}"
