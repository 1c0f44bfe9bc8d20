"""Validation reports in SQL."""

from typing import TYPE_CHECKING

import msgspec

from kedge.core.errors import NotFound
from kedge.core.reports import Check, Report
from kedge.storage.database import Database, Row
from kedge.storage.statements import statements

_SQL = statements("reports")


class SqlReports:
    """`ReportStore` on SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, report: Report) -> None:
        values = msgspec.structs.asdict(report)
        values["checks"] = msgspec.json.encode(report.checks).decode()
        values["passed"] = int(report.passed)
        with self._database.write() as connection:
            connection.execute(_SQL["insert"], values)

    def get(self, report_id: str) -> Report:
        row = self._database.row(_SQL["get"], (report_id,))
        if row is None:
            raise NotFound(f"there is no validation report {report_id!r}")
        return _report(row)

    def reports(
        self, *, pipeline_run_id: str | None = None, mlflow_run_id: str | None = None, limit: int = 100
    ) -> list[Report]:
        wanted = {"pipeline_run_id": pipeline_run_id, "mlflow_run_id": mlflow_run_id, "limit": limit}
        return [_report(row) for row in self._database.rows(_SQL["reports"], wanted)]


def _report(row: Row) -> Report:
    values = dict(row)
    values["checks"] = msgspec.json.decode(values["checks"], type=tuple[Check, ...])
    values["passed"] = bool(values["passed"])
    return Report(**values)


if TYPE_CHECKING:
    from typing import cast

    from kedge.core.reports import ReportStore

    _fits: ReportStore = cast("SqlReports", None)
