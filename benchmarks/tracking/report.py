"""The table: medians of rounds with their range, ratios of servers measured in the same round."""

import math
import os
import platform
import statistics
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import msgspec

from benchmarks.tracking.load import Measured
from benchmarks.tracking.operations import Operation
from benchmarks.tracking.servers import KEDGE, NAMES, Weight, commit

POSTGRES_AT_LEAST = 5.0
READY_S_AT_MOST = 2.0
IDLE_MIB_AT_MOST = 150.0
PEAK_MIB_AT_MOST = 300.0


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """One start of one server, and what it weighed some seconds later, asked for nothing."""

    health_s: float
    tracking_s: float
    idle: Weight
    idle_share: float


class Results(msgspec.Struct, kw_only=True):
    """All that was measured."""

    backend: str
    is_postgres: bool
    about: str
    """The settings of the run, in words."""
    measured: dict[str, dict[str, list[Measured]]] = {}
    """By operation and server, a round each."""
    starts: dict[str, list[Start]] = {}
    after: dict[str, Weight] = {}


def rendered(
    results: Results, operations: Sequence[Operation], servers: Sequence[str], extra: str = ""
) -> str:
    """As Markdown."""
    rivals = [name for name in servers if name != KEDGE]
    lines = [f"# Tracking under load, {results.backend}", "", machine(), "", results.about, ""]
    done = [operation for operation in operations if operation.key in results.measured]
    if done:
        lines += _throughput(results, done, servers, rivals) + _latency(results, done, servers)
    if results.starts:
        lines += _weights(results, servers)
    return "\n".join([*lines, *([extra, ""] if extra else [])])


def machine() -> str:
    """The machine and the versions, in a sentence."""
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    return (
        f"{platform.system()} {platform.release()} {platform.machine()}, {os.cpu_count()} cores ({model}), "
        f"{memory_gib:.0f} GiB; Python {platform.python_version()}, Kedge {version('kedge')} ({commit() or 'no commit'}), "
        f"MLflow {version('mlflow')}; load at the end {os.getloadavg()[2]:.1f} (15 minutes)."
    )


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    bars = ["| " + " | ".join(row) + " |" for row in rows]
    return ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads), *bars, ""]


def _throughput(
    results: Results, operations: Sequence[Operation], servers: Sequence[str], rivals: Sequence[str]
) -> list[str]:
    rows = []
    for operation in operations:
        found = results.measured[operation.key]
        row = [operation.title, *(_cell(found.get(name, []), lambda each: each.per_s) for name in servers)]
        ratios = {name: _ratios(found, name) for name in rivals}
        row += [spread(ratio, "x") if ratio else "-" for ratio in ratios.values()]
        rows.append([*row, *_wanted(results, operation, ratios)])
    heads = ["answers per second", *(NAMES[name] for name in servers)]
    heads += [f"Kedge / {NAMES[name]}" for name in rivals]
    return _table([*heads, "wanted", "met"], rows)


def _ratios(found: Mapping[str, list[Measured]], rival: str) -> list[float]:
    pairs = list(zip(found.get(KEDGE, []), found.get(rival, []), strict=False))
    if not pairs or any(each.fault for pair in pairs for each in pair):
        return []
    return [ours.per_s / theirs.per_s for ours, theirs in pairs]


def _wanted(results: Results, operation: Operation, ratios: Mapping[str, list[float]]) -> tuple[str, str]:
    ours = results.measured[operation.key].get(KEDGE, [])
    if not ours:
        return "-", "-"
    at_least = POSTGRES_AT_LEAST if results.is_postgres else operation.at_least
    words, met = [], []
    if at_least:
        words.append(f"{at_least:g}x")
        # The faster of the rivals is the measure.
        least = min((statistics.median(ratio) for ratio in ratios.values() if ratio), default=math.nan)
        met.append(least >= at_least and all(ratios.values()))
    if operation.p50_ms_at_most is not None and not results.is_postgres:
        words.append(f"p50 {operation.p50_ms_at_most:g} ms")
        good = not any(each.fault for each in ours)
        met.append(good and statistics.median(each.p50_ms for each in ours) <= operation.p50_ms_at_most)
    return ", ".join(words) or "-", _verdict(met)


def _verdict(met: Sequence[bool]) -> str:
    return ("yes" if all(met) else "no") if met else "-"


def _latency(results: Results, operations: Sequence[Operation], servers: Sequence[str]) -> list[str]:
    rows = []
    for operation in operations:
        row = [operation.title]
        for name in servers:
            found = results.measured[operation.key].get(name, [])
            row += [_cell(found, lambda each: each.p50_ms), _cell(found, lambda each: each.p99_ms)]
        rows.append(row)
    return _table(["ms", *(f"{NAMES[name]}, {which}" for name in servers for which in ("p50", "p99"))], rows)


def _cell(found: Sequence[Measured], of: Callable[[Measured], float]) -> str:
    faults = [each.fault for each in found if each.fault]
    if faults:
        return "failed: " + faults[0].replace("|", "/").replace("\n", " ")[:120]
    return spread([of(each) for each in found]) if found else "-"


def _weights(results: Results, servers: Sequence[str]) -> list[str]:
    named: tuple[tuple[str, Callable[[Start], float], float | None], ...] = (
        ("seconds from start until /health answers", lambda start: start.health_s, None),
        ("seconds from start until tracking answers", lambda start: start.tracking_s, READY_S_AT_MOST),
        ("idle, all processes, MiB PSS", lambda start: start.idle.tree_pss_mib, None),
        ("idle, all processes, MiB RSS", lambda start: start.idle.tree_rss_mib, None),
        ("idle, the web process, MiB RSS", lambda start: start.idle.web_rss_mib, IDLE_MIB_AT_MOST),
        ("idle, processes", lambda start: float(start.idle.processes), None),
        ("idle, % of one core", lambda start: 100 * start.idle_share, None),
    )
    rows = []
    for title, of, at_most in named:
        values = {name: [of(start) for start in results.starts.get(name, [])] for name in servers}
        rows.append(
            [title, *(spread(each) if each else "-" for each in values.values()), *_limit(values, at_most)]
        )
    if results.after:
        peaks = {name: [weight.web_peak_mib] for name, weight in results.after.items()}
        totals = {name: [weight.tree_pss_mib] for name, weight in results.after.items()}
        for title, values, at_most in (
            ("after all of it, all processes, MiB PSS", totals, None),
            ("the web process at its highest, MiB RSS", peaks, PEAK_MIB_AT_MOST),
        ):
            rows.append([title, *(spread(values[name]) for name in servers), *_limit(values, at_most)])
    return _table(["process", *(NAMES[name] for name in servers), "wanted", "met"], rows)


def _limit(values: Mapping[str, list[float]], at_most: float | None) -> tuple[str, str]:
    ours = values.get(KEDGE)
    if at_most is None or not ours:
        return "-", "-"
    return f"<= {at_most:g}", _verdict([statistics.median(ours) <= at_most])


def spread(values: Sequence[float], unit: str = "") -> str:
    """Median and range, three digits each."""
    middle = _short(statistics.median(values)) + unit
    return middle if len(values) == 1 else f"{middle} ({_short(min(values))} to {_short(max(values))})"


def _short(value: float) -> str:
    if value >= 100 or value == 0:
        return f"{value:,.0f}"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:.{digits}f}"
