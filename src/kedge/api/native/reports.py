"""Validation reports over HTTP."""

from typing import Annotated

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from kedge.api.native.messages import PREFIX, answer, decode
from kedge.core.ids import new_id
from kedge.core.reports import Check, Report
from kedge.core.routes import Route
from kedge.core.services import Services
from kedge.validation.checks import verdict

ShortText = Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]


class ReportBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `POST /reports` takes; the verdict is made here."""

    gate: ShortText
    subject: ShortText
    checks: tuple[Check, ...]
    pipeline_run_id: str | None = None
    step: str | None = None
    mlflow_run_id: str | None = None
    model_name: str | None = None
    model_version: str | None = None


def routes(services: Services) -> tuple[Route, ...]:
    """Write a report, read it, list those of a run."""

    async def add(request: Request) -> Response:
        body = await decode(request, ReportBody)
        fields = msgspec.structs.asdict(body)
        passed = verdict(body.checks)
        report = Report(id=new_id(), created_ms=services.clock.now_ms(), passed=passed, **fields)
        await run_in_threadpool(services.reports.add, report)
        return answer(report, 201)

    async def get(request: Request) -> Response:
        return answer(await run_in_threadpool(services.reports.get, request.path_params["report_id"]))

    async def reports(request: Request) -> Response:
        run = request.query_params.get("pipeline_run_id")
        mlflow_run = request.query_params.get("mlflow_run_id")
        found = await run_in_threadpool(
            services.reports.reports, pipeline_run_id=run, mlflow_run_id=mlflow_run
        )
        return answer(found)

    return (
        Route(method="POST", path=f"{PREFIX}/reports", handler=add, permission="write"),
        Route(method="GET", path=f"{PREFIX}/reports", handler=reports, permission="read"),
        Route(method="GET", path=f"{PREFIX}/reports/{{report_id}}", handler=get, permission="read"),
    )
