"""The page and the raw numbers."""

import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.drift.timing import Comparison, Quantity, record, spread
from benchmarks.drift.wanted import judged

TABLES = (
    ("river/", "On arrays, beside River", "values a second"),
    ("frouros/", "On arrays, beside Frouros", "values a second"),
    ("one/", "One value a call, detectors that are O(1), beside River", "values a second"),
    ("logarithmic/", "One value a call, ADWIN, beside River's, which is compiled Rust", "values a second"),
    ("alibi/", "Rows, beside Alibi Detect", "seconds"),
    ("evidently/", "Columns, beside Evidently", "seconds"),
    ("scipy/", "Columns, beside SciPy", "seconds"),
    ("threads/", "Two threads, beside one", "seconds"),
)


class Results(msgspec.Struct, kw_only=True):
    """All that was measured."""

    about: str
    speed: list[Comparison] = []
    quantities: list[Quantity] = []
    missing: dict[str, str] = {}
    """What was not measured, and why."""
    versions: dict[str, dict[str, str]] = {}
    """Of the libraries in each peer's environment."""
    sections: list[str] = []
    """Markdown of what is not speed, ready."""
    pictures: dict[str, str] = {}
    """Its plots, SVG by file name."""
    raw: dict[str, Any] = {}
    """And its numbers."""
    minutes: float = 0.0


def rendered(results: Results) -> str:
    """As Markdown."""
    lines = ["# The drift library, measured", "", machine(results.versions), "", results.about, ""]
    lines += [f"Measured in {results.minutes:.0f} minutes.", ""]
    lines += ["## Speed", ""] if results.speed or results.quantities else []
    for prefix, title, unit in TABLES:
        rows = [each for each in results.speed if each.key.startswith(prefix)]
        if rows:
            lines += [f"### {title}", "", *_comparisons(rows, unit)]
    if results.quantities:
        lines += ["### Alone", "", *_quantities(results.quantities)]
    if results.missing:
        lines += ["### Not measured", ""]
        lines += [f"- {title}: {why}" for title, why in results.missing.items()] + [""]
    return "\n".join([*lines, *results.sections])


def raw(results: Results) -> bytes:
    """As JSON, indented."""
    known = {
        "machine": machine(results.versions),
        "about": results.about,
        "versions": results.versions,
        "missing": results.missing,
        "speed": [{**record(each), **_verdict(each)} for each in results.speed],
        "quantities": [{**record(each), **_verdict(each)} for each in results.quantities],
        **results.raw,
    }
    return msgspec.json.format(msgspec.json.encode(known), indent=1) + b"\n"


def _verdict(found: Comparison | Quantity) -> dict[str, str]:
    wanted, met = judged(found)
    return {"wanted": wanted, "met": met}


def machine(versions: dict[str, dict[str, str]]) -> str:
    """The machine and the versions, in sentences."""
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    ours = ", ".join(f"{name} {version(name)}" for name in ("numpy", "numba", "scipy", "river"))
    apart = "; ".join(
        ", ".join(f"{name} {each}" for name, each in found.items()) for found in versions.values()
    )
    return (
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores ({model}), Python {platform.python_version()}, "
        f"Kedge {version('kedge')}, {ours}{'; in environments of their own: ' + apart if apart else ''}; "
        f"load at the end {os.getloadavg()[2]:.1f} (15 minutes)."
    )


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table's lines and an empty one."""
    bars = ["| " + " | ".join(row) + " |" for row in rows]
    return ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads), *bars, ""]


def _comparisons(found: Sequence[Comparison], unit: str) -> list[str]:
    rows = []
    for each in found:
        if each.values:
            sides = [spread([each.values / s for s in side]) for side in (each.ours, each.theirs)]
        else:
            sides = [spread(side) for side in (each.ours, each.theirs)]
        rows.append([each.title, *sides, spread(each.ratios, "x"), *judged(each), each.note or "-"])
    return table([unit, "Kedge", found[0].rival, "ratio", "wanted", "met", "answers"], rows)


def _quantities(found: Sequence[Quantity]) -> list[str]:
    rows = [
        [each.title, spread(each.found, f" {each.unit}".rstrip()), *judged(each), each.note or "-"]
        for each in found
    ]
    return table(["", "measured", "wanted", "met", ""], rows)
