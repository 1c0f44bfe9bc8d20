"""The parts of the page on delays and power, and their plots."""

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.drift import concepts, drawing, power, quality
from benchmarks.drift.power import Share
from benchmarks.drift.quality import Setting, Tally
from benchmarks.drift.report import table
from benchmarks.drift.timing import short

NORMAL = "normal"


def delays(effort: quality.Effort, settings: Sequence[Setting], tallies: Sequence[Tally]) -> list[str]:
    """Markdown: what was done, and a table for errors, for values, and for each generator."""
    generators = list(dict.fromkeys(each.source for each in tallies if each.source != NORMAL))
    lines = [
        "## Delays at one run length",
        "",
        (
            f"Every detector's threshold is set by `calibrate` so that {effort.arl0:,.0f} values pass to a false alarm, for each "
            f"source; {effort.streams} streams of each source and shape. A change comes {concepts.BEFORE:,} values (less up to "
            f"100) after the start, is complete after {concepts.WIDTH:,} where it is gradual or incremental, is undone after as "
            f"many where it recurs (two changes), and the stream ends {concepts.AFTER:,} values later. MTD: mean number of values "
            "from a change's beginning to its first alarm, of the changes detected; in brackets the share of changes missed. "
            "False: alarms before any change, for 1,000 values. F1 takes the first alarm after a change for right and every "
            "other for false; the dummies that alarm every so often show what such a score is worth."
        ),
        "",
        "### Errors of naive Bayes on " + ", ".join(generators),
        "",
        "![Delays on errors](drift/delay-errors.svg)",
        "",
    ]
    of_errors = [each for each in tallies if each.source != NORMAL]
    of_values = [each for each in tallies if each.source == NORMAL]
    lines += _delay_table(of_errors, [each for each in settings if each.source != NORMAL])
    lines += ["### The same, abrupt, by generator: MTD (missed)", "", *_by_generator(of_errors, generators)]
    lines += [f"### Normal values, their mean moves by {quality.SHIFT:g}", ""]
    lines += ["![Delays on values](drift/delay-values.svg)", ""]
    lines += _delay_table(of_values, [each for each in settings if each.source == NORMAL])
    return lines


def _names(tallies: Sequence[Tally]) -> list[str]:
    return list(dict.fromkeys(each.detector for each in tallies))


def _delay_table(tallies: Sequence[Tally], settings: Sequence[Setting]) -> list[str]:
    rows = []
    for name in _names(tallies):
        own = [each for each in tallies if each.detector == name]
        cells = [_delay([each for each in own if each.shape == shape]) for shape in concepts.SHAPES]
        false = 1000 * sum(each.false for each in own) / sum(each.before for each in own)
        f1 = statistics.mean(each.f1 for each in own)
        rows.append([name, *cells, short(false), _run_lengths(name, settings), f"{f1:.2f}"])
    return table(["", *concepts.SHAPES, "false", "ARL0 measured", "F1"], rows)


def _delay(tallies: Sequence[Tally]) -> str:
    found = [delay for each in tallies for delay in each.delays]
    changes = sum(each.changes for each in tallies)
    if not changes:
        return "-"
    missed = f"({100 * (1 - len(found) / changes):.0f} %)"
    return f"{statistics.mean(found):,.0f} {missed}" if found else f"- {missed}"


