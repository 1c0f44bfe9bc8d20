"""The page that says what went wrong, and what to do."""

from starlette.responses import HTMLResponse, Response

from kedge.ui.blocks import Notice, Page
from kedge.ui.render import render

_WORDS = {404: "Not found", 405: "Not possible", 409: "Not now", 422: "Not valid", 503: "Not available"}


def error_page(status: int, message: str, hint: str) -> Response:
    """`message` and the next step, with the status."""
    title = _WORDS.get(status, "Something went wrong" if status >= 500 else "Refused")
    notice = Notice(tone="bad", text=message, hint=hint)
    return HTMLResponse(render(Page(title=title, blocks=(notice,))), status)
