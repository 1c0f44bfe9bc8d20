"""Every page on an empty platform and on the played demo: it renders, its links lead somewhere, its numbers are the stored."""

import re
import time
import urllib.parse
import urllib.request
from html.parser import HTMLParser

import httpx
import pytest
from tests.conftest import Platform

pytestmark = pytest.mark.acceptance

LISTS = (
    "/",
    "/runs",
    "/models",
    "/datasets",
    "/pipelines",
    "/endpoints",
    "/monitors",
    "/alerts",
    "/search?q=a",
)
SLOWEST_S = 0.2


class Links(HTMLParser):
    """Addresses of a page, and anything that the policy would refuse."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.refused: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if "style" in given or any(name.startswith("on") for name in given):
            self.refused.append(str(attrs))
        if tag in ("script",) and not given.get("src"):
            self.refused.append("inline script")
        for name in ("href", "src"):
            if given.get(name):
                self.found.add(str(given[name]))


def links_of(html: str) -> Links:
    parser = Links()
    parser.feed(html)
    return parser


@pytest.mark.parametrize("path", LISTS)
def test_an_empty_platform_says_what_to_do_next(platform: Platform, path: str) -> None:
    reply = httpx.get(platform.web + path)
    assert reply.status_code == 200
    assert 'class="empty"' in reply.text


def test_every_link_of_every_page_leads_somewhere(demo_platform: Platform) -> None:
    """Walk from the home page over all pages; MLflow's own are asked in the browser test."""
    waiting, seen, slow = ["/"], set(), []
    with httpx.Client(base_url=demo_platform.web) as client:
        while waiting:
            path = waiting.pop()
            if path in seen or len(seen) > 600:
                continue
            seen.add(path)
            begun = time.perf_counter()
            reply = client.get(path)
            took = time.perf_counter() - begun
            assert reply.status_code == 200, path
            if not reply.headers["content-type"].startswith("text/html"):
                continue
            if took > SLOWEST_S:
                slow.append((path, took))
            links = links_of(reply.text)
            assert not links.refused, (path, links.refused)
            for href in sorted(links.found):
                target = urllib.parse.urldefrag(urllib.parse.urljoin(path, href))[0]
                assert not target.startswith("http"), (path, href)
                if "sort" in target and "?" in path:
                    continue  # every order of every table of every state of a page: one of each is enough
                if target.startswith("/") and not target.startswith("/mlflow"):
                    waiting.append(target)
    assert len(seen) > 60
    for section in ("/models/flights", "/endpoints/flights", "/monitors/flights-drift", "/datasets/flights"):
        assert section in seen
    print(f"{len(seen)} addresses; pages slower than 200 ms:", slow)


def test_the_heat_shows_the_stored_numbers(demo_platform: Platform) -> None:
    with httpx.Client(base_url=demo_platform.web) as client:
        html = client.get("/monitors/flights-drift").text
        runs = client.get("/api/kedge/v1/monitors/flights-drift/runs").json()
        for run in runs:
            results = client.get(f"/api/kedge/v1/monitor-runs/{run['id']}").json()["results"]
            psi = {
                r["column"]: r["statistic"] for r in results if r["detector"] == "PopulationStabilityIndex"
            }
            for column, value in psi.items():
                cell = re.search(
                    rf'run={run["id"]}&amp;column={column}#distribution" title="[^"]*PSI ([0-9.]+), (no )?drift"',
                    html,
                )
                assert cell, (run["id"], column)
                assert float(cell.group(1)) == pytest.approx(value, abs=6e-4)
            drifted = sum(r["drift"] for r in results if r["detector"] == "verdict")
            assert drifted / len(psi) == pytest.approx(run["drift_share"])


def test_tables_sort_and_filter_by_url(demo_platform: Platform) -> None:
    with httpx.Client(base_url=demo_platform.web) as client:
        up = re.findall(r'href="/runs/([0-9a-f]{32})"', client.get("/runs?sort=metrics.auc").text)
        down = re.findall(r'href="/runs/([0-9a-f]{32})"', client.get("/runs?sort=-metrics.auc").text)
        assert len(up) >= 2
        assert up == down[::-1]
        none = client.get("/runs?q=no-such-run-anywhere").text
        assert 'class="empty"' in none
        failed = client.get("/pipelines?state=failed").text
        assert 'class="empty"' in failed
        assert client.get("/runs?page=-4").status_code == 200
        refused = client.get("/runs", params={"sort": "; DROP TABLE runs"})
        assert refused.status_code == 422
        assert "DROP TABLE runs" in refused.text


@pytest.mark.parametrize(
    "path",
    [
        "/nope",
        "/runs/0",
        "/models/none",
        "/datasets/none",
        "/datasets/flights/77",
        "/pipelines/0",
        "/endpoints/none",
        "/monitors/none",
        "/alerts/0",
    ],
)
def test_what_is_not_there_is_a_page_that_says_so(demo_platform: Platform, path: str) -> None:
    reply = httpx.get(demo_platform.web + path)
    assert reply.status_code == 404
    assert "<main" in reply.text
    assert "notice" in reply.text


def test_acknowledging_and_rolling_back_from_the_pages(demo_platform: Platform) -> None:
    with httpx.Client(base_url=demo_platform.web) as client:
        alert = client.get("/api/kedge/v1/alerts?state=open").json()[-1]
        done = client.post(f"/alerts/{alert['id']}/acknowledge")
        assert done.status_code == 303
        states = {a["id"]: a["state"] for a in client.get("/api/kedge/v1/alerts").json()}
        assert states[alert["id"]] == "acknowledged"
        refused = client.post(f"/alerts/{alert['id']}/acknowledge", headers={"origin": "http://evil.example"})
        assert refused.status_code == 403


def test_acknowledging_in_the_inbox_leads_back_to_it_and_nowhere_else(demo_platform: Platform) -> None:
    with httpx.Client(base_url=demo_platform.web) as client:
        found = client.get("/api/kedge/v1/alerts").json()
        alert = next(each for each in found if "PageHinkley" in each["message"])  # others are for the browser
        asked = f"/alerts/{alert['id']}/acknowledge"
        for back, leads in (
            ("/alerts?state=open", "/alerts?state=open"),
            ("/alerts", "/alerts"),
            ("//evil.example", f"/alerts/{alert['id']}"),
            ("/alerts.evil.example", f"/alerts/{alert['id']}"),
        ):
            assert client.post(asked, params={"back": back}).headers["location"] == leads
