"""Pages to HTML, and static files with the hash of their content in the address."""

import functools
import hashlib
from importlib import resources
from typing import Any

import jinja2

from kedge.ui.blocks import Page

STATIC = (
    "app.css",
    "app.js",
    "icon.svg",
    "vendor/uPlot.min.css",
    "vendor/htmx.min.js",
    "vendor/idiomorph-ext.min.js",
    "vendor/uPlot.min.js",
)
_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}

SECTIONS = (
    ("home", "Home", "/", "h"),
    ("pipelines", "Pipelines", "/pipelines", "p"),
    ("runs", "Runs", "/runs", "r"),
    ("models", "Models", "/models", "m"),
    ("datasets", "Datasets", "/datasets", "d"),
    ("endpoints", "Endpoints", "/endpoints", "e"),
    ("monitors", "Monitors", "/monitors", "o"),
    ("alerts", "Alerts", "/alerts", "a"),
)


class StaticFile:
    """A file that ships with the package."""

    def __init__(self, name: str) -> None:
        self.content = (resources.files("kedge.ui") / "static" / name).read_bytes()
        self.media_type = _TYPES[name.rpartition(".")[2]]
        self.version = hashlib.sha256(self.content).hexdigest()[:12]


@functools.cache
def static_files() -> dict[str, StaticFile]:
    """All static files by name; read once."""
    return {name: StaticFile(name) for name in STATIC}


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("kedge.ui", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.globals["static"] = _address
    environment.globals["sections"] = SECTIONS
    return environment


def _address(name: str) -> str:
    return f"/static/{static_files()[name].version}/{name}"


def prepare() -> None:
    """Compile the template and read the static files, so that the first reader does not wait for it."""
    render(Page(title="Kedge"))


def render(page: Page, **more: Any) -> str:
    """The page's HTML."""
    return _environment().get_template("page.html").render(page=page, **more)
