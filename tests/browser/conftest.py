"""A real Chromium, and pages that fail the test when their console shows an error."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def screens(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots go: docs/screens when asked to, so that a test run leaves the checkout as it was."""
    if request.config.getoption("--screens"):
        return Path(__file__).parents[2] / "docs" / "screens"
    return tmp_path_factory.mktemp("screens")


# Of the module and no longer: Playwright keeps an event loop running in this thread, in which no other test could run one.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, headless."""
    executable = shutil.which("chromium") or shutil.which("google-chrome")
    assert executable, "no Chromium; run: sudo apt-get install -y chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A fresh profile that may reach nothing but this machine."""
    context = browser.new_context(viewport={"width": 1360, "height": 850}, color_scheme="light")
    context.route(
        "**/*", lambda route: route.continue_() if "://127.0.0.1" in route.request.url else route.abort()
    )
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A tab; any console error, failed request or uncaught exception in it fails the test."""
    page = context.new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on(
        "requestfailed", lambda request: problems.append(f"{request.method} {request.url} {request.failure}")
    )
    yield page
    real = [
        problem for problem in problems if "net::ERR_ABORTED" not in problem
    ]  # a page left while it loaded
    assert not real
