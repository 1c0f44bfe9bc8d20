"""Dataset versions over HTTP. Profiles are computed by the client; the server checks that all bytes are there."""

from typing import Annotated

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from kedge.api.native.messages import PREFIX, answer, decode
from kedge.core.datasets import ColumnProfile, DatasetFile, DatasetUse, DatasetVersion, NewDatasetVersion
from kedge.core.errors import Invalid
from kedge.core.ids import is_name
from kedge.core.routes import Route
from kedge.core.services import Services
from kedge.data.paths import checked_together

MOST_ROWS = 2**53
LONGEST_MESSAGE = 10_000


class VersionBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `POST /datasets/{name}/versions` takes."""

    files: tuple[DatasetFile, ...]
    columns: tuple[ColumnProfile, ...] = ()
    rows: Annotated[int, msgspec.Meta(ge=0, le=MOST_ROWS)] = 0
    tag: str | None = None
    message: Annotated[str, msgspec.Meta(max_length=LONGEST_MESSAGE)] = ""
    pipeline_run_id: str | None = None


def routes(services: Services) -> tuple[Route, ...]:
    """Datasets, versions and who read them."""

    async def add(request: Request) -> Response:
        body = await decode(request, VersionBody)
        made = await run_in_threadpool(add_version, services, request.path_params["name"], body)
        return answer(made, 201)

    async def datasets(_: Request) -> Response:
        return answer(await run_in_threadpool(services.datasets.datasets))

    async def versions(request: Request) -> Response:
        return answer(await run_in_threadpool(services.datasets.versions, request.path_params["name"]))

    async def version(request: Request) -> Response:
        name, ref = request.path_params["name"], request.path_params["ref"]
        return answer(await run_in_threadpool(services.datasets.get, name, ref))

    async def by_id(request: Request) -> Response:
        return answer(await run_in_threadpool(services.datasets.get_by_id, request.path_params["version_id"]))

    async def use(request: Request) -> Response:
        body = await decode(request, DatasetUse)
        await run_in_threadpool(services.datasets.record_use, body)
        return answer({})

    one = f"{PREFIX}/datasets/{{name}}"
    return (
        Route(method="GET", path=f"{PREFIX}/datasets", handler=datasets, permission="read"),
        Route(method="GET", path=one, handler=versions, permission="read"),
        Route(method="POST", path=f"{one}/versions", handler=add, permission="write"),
        Route(method="GET", path=f"{one}/versions/{{ref}}", handler=version, permission="read"),
        Route(
            method="GET", path=f"{PREFIX}/dataset-versions/{{version_id}}", handler=by_id, permission="read"
        ),
        Route(method="POST", path=f"{PREFIX}/dataset-uses", handler=use, permission="write"),
    )


def add_version(services: Services, name: str, body: VersionBody) -> DatasetVersion:
    """Record a version once its name, paths and objects are in order."""
    for what, text in (("name", name), ("tag", body.tag)):
        if text is not None and not is_name(text):
            raise Invalid(
                f"{text!r} cannot be the {what} of a dataset: letters, digits, '.', '_' and '-', at most 128, "
                "first and last a letter or digit"
            )
    if body.tag == "latest":
        raise Invalid("the tag 'latest' is taken: it always names the newest version")
    if not body.files:
        raise Invalid(f"a version of dataset {name!r} needs at least one file")
    checked_together(file.path for file in body.files)
    for file in body.files:
        if not 0 <= file.rows <= body.rows:
            raise Invalid(f"{file.path!r} is said to have {file.rows} rows, the version {body.rows}")
        if not services.objects.has(file.object_id):
            raise Invalid(
                f"object {file.object_id!r} of {file.path!r} is not stored", hint="PUT /objects first"
            )
        size = services.objects.size_bytes(file.object_id)
        if size != file.size_bytes:
            raise Invalid(f"{file.path!r} is said to have {file.size_bytes} bytes, its object has {size}")
    if body.pipeline_run_id is not None:
        services.pipelines.get_run(body.pipeline_run_id)  # NotFound for an unknown one
    files = tuple(sorted(body.files, key=lambda file: file.path))
    fields = {**msgspec.structs.asdict(body), "files": files}
    return services.datasets.add(NewDatasetVersion(dataset=name, **fields))
