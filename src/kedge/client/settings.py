"""Where the SDK finds the platform.

The environment is read here, besides `kedge.app.config`, because the SDK runs in the user's own process.
"""

import os

DEFAULT_URL = "http://127.0.0.1:5000"


def platform_url() -> str:
    """`KEDGE_URL`, or the default of `kedge up`."""
    return os.environ.get("KEDGE_URL", DEFAULT_URL).rstrip("/")  # noqa: TID251 - see the module's docstring


def running_step() -> tuple[str, str] | None:
    """(pipeline run id, step) when this process runs a step."""
    run, step = os.environ.get("KEDGE_PIPELINE_RUN"), os.environ.get("KEDGE_STEP")  # noqa: TID251 - as above
    return (run, step) if run and step else None
