"""What MLflow's clients ask a server of itself before anything else."""

import msgspec
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from kedge.core.routes import Route
from kedge.core.services import Services

MLFLOW_VERSION = "3.17.2"
_ABOUT = {
    "store_type": "SqlStore",
    "workspaces_enabled": False,
    "trace_archival_enabled": False,
    "presigned_upload_run_id_supported": True,
    "presigned_upload_model_id_supported": True,
    # Not on our list of routes.
    "features_enabled": {"gateway": False},
}


def routes(services: Services) -> tuple[Route, ...]:
    """Version and capabilities."""
    direct = services.artifacts.direct is not None
    told = {"multipart_uploads_enabled": direct, "multipart_downloads_enabled": direct}
    body = msgspec.json.encode(_ABOUT | told)

    async def version(_: Request) -> Response:
        return PlainTextResponse(MLFLOW_VERSION)

    async def about(_: Request) -> Response:
        return Response(body, media_type="application/json")

    return (
        *(
            Route(method="GET", path=path, handler=version, permission="public")
            for path in ("/version", "/mlflow/version")
        ),
        *(
            Route(method="GET", path=f"{prefix}/3.0/mlflow/server-info", handler=about, permission="public")
            for prefix in ("/api", "/ajax-api", "/mlflow/api", "/mlflow/ajax-api")
        ),
    )
