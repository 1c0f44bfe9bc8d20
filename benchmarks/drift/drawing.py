"""Plots as plain SVG: lines over a logarithmic axis, and a mark for each row and series."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from html import escape

COLORS = (
    "#1f5fa8",
    "#c8501e",
    "#2f8a3c",
    "#8b4aa8",
    "#b8860b",
    "#0f8b8d",
    "#a83250",
    "#5a5a5a",
    "#6b8e23",
    "#d2691e",
)
FONT = 'font-family="sans-serif" font-size="12"'


@dataclasses.dataclass(frozen=True)
class Box:
    """Where in the picture the data lie."""

    left: float
    top: float
    width: float
    height: float


def lines(
    title: str, across: str, along: str, series: Mapping[str, Sequence[tuple[float, float]]], level: float
) -> str:
    """Shares between 0 and 1 over numbers on a logarithmic axis, and a dashed line at `level`."""
    box = Box(60, 40, 460, 300)
    xs = sorted({x for points in series.values() for x, _ in points})
    low, high = math.log(min(xs)), math.log(max(xs))

    def place(x: float, y: float) -> tuple[float, float]:
        share = (math.log(x) - low) / (high - low) if high > low else 0.5
        return box.left + share * box.width, box.top + (1 - y) * box.height

    parts = [_text(box.left, 22, title, "start", 14)]
    for tick in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0):
        _, y = place(xs[0], tick)
        parts += [_rule(box.left, y, box.left + box.width, y), _text(box.left - 8, y + 4, f"{tick:g}", "end")]
    for x in xs:
        at, _ = place(x, 0)
        parts.append(_text(at, box.top + box.height + 18, f"{x:g}", "middle"))
    parts.append(_text(box.left + box.width / 2, box.top + box.height + 38, across, "middle"))
    parts.append(f'<g transform="rotate(-90 18 {box.top + box.height / 2})">')
    parts += [_text(18, box.top + box.height / 2, along, "middle"), "</g>"]
    _, y = place(xs[0], level)
    parts.append(_rule(box.left, y, box.left + box.width, y, 'stroke="#888" stroke-dasharray="4 3"'))
    for number, points in enumerate(series.values()):
        color = COLORS[number % len(COLORS)]
        placed = [place(x, y) for x, y in points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="1.8"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.6" fill="{color}"/>' for x, y in placed]
    return _picture(box.left + box.width + 230, box.top + box.height + 56, parts + _legend(series, box))


def dots(title: str, across: str, rows: Mapping[str, Mapping[str, float]], most: float) -> str:
    """For each row, a mark for each series between 0 and `most`; rows are drawn in the given order."""
    box = Box(210, 40, 420, 24.0 * len(rows))
    names = list(dict.fromkeys(name for row in rows.values() for name in row))
    parts = [_text(20, 22, title, "start", 14)]
    for step in range(6):
        x = box.left + box.width * step / 5
        parts.append(_rule(x, box.top, x, box.top + box.height))
        parts.append(_text(x, box.top + box.height + 18, f"{most * step / 5:,.0f}", "middle"))
    parts.append(_text(box.left + box.width / 2, box.top + box.height + 38, across, "middle"))
    for number, (label, row) in enumerate(rows.items()):
        y = box.top + 24.0 * number + 12
        parts += [_text(box.left - 10, y + 4, label, "end"), _rule(box.left, y, box.left + box.width, y)]
        for name, value in row.items():
            color = COLORS[names.index(name) % len(COLORS)]
            x = box.left + box.width * min(value / most, 1.0)
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{color}" fill-opacity="0.8"/>')
    height = max(box.top + box.height + 56, box.top + 20 * len(names) + 10)
    return _picture(box.left + box.width + 150, height, parts + _legend(dict.fromkeys(names), box))


def _legend(names: Mapping[str, object], box: Box) -> list[str]:
    parts = []
    for number, name in enumerate(names):
        x, y = box.left + box.width + 20, box.top + 10 + 20 * number
        color = COLORS[number % len(COLORS)]
        parts += [f'<circle cx="{x}" cy="{y}" r="5" fill="{color}"/>', _text(x + 12, y + 4, name, "start")]
    return parts


def _text(x: float, y: float, words: str, anchor: str, size: int = 12) -> str:
    font = FONT.replace('"12"', f'"{size}"')
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="#222" {font}>{escape(words)}</text>'


def _rule(x: float, y: float, to_x: float, to_y: float, style: str = 'stroke="#ddd"') -> str:
    return f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}" {style}/>'


def _picture(width: float, height: float, parts: Sequence[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}">'
    return "\n".join(
        [head, f'<rect width="{width:.0f}" height="{height:.0f}" fill="#fff"/>', *parts, "</svg>", ""]
    )
