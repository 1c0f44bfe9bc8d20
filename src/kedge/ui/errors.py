"""The page that says what went wrong."""

from starlette.responses import HTMLResponse, Response


def error_page(status: int, message: str, hint: str) -> Response:
    """`message` and the next step, with the status."""
    return HTMLResponse(f"{status} {message} {hint}", status)
