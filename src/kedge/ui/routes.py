"""The pages' addresses: each parses its URL, asks for one page, renders it."""

from collections.abc import Awaitable, Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from kedge.core.errors import NotFound
from kedge.core.routes import Route
from kedge.core.services import Services
from kedge.deployments.deploy import rollback
from kedge.monitoring.alerts import acknowledged
from kedge.pipelines.submit import cancel_run
from kedge.ui import shown
from kedge.ui.arrange import arranged
from kedge.ui.blocks import Page
from kedge.ui.pages import alerts, datasets, endpoints, home, models, monitors, pipelines, runs, search
from kedge.ui.render import prepare, render, static_files

Make = Callable[[Services, Request], Page]
Change = Callable[[Services, Request], str]


def _text(request: Request, name: str) -> str:
    return request.query_params.get(name, "")[:200]


def _number(request: Request, name: str) -> int:
    text = request.query_params.get(name, "1")
    return min(int(text), 1_000_000) if text.isascii() and text.isdigit() and len(text) < 10 else 1


_PAGES: dict[str, Make] = {
    "/": lambda s, _: home.home(s),
    "/runs": lambda s, r: runs.runs(
        s,
        search=_text(r, "q"),
        status=_text(r, "status"),
        sort=_text(r, "sort") or "-start",
        page=_number(r, "page"),
    ),
    "/runs/{run_id}": lambda s, r: runs.run(s, r.path_params["run_id"]),
    "/models": lambda s, _: models.models(s),
    "/models/{name}": lambda s, r: models.model(s, r.path_params["name"]),
    "/datasets": lambda s, _: datasets.datasets(s),
    "/datasets/{name}": lambda s, r: datasets.dataset(s, r.path_params["name"]),
    "/datasets/{name}/{ref}": lambda s, r: datasets.version(
        s, s.datasets.get(r.path_params["name"], r.path_params["ref"]), _text(r, "with")
    ),
    "/pipelines": lambda s, r: pipelines.pipelines(s, name=_text(r, "name"), state=_text(r, "state")),
    "/pipelines/{run_id}": lambda s, r: pipelines.pipeline(s, r.path_params["run_id"], step=_text(r, "step")),
    "/pipelines/{run_id}/code": lambda s, r: pipelines.code(s, r.path_params["run_id"]),
    "/endpoints": lambda s, _: endpoints.endpoints(s),
    "/endpoints/{name}": lambda s, r: endpoints.endpoint(s, r.path_params["name"]),
    "/monitors": lambda s, _: monitors.monitors(s),
    "/monitors/{name}": lambda s, r: monitors.monitor(
        s, r.path_params["name"], run_id=_text(r, "run"), column=_text(r, "column")
    ),
    "/alerts": lambda s, r: alerts.alerts(s, state=_text(r, "state")),
    "/alerts/{alert_id}": lambda s, r: alerts.alert(s, r.path_params["alert_id"]),
    "/search": lambda s, r: search.search(s, _text(r, "q")),
}


def _acknowledge(services: Services, request: Request) -> str:
    found = acknowledged(services, request.path_params["alert_id"])
    back = _text(request, "back")  # only ever to the inbox: an address from outside must not lead elsewhere
    return back if back == "/alerts" or back.startswith("/alerts?") else shown.to("alerts", found.id)


def _rollback(services: Services, request: Request) -> str:
    name = request.path_params["name"]
    rollback(services, name, "rolled back on the endpoint's page")
    return shown.to("endpoints", name)


def _cancel(services: Services, request: Request) -> str:
    return shown.to("pipelines", cancel_run(services, request.path_params["run_id"]).id)


_CHANGES: dict[str, Change] = {
    "/alerts/{alert_id}/acknowledge": _acknowledge,
    "/endpoints/{name}/rollback": _rollback,
    "/pipelines/{run_id}/cancel": _cancel,
}


def routes(services: Services) -> tuple[Route, ...]:
    """All pages, the buttons on them, and the static files."""
    prepare()
    pages = [
        Route(method="GET", path=path, handler=_shows(services, make), permission="read")
        for path, make in _PAGES.items()
    ]
    changes = [
        Route(method="POST", path=path, handler=_does(services, change), permission="write")
        for path, change in _CHANGES.items()
    ]
    files = Route(method="GET", path="/static/{version}/{name:path}", handler=_static, permission="public")
    return (*pages, *changes, files)


def _shows(services: Services, make: Make) -> Callable[[Request], Awaitable[Response]]:
    async def show(request: Request) -> Response:
        def made() -> str:
            return render(arranged(make(services, request), request.url.path, dict(request.query_params)))

        return HTMLResponse(await run_in_threadpool(made), headers={"cache-control": "no-store"})

    return show


def _does(services: Services, change: Change) -> Callable[[Request], Awaitable[Response]]:
    async def do(request: Request) -> Response:
        return RedirectResponse(await run_in_threadpool(change, services, request), 303)

    return do


async def _static(request: Request) -> Response:
    file = static_files().get(request.path_params["name"])
    if file is None:
        raise NotFound(f"there is no file {request.url.path}")
    return Response(
        file.content,
        media_type=file.media_type,
        headers={"cache-control": "public, max-age=31536000, immutable"},
    )