def _run_lengths(name: str, settings: Sequence[Setting]) -> str:
    """Median and range over the sources, on values that the threshold was not set by."""
    own = [each for each in settings if each.detector == name]
    if not own:
        return "-"
    found = sorted(own, key=lambda each: each.run_length)
    middle, low, high = (_run_length(found[place]) for place in (len(found) // 2, 0, -1))
    told = middle if len(own) == 1 else f"{middle} ({low} to {high})"
    notes = list(dict.fromkeys(each.note for each in own if each.note))
    return "; ".join([told, *notes])


def _run_length(setting: Setting) -> str:
    return f"{setting.run_length:,.0f}" if setting.alarms else f"over {setting.steady:,}"


def _by_generator(tallies: Sequence[Tally], generators: Sequence[str]) -> list[str]:
    rows = [
        [
            name,
            *(
                _delay([t for t in tallies if (t.detector, t.source, t.shape) == (name, source, "abrupt")])
                for source in generators
            ),
        ]
        for name in _names(tallies)
    ]
    return table(["", *generators], rows)


def powers(shares: Sequence[Share]) -> list[str]:
    """Markdown: levels with their exact intervals, and the power by the window's size."""
    runs = {each.kind: each.runs for each in shares}
    lines = [
        "## Power of the batch tests",
        "",
        (
            f"p < {power.ALPHA:g}; references of {power.REFERENCE} standard normal values, or rows of {power.DIMENSION} such; "
            f"{runs['columns']} pairs of samples (of rows {runs['rows']}). Shift: the mean is 0.3. Scale: the deviation is 1.4. "
            "Shape: mean and deviation stay, but there are two hills. Level: windows without a change, all sizes together, with "
            "Clopper and Pearson's interval (95 %)."
        ),
        "",
    ]
    for kind in ("columns", "rows"):
        own = [each for each in shares if each.kind == kind]
        lines += [f"### Tests of {kind}", ""]
        changes = [change for change in power.CHANGES if change != "none"]
        lines += [f"![Power, {change}](drift/power-{kind}-{change}.svg)" for change in changes]
        sizes = sorted({each.n for each in own})
        heads = ["", "level", *(f"{change}, {n}" for change in changes for n in sizes)]
        rows = []
        for name in dict.fromkeys(each.detector for each in own):
            cells = [_level([each for each in own if each.detector == name and each.change == "none"])]
            for change in changes:
                for n in sizes:
                    cells += [
                        f"{each.share:.2f}"
                        for each in own
                        if (each.detector, each.change, each.n) == (name, change, n)
                    ]
            rows.append([name, *cells])
        lines += ["", *table(heads, rows)]
    return lines


def _level(shares: Sequence[Share]) -> str:
    first = shares[0]
    found, runs = sum(each.found for each in shares), sum(each.runs for each in shares)
    pooled = Share(detector=first.detector, kind=first.kind, change="none", n=0, runs=runs, found=found)
    low, high = pooled.interval
    return f"{pooled.share:.3f} ({low:.3f} to {high:.3f})"


def delay_plots(tallies: Sequence[Tally]) -> dict[str, str]:
    """Pictures by file name."""
    found = {}
    for file, title, chosen in (
        ("delay-errors", "Errors of naive Bayes", [each for each in tallies if each.source != NORMAL]),
        ("delay-values", "Normal values", [each for each in tallies if each.source == NORMAL]),
    ):
        rows: dict[str, dict[str, float]] = {}
        for name in _names(chosen):
            row = {}
            for shape in concepts.SHAPES:
                own = [each for each in chosen if (each.detector, each.shape) == (name, shape)]
                if own:
                    row[shape] = sum(each.restricted for each in own) / sum(each.changes for each in own)
            rows[name] = row
        ordered = dict(sorted(rows.items(), key=lambda item: item[1].get("abrupt", 0.0)))
        across = "values until the alarm; of a missed change, until the next or the end"
        found[f"{file}.svg"] = drawing.dots(title, across, ordered, float(concepts.AFTER))
    return found


def power_plots(shares: Sequence[Share]) -> dict[str, str]:
    """Pictures by file name."""
    found = {}
    for kind in ("columns", "rows"):
        for change in power.CHANGES:
            own = [each for each in shares if each.kind == kind and each.change == change]
            if change != "none" and own:
                series: Mapping[str, list[tuple[float, float]]] = {
                    name: [(each.n, each.share) for each in own if each.detector == name]
                    for name in dict.fromkeys(each.detector for each in own)
                }
                title = f"Tests of {kind}: {change}"
                found[f"power-{kind}-{change}.svg"] = drawing.lines(
                    title, "size of the window", "share with p < 0.05", series, power.ALPHA
                )
    return found


def written(folder: Path, pictures: Mapping[str, str]) -> None:
    """Save the pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, picture in pictures.items():
        (folder / name).write_text(picture)
