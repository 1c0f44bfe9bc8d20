"""Validation reports: the checks of a gate with value, rule and verdict."""

from typing import Protocol

import msgspec


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One comparison: `value` against `rule`, for example 0.71 against `>= 0.65`; None is what no number can say (NaN)."""

    name: str
    value: float | None
    rule: str
    passed: bool
    detail: str = ""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict of a gate on a subject (a model, a data version)."""

    id: str
    gate: str
    subject: str
    created_ms: int
    passed: bool
    checks: tuple[Check, ...]
    pipeline_run_id: str | None = None
    step: str | None = None
    mlflow_run_id: str | None = None
    model_name: str | None = None
    model_version: str | None = None


class ReportStore(Protocol):
    """Reports are written once."""

    def add(self, report: Report) -> None: ...
    def get(self, report_id: str) -> Report:
        """Raises NotFound."""
        ...

    def reports(
        self, *, pipeline_run_id: str | None = None, mlflow_run_id: str | None = None, limit: int = 100
    ) -> list[Report]:
        """Newest first."""
        ...
