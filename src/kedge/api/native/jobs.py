"""Jobs over HTTP."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from kedge.api.native.messages import PREFIX, answer
from kedge.core.routes import Route
from kedge.core.services import Services


def routes(services: Services) -> tuple[Route, ...]:
    """A job's state, result and error."""

    async def get(request: Request) -> Response:
        return answer(await run_in_threadpool(services.jobs.get, request.path_params["job_id"]))

    return (Route(method="GET", path=f"{PREFIX}/jobs/{{job_id}}", handler=get, permission="read"),)
