"""The pages' weight, their policy, and what can be decided without a platform."""

import gzip
import re
from importlib import resources

import pytest

from kedge.ui import charts, layout, shown
from kedge.ui.blocks import Cell, Notice, Page, Table
from kedge.ui.errors import error_page
from kedge.ui.pages.endpoints import percentile
from kedge.ui.pages.monitors import level
from kedge.ui.render import STATIC, render, static_files

BUDGET_BYTES = 65_000
NASTY = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


def test_javascript_stays_in_its_budget() -> None:
    scripts = [name for name in STATIC if name.endswith(".js")]
    assert sum(len(gzip.compress(static_files()[name].content, 9)) for name in scripts) <= BUDGET_BYTES


def test_every_vendored_file_has_its_licence_and_version() -> None:
    vendor = resources.files("kedge.ui") / "static" / "vendor"
    names = {entry.name for entry in vendor.iterdir()}
    versions = (vendor / "VERSIONS").read_text()
    for name in names - {"VERSIONS"}:
        stem = name.partition(".")[0]
        assert f"{stem}.LICENSE" in names, name
        assert stem.removesuffix("-ext").lower() in versions.lower()


def test_templates_hold_no_inline_style_or_script() -> None:
    for entry in (resources.files("kedge.ui") / "templates").iterdir():
        text = entry.read_text()
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", text), entry.name
        assert not re.search(r"<script(?![^>]*\ssrc=)", text), entry.name


def test_user_text_is_escaped() -> None:
    cells = tuple(Cell(**{field: NASTY}) for field in ("text", "href", "title", "testid"))
    page = Page(
        title=NASTY,
        lead=NASTY,
        blocks=(Table(title=NASTY, rows=(cells,), note=NASTY), Notice(tone="bad", text=NASTY, hint=NASTY)),
    )
    html = render(page)
    assert "<script>alert" not in html
    assert "<img" not in html.replace('<img src="/static', "")
    assert "onerror=alert(1)&gt;" in html


def test_chart_data_is_escaped() -> None:
    html = render(Page(title="x", blocks=(charts.chart(NASTY, [1.0, 2.0], [(NASTY, [1.0, 2.0], "y")]),)))
    assert "<script>alert" not in html


def test_the_error_page_names_the_thing_and_the_next_step() -> None:
    response = error_page(404, f"there is no model {NASTY!r}", "see the Models page")
    assert response.status_code == 404
    text = bytes(response.body).decode()
    assert "there is no model" in text
    assert "see the Models page" in text
    assert "<script>alert" not in text


def test_layers_put_a_step_after_all_it_needs() -> None:
    depends_on = {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"], "e": []}
    assert layout.layers(depends_on) == {"a": 0, "b": 1, "c": 1, "d": 2, "e": 0}
    places, width, height = layout.places(depends_on)
    assert len(set(places.values())) == 5
    assert all(0 <= x <= width and 0 <= y <= height for x, y in places.values())


def test_percentiles_lie_in_their_bucket() -> None:
    counts = [0] * 20
    counts[4] = 100  # 3 to 5 ms
    assert percentile(counts, 0.5) == pytest.approx(4.0)
    assert percentile([0] * 20, 0.5) is None


@pytest.mark.parametrize(("psi", "expected"), [(0, 0), (0.02, 1), (0.15, 2), (0.2, 3), (0.7, 4), (9, 5)])
def test_levels_of_the_heat(psi: float, expected: int) -> None:
    assert level(psi) == expected


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.0123, "12 ms"), (5, "5.0 s"), (65, "1 min 5 s"), (3700, "1 h 1 min")]
)
def test_durations(seconds: float, text: str) -> None:
    assert shown.seconds(seconds) == text


def test_times_out_of_range_are_still_text() -> None:
    assert shown.moment(10**18) == f"{10**18} ms"
    assert shown.ago(None, 0).text == ""
