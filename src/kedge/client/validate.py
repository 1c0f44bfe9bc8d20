"""Gates from user code: checks in, a stored report out."""

import dataclasses
from collections.abc import Sequence

from kedge.client.connection import connection
from kedge.client.settings import running_step
from kedge.core.reports import Check, Report
from kedge.validation import checks as rules
from kedge.validation.checks import at_least, at_most, check

__all__ = ["GateReport", "at_least", "at_most", "check", "gate"]


@dataclasses.dataclass(frozen=True)
class GateReport:
    """A stored report."""

    report: Report

    @property
    def id(self) -> str:
        """Its id."""
        return self.report.id

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return self.report.passed

    def require(self) -> "GateReport":
        """This report, when it passed. Raises GateFailed naming each check that did not."""
        rules.require(self.report)
        return self


def gate(
    name: str,
    subject: str,
    checks: Sequence[Check],
    *,
    mlflow_run_id: str | None = None,
    model_name: str | None = None,
    model_version: str | None = None,
) -> GateReport:
    """Store a report of `checks` on `subject`; inside a step it is tied to the pipeline run.

    Raises
    ------
    Invalid
        There is no check.
    """
    step = running_step()
    body = {
        "gate": name,
        "subject": subject,
        "checks": list(checks),
        "pipeline_run_id": step[0] if step else None,
        "step": step[1] if step else None,
        "mlflow_run_id": mlflow_run_id,
        "model_name": model_name,
        "model_version": model_version,
    }
    return GateReport(connection().call("POST", "/reports", Report, body=body))
