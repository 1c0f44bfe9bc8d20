"""Where the SDK finds the platform.

The environment is read here, besides `kedge.app.config`, because the SDK runs in the user's own process.
"""

import os

DEFAULT_URL = "http://127.0.0.1:5000"


def platform_url() -> str:
    """`KEDGE_URL`, or the default of `kedge up`."""
    return os.environ.get("KEDGE_URL", DEFAULT_URL).rstrip("/")  # noqa: TID251 - see the module's docstring


def is_loading() -> bool:
    """Whether this process loads a pipeline's file to run its steps, and runs none yet."""
    return "KEDGE_PIPELINE_RUN" in os.environ and "KEDGE_STEP" not in os.environ  # noqa: TID251 - as above


def running_step() -> tuple[str, str] | None:
    """(pipeline run id, step) when this process runs a step."""
    run, step = os.environ.get("KEDGE_PIPELINE_RUN"), os.environ.get("KEDGE_STEP")  # noqa: TID251 - as above
    return (run, step) if run and step else None
