"""A person in a browser: from the home page to a drift alert, and from there to what it concerns. Takes the screenshots
of docs/screens when asked to with `--screens`."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.conftest import Platform

pytestmark = [pytest.mark.browser, pytest.mark.acceptance]


@pytest.fixture
def take(page: Page, screens: Path) -> Callable[[str], None]:
    """Write a screenshot of the whole page."""

    def take(name: str) -> None:
        page.wait_for_load_state("networkidle")
        page.evaluate("scrollTo(0, 0)")  # the bar sticks to where the page is scrolled to
        page.screenshot(path=screens / f"{name}.png", full_page=True)
        assert (screens / f"{name}.png").stat().st_size > 20_000

    return take


def test_from_home_to_an_alert_and_to_what_it_concerns(
    page: Page, demo_platform: Platform, take: Callable[[str], None]
) -> None:
    page.goto(demo_platform.web)
    take("home")
    alert = page.get_by_test_id("open-alert").filter(has_text=re.compile("columns drifted")).first
    alert.click()
    expect(page.get_by_role("heading", name="Alert of flights-drift")).to_be_visible()
    expect(page.get_by_test_id("distribution").first).to_be_visible()
    take("alert")
    investigation = page.url

    page.get_by_test_id("model-link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("flights")
    expect(page.get_by_text("champion", exact=True)).to_be_visible()
    take("model")

    page.goto(investigation)
    page.get_by_test_id("run-link").click()
    expect(page.get_by_text("max_leaf_nodes")).to_be_visible()
    take("run")

    page.goto(investigation)
    page.get_by_test_id("data-link").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(r"flights@2013-0\d"))
    expect(page.get_by_text("aircraft_age")).to_be_visible()
    take("dataset")

    page.goto(investigation)
    page.get_by_test_id("code-link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Code")
    expect(page.locator("pre").filter(has_text="def train(versions").first).to_be_visible()

    page.goto(investigation)
    page.get_by_test_id("retraining-link").click()
    expect(page.locator("a.node")).to_have_count(4)
    page.locator("a.node").filter(has_text="compare").click()
    expect(page.get_by_role("heading", name="Step compare")).to_be_visible()
    take("pipeline")


def test_a_cell_of_the_heat_strip_opens_its_distributions(
    page: Page, demo_platform: Platform, take: Callable[[str], None]
) -> None:
    page.goto(f"{demo_platform.web}/monitors/flights-drift")
    expect(page.get_by_test_id("heat-cell").first).to_be_visible()
    page.get_by_test_id("heat-cell").first.click()
    expect(page.get_by_test_id("distribution")).to_be_visible()
    expect(page.get_by_role("cell", name="PopulationStabilityIndex", exact=True).first).to_be_visible()
    assert "column=" in page.url
    take("drift")


def test_charts_are_drawn(page: Page, demo_platform: Platform, take: Callable[[str], None]) -> None:
    for path, name in (("/monitors/flights-performance", "performance"), ("/endpoints/flights", "endpoint")):
        page.goto(demo_platform.web + path)
        expect(page.locator(".chart canvas").first).to_be_visible()
        take(name)


def test_dark_light_and_the_keyboard(browser: Browser, page: Page, demo_platform: Platform) -> None:
    page.goto(demo_platform.web)
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_role("button", name="Dark or light").click()
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert light != dark
    page.reload()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == dark
    page.keyboard.press("g")
    page.keyboard.press("m")
    expect(page.get_by_role("heading", level=1)).to_have_text("Models")
    page.keyboard.press("/")
    page.keyboard.type("flights-drift")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="flights-drift", exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    page.locator("h1").click()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()


def test_without_a_mouse_a_link_can_be_reached(page: Page, demo_platform: Platform) -> None:
    page.goto(demo_platform.web)
    page.keyboard.press("Tab")
    focused = page.evaluate("document.activeElement.textContent")
    assert focused == "Skip to content"


def test_mlflow_s_own_pages_work_under_ours(browser: Browser, demo_platform: Platform) -> None:
    """MLflow's interface is not ours to keep free of console errors: it must show the experiment."""
    page = browser.new_page(viewport={"width": 1360, "height": 850})
    page.goto(f"{demo_platform.web}/#/experiments", timeout=90_000)  # as MLflow's client prints it
    page.wait_for_url("**/mlflow/**")
    expect(page.get_by_text("flights").first).to_be_visible(timeout=60_000)
    page.close()
