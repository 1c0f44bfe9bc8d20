"""Pipeline runs over HTTP."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from kedge.api.native.messages import PREFIX, answer, decode
from kedge.core.errors import Invalid, NotFound
from kedge.core.home import Home
from kedge.core.ids import is_name
from kedge.core.routes import Route
from kedge.core.services import Services
from kedge.pipelines.submit import cancel_run, submit_run

_PIECE_BYTES = 64 * 1024


class RunBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `POST /pipeline-runs` takes."""

    entry: str
    project: str
    pipeline: str
    params: dict[str, Any] = {}
    trigger: str = "manual"


def routes(services: Services) -> tuple[Route, ...]:
    """Submit, follow and cancel runs; read the logs of their steps."""

    async def submit(request: Request) -> Response:
        body = await decode(request, RunBody)
        if not is_name(body.pipeline):
            raise Invalid(f"pipeline name {body.pipeline!r}: letters, digits, '.', '_' and '-', at most 128")
        run = await run_in_threadpool(submit_run, services, **msgspec.structs.asdict(body))
        return answer(run, 201)

    async def runs(request: Request) -> Response:
        return answer(
            await run_in_threadpool(services.pipelines.runs, pipeline=request.query_params.get("pipeline"))
        )

    async def run(request: Request) -> Response:
        run_id = request.path_params["run_id"]
        found = await run_in_threadpool(services.pipelines.get_run, run_id)
        return answer({"run": found, "steps": await run_in_threadpool(services.pipelines.steps, run_id)})

    async def cancel(request: Request) -> Response:
        return answer(await run_in_threadpool(cancel_run, services, request.path_params["run_id"]))

    async def log(request: Request) -> Response:
        path = await run_in_threadpool(
            step_log, services, request.path_params["run_id"], request.path_params["step"]
        )
        return StreamingResponse(_pieces(path), media_type="text/plain; charset=utf-8")

    one = f"{PREFIX}/pipeline-runs/{{run_id}}"
    return (
        Route(method="POST", path=f"{PREFIX}/pipeline-runs", handler=submit, permission="write"),
        Route(method="GET", path=f"{PREFIX}/pipeline-runs", handler=runs, permission="read"),
        Route(method="GET", path=one, handler=run, permission="read"),
        Route(method="POST", path=f"{one}/cancel", handler=cancel, permission="write"),
        Route(method="GET", path=f"{one}/steps/{{step}}/log", handler=log, permission="read"),
    )


def step_log(services: Services, run_id: str, name: str) -> Path:
    """Where what a step has printed lies, if it has: the kept log, or the live one while it runs. Raises NotFound."""
    step = next((each for each in services.pipelines.steps(run_id) if each.name == name), None)
    if step is None:
        services.pipelines.get_run(run_id)
        raise NotFound(f"pipeline run {run_id} has no step {name!r}")
    live = Path(Home(services.home).logs / "runs" / run_id / f"{step.name}.log")
    return services.objects.path(step.log_object) if step.log_object and step.state != "running" else live


def _pieces(path: Path) -> Iterator[bytes]:
    """In pieces, because a log may be larger than web's memory."""
    if path.exists():
        with path.open("rb") as content:
            while piece := content.read(_PIECE_BYTES):
                yield piece
