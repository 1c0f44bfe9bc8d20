"""Places for the steps of a run: layers from left to right, each step after all that it depends on."""

from collections.abc import Mapping, Sequence

NODE_WIDTH, NODE_HEIGHT = 190.0, 52.0
_GAP_X, _GAP_Y, _MARGIN = 64.0, 22.0, 12.0


def layers(depends_on: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """The layer of every step: one more than the furthest that it depends on.

    Examples
    --------
    >>> layers({"a": [], "b": ["a"], "c": ["a", "b"]})
    {'a': 0, 'b': 1, 'c': 2}
    """
    found: dict[str, int] = {}
    for name, needs in depends_on.items():
        found[name] = 1 + max((found.get(need, 0) for need in needs), default=-1)
    return found


def places(depends_on: Mapping[str, Sequence[str]]) -> tuple[dict[str, tuple[float, float]], float, float]:
    """(x, y) of every step's box, and the drawing's width and height."""
    by_layer: dict[int, list[str]] = {}
    for name, layer in layers(depends_on).items():
        by_layer.setdefault(layer, []).append(name)
    tallest = max((len(names) for names in by_layer.values()), default=1)
    height = tallest * NODE_HEIGHT + (tallest - 1) * _GAP_Y
    found = {}
    for layer, names in by_layer.items():
        used = len(names) * NODE_HEIGHT + (len(names) - 1) * _GAP_Y
        top = _MARGIN + (height - used) / 2
        for row, name in enumerate(names):
            found[name] = (_MARGIN + layer * (NODE_WIDTH + _GAP_X), top + row * (NODE_HEIGHT + _GAP_Y))
    width = 2 * _MARGIN + len(by_layer) * NODE_WIDTH + max(0, len(by_layer) - 1) * _GAP_X
    return found, width, height + 2 * _MARGIN


def edge(start: tuple[float, float], end: tuple[float, float]) -> str:
    """The path of a curve from one box's right side to another's left."""
    x1, y1 = start[0] + NODE_WIDTH, start[1] + NODE_HEIGHT / 2
    x2, y2 = end[0], end[1] + NODE_HEIGHT / 2
    bend = max(24.0, (x2 - x1) / 2)
    return f"M{x1:.1f},{y1:.1f}C{x1 + bend:.1f},{y1:.1f} {x2 - bend:.1f},{y2:.1f} {x2:.1f},{y2:.1f}"
