"""Plots of `kedge drift`: a stream with its changes, columns of two files one over the other."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kedge.app.drift_streams import StreamRun
from kedge.core.errors import Invalid, MissingExtra

_ACROSS = 3
_MOST = 90
"""Columns drawn, those that drift first: more make an image larger than can be written."""


def plot_stream(run: StreamRun, columns: Sequence[str], target: Path) -> None:
    """Draw the values and the statistic, with lines at the changes, into a .png or .svg file.

    Raises
    ------
    MissingExtra
        Matplotlib is not installed.
    Invalid
        The file has another ending.
    """
    figure = _figure(target, (10, 5))
    above, below = figure.subplots(2, 1, sharex=True)
    above.plot(run.values, linewidth=0.6)
    above.set_ylabel(", ".join(columns))
    below.plot(run.statistics, linewidth=0.8, color="black")
    below.set_ylabel("statistic")
    below.set_xlabel("row")
    for axes in (above, below):
        for rows, color in ((run.warnings, "orange"), (run.drifts, "red")):
            for row in rows:
                axes.axvline(row, color=color, linewidth=0.8, alpha=0.7)
    above.set_title(run.detector, fontsize=8, wrap=True)
    figure.savefig(target)


def plot_columns(histograms: Mapping[str, Mapping[str, Any]], drifted: Sequence[str], target: Path) -> None:
    """Draw the shares of every column in both files into a .png or .svg file; raises as `plot_stream`."""
    shown = sorted(histograms, key=lambda name: name not in drifted)[:_MOST]
    down = math.ceil(len(shown) / _ACROSS)
    figure = _figure(target, (4 * _ACROSS, 2.6 * down))
    places = figure.subplots(down, _ACROSS, squeeze=False).ravel()
    for axes, name in zip(places, shown, strict=False):
        _draw(axes, histograms[name])
        axes.set_title(f"{name}: drift" if name in drifted else name, fontsize=9, parse_math=False)
    places[0].legend(fontsize=7)
    for axes in places[len(shown) :]:
        axes.set_axis_off()
    figure.savefig(target)


def check_target(target: Path) -> None:
    """Refuse what cannot be drawn before work is done for it; raises as `plot_stream`."""
    _figure(target, (1, 1))


def _draw(axes: Any, histogram: Mapping[str, Any]) -> None:
    bins = histogram["bins"]
    for whose, color in (("reference", "tab:blue"), ("current", "tab:red")):
        shares = histogram[whose]
        if len(bins) == len(shares) + 1:
            axes.stairs(shares, bins, label=whose, color=color, fill=True, alpha=0.4)
        else:
            shift = -0.2 if whose == "reference" else 0.2
            axes.bar(np.arange(len(shares)) + shift, shares, 0.4, label=whose, color=color, alpha=0.6)
    if len(bins) == len(histogram["reference"]):
        axes.set_xticks(
            range(len(bins)), [each[:12] for each in bins], rotation=60, fontsize=6, parse_math=False
        )


def _figure(target: Path, size: tuple[float, float]) -> Any:
    if target.suffix not in (".png", ".svg"):
        raise Invalid(f"--plot {target}: cannot draw this kind of file", hint="name a .png or .svg file")
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtra(
            "--plot needs Matplotlib", hint="install it with the extra: pip install 'kedge[mlflow]'"
        ) from error
    return Figure(figsize=size, layout="constrained")
