"""Plots of `kedge drift`: a stream with its changes, columns of two files one over the other."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import wrap
from typing import Any

import numpy as np

from kedge.app.drift_streams import StreamRun
from kedge.core.errors import Invalid, MissingExtra

_ACROSS = 3
_NAMED = 4
_ROLLING = 100
_MOST = 90
"""Columns drawn, those that drift first: more make an image larger than can be written."""


def plot_stream(run: StreamRun, columns: Sequence[str], target: Path) -> None:
    """Draw the values and the statistic, with lines at the changes, into a .png or .svg file.

    A stream of zeros and ones is drawn as its mean over the last values, the values themselves faintly.

    Raises
    ------
    MissingExtra
        Matplotlib is not installed.
    Invalid
        The file has another ending, or cannot be written there.
    """
    figure = _figure(target, (10, 5.5))
    above, below = figure.subplots(2, 1, sharex=True)
    for name, values in zip(columns, run.values.reshape(len(run.values), -1).T, strict=True):
        _draw_stream(above, name, values)
    above.set_ylabel(", ".join(columns) if len(columns) <= _NAMED else "values", parse_math=False)
    below.plot(run.statistics, linewidth=0.7, color="black", label="statistic")
    if math.isfinite(run.alarm_level):
        below.axhline(run.alarm_level, color="red", linewidth=0.8, linestyle="--", label="alarm level")
    below.set_ylabel("\n".join(wrap(run.measures or "statistic", 36)), fontsize=7, parse_math=False)
    below.set_xlabel("row")
    for axes in (above, below):
        _draw_marks(axes, run)
        axes.legend(fontsize=7, loc="upper left")
    above.set_title(run.detector, fontsize=8, wrap=True, parse_math=False)
    _save(figure, target)


def _draw_stream(axes: Any, name: str, values: Any) -> None:
    if not np.isin(values[np.isfinite(values)], (0.0, 1.0)).all():
        axes.plot(values, linewidth=0.6, label=name.replace("$", r"\$"))
        return
    width = max(2, min(_ROLLING, len(values) // 10))
    known = np.isfinite(values)
    sums, counts = (
        np.cumsum(np.concatenate([[0.0], each])) for each in (np.where(known, values, 0.0), known)
    )
    ends = np.arange(1, len(values) + 1)
    begins = np.maximum(ends - width, 0)
    with np.errstate(invalid="ignore"):
        means = (sums[ends] - sums[begins]) / (counts[ends] - counts[begins])
    (line,) = axes.plot(means, linewidth=0.8, label=f"{name}, mean of the last {width}".replace("$", r"\$"))
    axes.plot(values, ".", markersize=1, alpha=0.25, color=line.get_color())


def _draw_marks(axes: Any, run: StreamRun) -> None:
    """Warnings, which may be many in a row, as ticks at the foot; alarms as thin lines over them."""
    foot = axes.get_xaxis_transform()
    if run.warnings:
        axes.vlines(run.warnings, 0, 0.05, transform=foot, color="orange", linewidth=0.5, label="warning")
    if run.drifts:
        axes.vlines(run.drifts, 0, 1, transform=foot, color="red", linewidth=0.6, zorder=3, label="alarm")


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
    _save(figure, target)


def check_target(target: Path) -> None:
    """Refuse what cannot be drawn before work is done for it; raises as `plot_stream`."""
    _figure(target, (1, 1))
    if not target.parent.is_dir():
        raise Invalid(f"--plot {target}: there is no folder {target.parent}", hint="make it first")


def _save(figure: Any, target: Path) -> None:
    try:
        figure.savefig(target)
    except OSError as error:
        raise Invalid(
            f"--plot {target}: cannot be written: {error.strerror or error}", hint="name another file"
        ) from error


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
