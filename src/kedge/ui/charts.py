"""Data for uPlot, sparklines, and distributions as bars."""

import itertools
from collections.abc import Sequence
from typing import Any

import msgspec

from kedge.core.monitors import ColumnResult
from kedge.ui.blocks import Bar, Chart, Distribution

_WIDTH, _HEIGHT = 640.0, 160.0
_MOST_BARS = 24
_LABEL_LENGTH = 9


def chart(
    title: str,
    x: Sequence[float],
    series: Sequence[tuple[str, Sequence[float | None], str]],
    *,
    kind: str = "time",
    marks: Sequence[tuple[float, str, str]] = (),
    note: str = "",
) -> Chart:
    """Lines (label, values, axis `y` or `y2`) over `x`: seconds since 1970 for `time`, else numbers.

    `marks` are (x, label, tone) drawn as upright lines.
    """
    data: dict[str, Any] = {
        "kind": kind,
        "x": list(x),
        "series": [{"label": label, "values": list(values), "axis": axis} for label, values, axis in series],
        "marks": [{"x": at, "label": label, "tone": tone} for at, label, tone in marks],
    }
    ends = [f"{label}: {_last(values)}" for label, values, _ in series]
    return Chart(title=title, data=msgspec.json.encode(data).decode(), summary="; ".join(ends), note=note)


def _last(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{known[-1]:.4g} at the end" if known else "no values"


def spark(values: Sequence[float]) -> str:
    """Points of a line 100 wide and 22 high."""
    if len(values) < 2:
        return ""
    top = max(values) or 1.0
    step = 100 / (len(values) - 1)
    return " ".join(f"{index * step:.1f},{20 - 18 * value / top:.1f}" for index, value in enumerate(values))


def distribution(result: ColumnResult, title: str, note: str) -> Distribution:
    """Reference and current shares of a result on its bins."""
    shares = [_shares(result.reference), _shares(result.current)]
    names = _names(result)
    if len(names) > _MOST_BARS + 6:
        shares, names = [each[:_MOST_BARS] for each in shares], names[:_MOST_BARS]
    top = max([*shares[0], *shares[1]], default=0) or 1.0
    slot = _WIDTH / max(len(names), 1)
    bars = []
    for place, name in enumerate(names):
        for half, (which, values) in enumerate(zip(("reference", "current"), shares, strict=True)):
            height = _HEIGHT * values[place] / top
            bars.append(
                Bar(
                    x=round(place * slot + slot * (0.08 + 0.42 * half), 2),
                    y=round(_HEIGHT - height, 2),
                    width=round(slot * 0.42, 2),
                    height=round(height, 2),
                    which=which,
                    title=f"{name}: {which} {100 * values[place]:.1f} %",
                )
            )
    return Distribution(
        title=title,
        width=_WIDTH,
        height=_HEIGHT,
        bars=tuple(bars),
        labels=_labels(result, names, slot),
        note=note,
    )


def histogram(bins: Sequence[float], counts: Sequence[int]) -> str:
    """A small outline of a column's histogram, as points of a line."""
    return spark([float(count) for count in counts]) if len(counts) > 1 and len(bins) > 1 else ""


def _shares(counts: Sequence[float]) -> list[float]:
    total = sum(counts) or 1.0
    return [count / total for count in counts]


def _names(result: ColumnResult) -> list[str]:
    if len(result.bins) == len(result.reference):
        return [str(each) for each in result.bins]
    edges = [float(edge) for edge in result.bins]
    return [f"{low:.4g} to {high:.4g}" for low, high in itertools.pairwise(edges)]


def _labels(result: ColumnResult, names: list[str], slot: float) -> tuple[tuple[float, str], ...]:
    if len(result.bins) == len(result.reference):
        fits = max(1, round(48 / slot))
        return tuple(
            (round(place * slot + slot * 0.08, 1), name[:_LABEL_LENGTH])
            for place, name in enumerate(names)
            if place % fits == 0
        )
    edges = [float(edge) for edge in result.bins]
    every = max(1, len(edges) // 6)
    return tuple(
        (round(place * slot, 1), f"{edge:.4g}") for place, edge in enumerate(edges[:-1]) if place % every == 0
    )
