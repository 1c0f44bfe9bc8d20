"""MLflow's routes of artifacts: files up and down as streams, lists, deletion."""

import contextlib
from collections.abc import Awaitable, Callable
from pathlib import PurePosixPath
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from kedge.api.mlflow.downloads import file_answer
from kedge.api.mlflow.transfers import handlers
from kedge.api.uploads import stored
from kedge.core.artifacts import ArtifactEntry, path_of, plain_path
from kedge.core.errors import Invalid, KedgeError, NotFound
from kedge.core.mlflow_error import MlflowError, NeedsMlflow
from kedge.core.routes import Permission, Route
from kedge.core.services import Services

LARGEST_FILE_BYTES = 64 * 1024**3
_API, _AJAX = ("/api/2.0", "/mlflow/api/2.0"), ("/ajax-api/2.0", "/mlflow/ajax-api/2.0")

Handler = Callable[[Request], Awaitable[Response]]


def routes(services: Services, otherwise: Handler) -> tuple[Route, ...]:
    """All of them; a run whose artifacts lie elsewhere is `otherwise`'s."""

    def route(method: Any, path: str, handler: Handler, permission: Permission) -> list[Route]:
        limit = LARGEST_FILE_BYTES if method == "PUT" else 16 * 1024 * 1024
        return [
            Route(
                method=method,
                path=prefix + path,
                handler=_answering(handler, otherwise),
                permission=permission,
                max_body_bytes=limit,
            )
            for prefix in (*_API, *_AJAX)
        ]

    async def upload(request: Request) -> Response:
        return await _upload(services, request)

    async def download(request: Request) -> Response:
        return await run_in_threadpool(_download, services, request, _path(request))

    async def delete(request: Request) -> Response:
        # What is not there is as deleted as can be: `mlflow gc` asks for every run, also those that logged no file.
        with contextlib.suppress(NotFound):
            await run_in_threadpool(services.artifacts.delete, _path(request))
        return _json({})

    async def listed(request: Request) -> Response:
        path = _query_path(request, "path")
        found = await run_in_threadpool(services.artifacts.children, path)
        return _files([(PurePosixPath(entry.path).name, entry) for entry in found])

    async def of_run(request: Request) -> Response:
        root = await run_in_threadpool(_run_root, services, request)
        return await _list_below(services, root, _query_path(request, "path"))

    async def of_model(request: Request) -> Response:
        root = await run_in_threadpool(_model_root, services, request)
        return await _list_below(services, root, _query_path(request, "artifact_directory_path"))

    async def file_of_run(request: Request) -> Response:
        root = await run_in_threadpool(_run_root, services, request)
        path = f"{_below(root)}/{_query_path(request, 'path')}"
        return await run_in_threadpool(_download, services, request, path)

    async def file_of_model(request: Request) -> Response:
        root = await run_in_threadpool(_model_root, services, request)
        path = f"{_below(root)}/{_query_path(request, 'artifact_file_path')}"
        return await run_in_threadpool(_download, services, request, path)

    file_of_version = _file_of_version(services)
    files = "/mlflow-artifacts/artifacts"
    shown = [
        Route(
            method="GET",
            path=path,
            handler=_answering(handler, otherwise),
            permission="read",
        )
        for path, handler in (
            *((f"{prefix}/get-artifact", file_of_run) for prefix in ("", "/mlflow", *_AJAX)),
            *((f"{p}/mlflow/logged-models/{{model_id}}/artifacts/files", file_of_model) for p in _AJAX),
            *((f"{p}/model-versions/get-artifact", file_of_version) for p in ("", "/mlflow", *_AJAX)),
        )
    ]
    return (
        *route("PUT", files + "/{path:path}", upload, "write"),
        *route("GET", files + "/{path:path}", download, "read"),
        *route("DELETE", files + "/{path:path}", delete, "write"),
        *route("GET", files, listed, "read"),
        *(
            each
            for (method, path), handler in handlers(services, _path).items()
            for each in route(
                method,
                f"/mlflow-artifacts{path}/{{path:path}}",
                handler,
                "write" if method == "POST" else "read",
            )
        ),
        *route("GET", "/mlflow/artifacts/list", of_run, "read"),
        *route("GET", "/mlflow/logged-models/{model_id}/artifacts/directories", of_model, "read"),
        *shown,
    )


def _answering(handler: Handler, otherwise: Handler) -> Handler:
    """With errors in MLflow's shape."""

    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except NeedsMlflow:
            return await otherwise(request)
        except MlflowError as error:
            return _json(error.body(), error.http_status)
        except NotFound as error:
            return _json(MlflowError("RESOURCE_DOES_NOT_EXIST", error.message).body(), 404)
        except Invalid as error:
            return _json(MlflowError("INVALID_PARAMETER_VALUE", error.message).body(), 400)
        except KedgeError as error:
            return _json(MlflowError("TEMPORARILY_UNAVAILABLE", str(error)).body(), error.status)

    return answer


def _json(body: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(body), status, media_type="application/json")


def _path(request: Request) -> str:
    """The path that the address names."""
    return plain_path(request.path_params["path"])


def _query_path(request: Request, name: str) -> str:
    return plain_path(request.query_params.get(name, ""))


async def _upload(services: Services, request: Request) -> Response:
    await stored(request, await run_in_threadpool(services.artifacts.receive, _path(request)))
    return _json({})


def _download(services: Services, request: Request, path: str) -> Response:
    return file_answer(request, services.artifacts.file(path), path)


def _run_root(services: Services, request: Request) -> str:
    run_id = request.query_params.get("run_id") or request.query_params.get("run_uuid") or ""
    if not run_id:
        raise MlflowError(
            "INVALID_PARAMETER_VALUE",
            "Missing value for required parameter 'run_id'. "
            "See the API docs for more information about request parameters.",
        )
    return services.runs.run(run_id).info.artifact_uri or ""


def _model_root(services: Services, request: Request) -> str:
    return services.runs.logged_model(request.path_params["model_id"], deleted=False).artifact_location


def _file_of_version(services: Services) -> Handler:
    async def answer(request: Request) -> Response:
        root = await run_in_threadpool(_version_root, services, request)
        path = f"{_below(root)}/{_query_path(request, 'path')}"
        return await run_in_threadpool(_download, services, request, path)

    return answer


def _version_root(services: Services, request: Request) -> str:
    name, version = (request.query_params.get(each, "") for each in ("name", "version"))
    if not version.isascii() or not version.isdigit():
        raise NeedsMlflow
    return services.runs.location(name, int(version))


def _below(root: str) -> str:
    """The path below our root that an artifact location means; NeedsMlflow where it lies elsewhere."""
    path = path_of(root)
    if path is None:
        raise NeedsMlflow
    return path


async def _list_below(services: Services, root: str, path: str) -> Response:
    base = _below(root)
    found = await run_in_threadpool(services.artifacts.children, f"{base}/{path}".rstrip("/"))
    named = [(f"{path.strip('/')}/{PurePosixPath(entry.path).name}".strip("/"), entry) for entry in found]
    return _files(named, root)


def _files(found: list[tuple[str, ArtifactEntry]], root: str | None = None) -> Response:
    listed = [
        {"path": name, "is_dir": entry.is_dir}
        | ({} if entry.size_bytes is None else {"file_size": entry.size_bytes})
        for name, entry in found
    ]
    body: dict[str, Any] = {"files": listed} if listed else {}
    return _json(body | ({} if root is None else {"root_uri": root}))
