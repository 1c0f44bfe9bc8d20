"""Endpoints: what answers, its traffic and its history."""

from kedge.core.deployments import LATENCY_BUCKETS_MS, Deployment, TrafficMinute
from kedge.core.services import Services
from kedge.ui import charts, shown, tables
from kedge.ui.blocks import Action, Cell, Chart, Code, Notice, Page, Table, Tile, Tiles
from kedge.ui.pages.home import endpoints_table

_MINUTE_MS = 60_000
_SHOWN_MINUTES = 360


def endpoints(services: Services) -> Page:
    """All endpoints."""
    return Page(
        title="Endpoints", section="endpoints", blocks=(endpoints_table(services, services.clock.now_ms()),)
    )


def endpoint(services: Services, name: str) -> Page:
    """Live version, traffic, latency, history, monitors, and how to ask."""
    now_ms = services.clock.now_ms()
    found = services.deployments.endpoint(name)
    history = services.deployments.history(name)
    live = next((each for each in history if each.id == found.live), None)
    minutes = services.deployments.traffic(name)[-_SHOWN_MINUTES:]
    blocks: list[object] = []
    wanted = next((each for each in history if each.id == found.wanted), None)
    if wanted is not None and wanted.state == "failed":
        words = f"version {wanted.model_version} of {wanted.model_name} could not be loaded: {wanted.error}"
        blocks.append(Notice(tone="bad", text=words, hint="What was live before still answers."))
    blocks += [
        _tiles(services, name, live, minutes),
        *_traffic(minutes),
        tables.deployments(history, now_ms, "Deployments"),
    ]
    blocks.append(_monitors(services, name, now_ms))
    blocks.append(tables.alerts(services.monitors.alerts(endpoint=name, limit=20), now_ms, title="Alerts"))
    blocks.append(Code(title="Ask it", text=example(services.addresses.serving, name)))
    can_go_back = sum(1 for each in history if each.live_ms is not None) > 1
    back = Action(
        label="Roll back",
        action=shown.to("endpoints", name, "rollback"),
        confirm=f"Let the version before answer on {name} again?",
    )
    return Page(
        title=name,
        section="endpoints",
        crumbs=(shown.link("Endpoints", "/endpoints"),),
        tags=(shown.state("live" if live else "pending"),),
        actions=(back,) if can_go_back else (),
        blocks=tuple(blocks),
        live=any(each.state in ("pending", "loading") for each in history),
    )


def _tiles(services: Services, name: str, live: Deployment | None, minutes: list[TrafficMinute]) -> Tiles:
    requests, errors = sum(m.requests for m in minutes), sum(m.errors for m in minutes)
    counts = _summed(minutes)
    tiles = [
        Tile(
            label="Answers",
            value=f"{live.model_name} v{live.model_version}" if live else "nothing",
            href=shown.to("models", live.model_name) if live else "",
        ),
        Tile(
            label="Requests shown",
            value=f"{requests:,}",
            note=f"{errors:,} errors",
            tone="bad" if errors else "",
        ),
        Tile(label="Rows logged", value=f"{services.inference.rows(name):,}"),
    ]
    for share in (0.5, 0.95, 0.99):
        value = percentile(counts, share)
        tiles.append(
            Tile(label=f"p{share * 100:.0f} latency", value="-" if value is None else f"{value:.1f} ms")
        )
    return Tiles(tiles=tuple(tiles))


def _summed(minutes: list[TrafficMinute]) -> list[int]:
    total = [0] * (len(LATENCY_BUCKETS_MS) + 1)
    for minute in minutes:
        for place, count in enumerate(minute.latency_ms_counts):
            total[place] += count
    return total


def percentile(counts: list[int], share: float) -> float | None:
    """The latency below which `share` of the requests lie, straight between the edges of its bucket."""
    total = sum(counts)
    if not total:
        return None
    wanted, before = share * total, 0
    edges = [0.0, *LATENCY_BUCKETS_MS, LATENCY_BUCKETS_MS[-1]]
    for place, count in enumerate(counts):
        if before + count >= wanted and count:
            low, high = edges[place], edges[place + 1]
            return low + (high - low) * (wanted - before) / count
        before += count
    return LATENCY_BUCKETS_MS[-1]


def _traffic(minutes: list[TrafficMinute]) -> list[Chart]:
    if not minutes:
        return []
    by_minute: dict[int, list[TrafficMinute]] = {}
    for minute in minutes:
        by_minute.setdefault(minute.minute_ms, []).append(minute)
    first, last = min(by_minute), max(by_minute)
    # Minutes without traffic are zeros, up to a screenful: a gap must not look like a line.
    start = max(first, last - _SHOWN_MINUTES * _MINUTE_MS)
    times = list(range(start, last + _MINUTE_MS, _MINUTE_MS))
    groups = [by_minute.get(at, []) for at in times]
    x = [at / 1000 for at in times]
    rates = charts.chart(
        "Traffic a minute",
        x,
        [
            ("requests", [float(sum(m.requests for m in group)) for group in groups], "y"),
            ("rows", [float(sum(m.rows for m in group)) for group in groups], "y2"),
            ("errors", [float(sum(m.errors for m in group)) for group in groups], "y"),
        ],
    )
    latency = charts.chart(
        "Latency (ms)",
        x,
        [
            (f"p{share * 100:.0f}", [percentile(_summed(group), share) for group in groups], "y")
            for share in (0.5, 0.95, 0.99)
        ],
        note="From bucket counts; straight between the edges of a bucket.",
    )
    return [rates, latency]


def _monitors(services: Services, name: str, now_ms: int) -> Table:
    rows = tuple(
        (
            shown.link(monitor.name, shown.to("monitors", monitor.name)),
            Cell(text=monitor.kind),
            Cell(text=monitor.period),
            Cell(
                text=", ".join(f"{key} {value:g}" for key, value in monitor.alert_when.items())
                or "a detected change"
            ),
            shown.ago(monitor.created_ms, now_ms),
        )
        for monitor in services.monitors.monitors(endpoint=name)
    )
    heads = tables.headings("monitor", "kind", "every", "alerts on", "made")
    return Table(
        title="Monitors",
        headings=heads,
        rows=rows,
        empty="Nothing watches this endpoint:",
        command="kedge.monitor.drift(...)",
    )


def example(serving_url: str, name: str) -> str:
    """Commands that ask the endpoint."""
    url = f"{serving_url}/v2/models/{name}"
    body = '{"inputs": [{"name": "COLUMN", "shape": [1], "datatype": "FP64", "data": [1.0]}]}'
    return f"# what it takes\ncurl {url}\n# ask (Open Inference Protocol v2; one input a column)\ncurl -X POST {url}/infer -H 'content-type: application/json' -d '{body}'"
