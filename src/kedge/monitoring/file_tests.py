"""Two files compared by any batch detectors, without a server: values column by column, rows over columns together."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kedge.core.errors import Invalid
from kedge.core.monitors import COLUMN_VERDICT
from kedge.drift.batch.base import BatchDetector, TestResult
from kedge.drift.columns import Correction, test_columns
from kedge.drift.correction import benjamini_hochberg, bonferroni, holm
from kedge.drift.errors import DriftError
from kedge.monitoring import histograms
from kedge.monitoring.choice import by_categories, reads
from kedge.monitoring.file_columns import Asked, Column, Columns, gaps_of, read_columns
from kedge.monitoring.values import Kind, common_categories

Floats = npt.NDArray[np.float64]
CorrectionName = Literal["bh", "holm", "bonferroni", "none"]

CORRECTIONS: dict[CorrectionName, Correction | None] = {
    "bh": benjamini_hochberg,
    "holm": holm,
    "bonferroni": bonferroni,
    "none": None,
}
_CORRECTED = {
    "bh": "p-values corrected over columns by Benjamini and Hochberg",
    "holm": "p-values corrected over columns by Holm",
    "bonferroni": "p-values corrected over columns by Bonferroni",
    "none": "p-values not corrected for so many columns",
}
_NAMED_COLUMNS = {
    "ModelUncertainty": "the probabilities of the classes, one column each",
    "CDBD": "a classifier's confidence",
}
"""Detectors that read what a model answered: which columns hold that, nobody can guess."""

_OWN_UNITS = ("SpotTheDiff",)
"""Detectors of rows that standardise by themselves and answer in the unit of the columns."""

_WANTED: dict[str, tuple[Kind, ...]] = {
    "numeric": ("numeric",),
    "categorical": ("categorical",),
    "any": ("numeric", "categorical"),
    "rows": ("numeric",),
}


class FileResult(msgspec.Struct, frozen=True, kw_only=True):
    """One detector on one column, or on rows of several, whose names then stand in `column` with commas between.

    `drift` is after the correction over columns. `details` are what a detector tells beyond a test's result.
    """

    of: Literal["column", "rows"]
    column: str
    detector: str
    params: dict[str, Any]
    statistic: float
    threshold: float
    drift: bool
    p_value: float | None = None
    n_reference: int | None = None
    n: int | None = None
    method: str = ""
    details: dict[str, Any] = {}


class FilesCompared(msgspec.Struct, frozen=True, kw_only=True):
    """What was found. `columns` were judged one by one, of which `drifted` drift; `rows` are those compared as rows.

    `idle` are detectors for which there was no column. `missing` counts rows without a value, in reference and current.
    """

    drift: bool
    drift_share: float | None
    drifted: list[str]
    columns: list[str]
    rows: list[str]
    results: list[FileResult]
    correction: CorrectionName
    idle: list[str]
    left_out: dict[str, str]
    missing: dict[str, tuple[int, int]]
    histograms: dict[str, dict[str, Any]]


def compare_files(
    reference: Path,
    current: Path,
    detectors: Sequence[BatchDetector],
    asked: Asked | None = None,
    *,
    correction: CorrectionName = "bh",
    told: Callable[[str], None] = lambda _: None,
) -> FilesCompared:
    """Compare two files by detectors; a column drifts when all its detectors say so, as in monitors.

    p-values of one detector are corrected over its columns. Numbers that rows are made of are standardised by mean and
    deviation of both files together. `told` hears which detector is at work.

    Raises
    ------
    NotFound
        There is no such file.
    Invalid
        There is nothing that the detectors can compare: the message names column, row or argument.
    """
    asked = asked or Asked()
    _check(detectors, asked)
    told("reading")
    wanted = {kind for detector in detectors for kind in _WANTED[reads(detector)]}
    columns = read_columns(reference, current, asked, wanted)
    results: list[FileResult] = []
    for detector in detectors:
        told(detector.spec.name)
        try:
            if reads(detector) == "rows":
                results += _of_rows(detector, columns, asked.sample)
            else:
                results += _of_columns(detector, columns.read, CORRECTIONS[correction])
        except DriftError as error:
            raise Invalid(
                str(error), hint=f"`kedge drift list {detector.spec.name}` shows what --param can set"
            ) from error
    return _outcome(detectors, columns, results, correction)


def verdict(found: FilesCompared) -> str:
    """The finding in a sentence or two."""
    sentences = []
    if found.columns:
        alone = [each for each in found.results if each.of == "column" and each.detector != COLUMN_VERDICT]
        rules = ["a column drifts when all its detectors say so"] if len(alone) > len(found.columns) else []
        if len({each.column for each in alone if each.p_value is not None}) > 1:
            rules += [_CORRECTED[found.correction]]
        sentences.append(
            f"{len(found.drifted)} of {len(found.columns)} columns drift: {', '.join(found.drifted) or 'none'}"
            + (f" ({'; '.join(rules)})" if rules else "")
        )
    if found.rows:
        of_rows = [each for each in found.results if each.of == "rows"]
        yes, no = ([each.detector for each in of_rows if each.drift is said] for said in (True, False))
        parts = [f"drift by {', '.join(yes)}"] if yes else []
        parts += [f"do not drift by {', '.join(no)}"] if no else []
        sentences.append(f"Rows of {', '.join(found.rows)} {'; they '.join(parts)}")
    return ". ".join(sentences)


def standardised(reference: Floats, current: Floats) -> tuple[Floats, Floats]:
    """Columns of mean 0 and deviation 1 over both samples together.

    By the reference alone, it would be a sample unlike the others that a permutation test draws: MMD of level 0.05 then
    alarmed in 10 % of 400 steady windows of 100 rows against 10 (8 columns, normal), and in 5 % by both.
    """
    both = np.concatenate([reference, current])
    largest = np.abs(both).max(axis=0)
    both = both / np.where(largest > 0, largest, 1.0)  # squares of what is left neither overflow nor vanish
    constant = (both == both[0]).all(axis=0)
    mean = np.where(constant, both[0], both.mean(axis=0))
    deviation = (both - mean).std(axis=0)
    both = (both - mean) / np.where(deviation > 0, deviation, 1.0)
    return both[: len(reference)], both[len(reference) :]


def _check(detectors: Sequence[BatchDetector], asked: Asked) -> None:
    for detector in detectors:
        name = detector.spec.name
        if name in _NAMED_COLUMNS and not asked.columns:
            raise Invalid(f"{name} reads {_NAMED_COLUMNS[name]}", hint="name it with --columns")
        if detector.spec.input == "labelled" and asked.label is None:
            raise Invalid(
                f"{name} reads rows with their class", hint="name the column of the class with --label"
            )
    if asked.sample < 0:
        raise Invalid(f"--sample is {asked.sample}; it must be a number of rows, or 0 for all")
    if asked.label is not None and all(detector.spec.input != "labelled" for detector in detectors):
        raise Invalid(
            f"--label {asked.label!r}: none of these detectors reads a class",
            hint="leave it out; those that do are `labelled` in `kedge drift list`",
        )


def _of_columns(
    detector: BatchDetector, columns: Mapping[str, Column], correction: Correction | None
) -> list[FileResult]:
    kinds = _WANTED[reads(detector)]
    mine = {name: column for name, column in columns.items() if column.kind in kinds}
    if not mine:
        return []
    patterns = {
        name: by_categories(detector) if column.kind == "categorical" else detector
        for name, column in mine.items()
    }
    found = test_columns(
        {name: column.reference[~gaps_of(column.reference)] for name, column in mine.items()},
        {name: column.current[~gaps_of(column.current)] for name, column in mine.items()},
        detectors=patterns,
        correction=correction,
        alpha=getattr(detector, "alpha", 0.05),
    )
    return [
        _result("column", each.column, patterns[each.column], each.result, drift=each.drift)
        for each in found.columns
    ]


def _of_rows(detector: BatchDetector, columns: Columns, sample: int) -> list[FileResult]:
    numbers = {name: column for name, column in columns.read.items() if column.kind == "numeric"}
    if not numbers:
        return []
    reference, current = (
        _drawn(rows, sample, place)
        for place, rows in enumerate(_complete_rows(detector, numbers, columns.label))
    )
    if detector.spec.input != "probabilities" and detector.spec.name not in _OWN_UNITS:
        width = len(numbers)
        values = np.concatenate([reference[:, :width], current[:, :width]])
        if (values == values[0]).all():
            raise Invalid(
                f"{detector.spec.name}: of {', '.join(numbers)}, no column varies: there is nothing to compare",
                hint="name other columns with --columns",
            )
        reference[:, :width], current[:, :width] = standardised(reference[:, :width], current[:, :width])
    found = detector.fit(reference).test(current)
    return [_result("rows", ", ".join(numbers), detector, found, drift=found.drift)]


def _drawn(rows: Floats, size: int, seed: int) -> Floats:
    """So many of the rows, in their order; all where `size` is 0 or not less."""
    if not 0 < size < len(rows):
        return rows
    return rows[np.sort(np.random.default_rng(seed).choice(len(rows), size, replace=False))]


def _complete_rows(
    detector: BatchDetector, numbers: Mapping[str, Column], label: Column | None
) -> tuple[Floats, Floats]:
    """The rows of both files that miss no value, with their class last for a detector that reads it."""
    reference = [column.reference for column in numbers.values()]
    current = [column.current for column in numbers.values()]
    if label is not None and detector.spec.input == "labelled":
        reference.append(label.reference)
        current += [label.current] if label.current.size else []
    complete = []
    for whose, columns in (("reference", reference), ("file to judge", current)):
        rows = np.column_stack(columns)
        complete.append(rows[np.isfinite(rows).all(axis=1)])
        if not len(complete[-1]):
            raise Invalid(
                f"{detector.spec.name}: no row of the {whose} has a value in every one of {', '.join(numbers)}",
                hint="name the columns to compare with --columns",
            )
    return complete[0], complete[1]


def _result(
    of: Literal["column", "rows"], column: str, detector: BatchDetector, found: TestResult, *, drift: bool
) -> FileResult:
    common = {field.name for field in dataclasses.fields(TestResult)}
    return FileResult(
        of=of,
        column=column,
        detector=detector.spec.name,
        params={name: value for name, value in detector.parameters().items() if name != "missing"},
        statistic=found.statistic,
        threshold=found.threshold,
        drift=drift,
        p_value=found.p_value,
        n_reference=found.n_reference,
        n=found.n,
        method=found.method,
        details={
            field.name: getattr(found, field.name)
            for field in dataclasses.fields(found)
            if field.name not in common
        },
    )


def _outcome(
    detectors: Sequence[BatchDetector],
    columns: Columns,
    results: list[FileResult],
    correction: CorrectionName,
) -> FilesCompared:
    verdicts = _verdicts(list(columns.read), results)
    drifted = [each.column for each in verdicts if each.drift]
    of_rows = [each for each in results if each.of == "rows"]
    active = {each.detector for each in results}
    places = {name: place for place, name in enumerate(columns.read)}
    results = sorted(results, key=lambda each: places[each.column] if each.of == "column" else len(places))
    return FilesCompared(
        drift=bool(drifted) or any(each.drift for each in of_rows),
        drift_share=len(drifted) / len(verdicts) if verdicts else None,
        drifted=drifted,
        columns=[each.column for each in verdicts],
        rows=[name for name, column in columns.read.items() if of_rows and column.kind == "numeric"],
        results=results + verdicts,
        correction=correction,
        idle=[each.spec.name for each in detectors if each.spec.name not in active],
        left_out=columns.left_out,
        missing=columns.missing,
        histograms={name: _overlay(column)._asdict() for name, column in columns.read.items()},
    )


def _verdicts(names: Sequence[str], results: Sequence[FileResult]) -> list[FileResult]:
    """Of every column that was judged by itself, in the order of the file."""
    verdicts = []
    for name in names:
        flags = [each.drift for each in results if each.of == "column" and each.column == name]
        if flags:
            verdicts.append(
                FileResult(
                    of="column",
                    column=name,
                    detector=COLUMN_VERDICT,
                    params={"rule": "all detectors of the column"},
                    statistic=sum(flags) / len(flags),
                    threshold=1.0,
                    drift=all(flags),
                )
            )
    return verdicts


def _overlay(column: Column) -> histograms.Overlay:
    first, second = (values[~gaps_of(values)] for values in (column.reference, column.current))
    if column.kind == "numeric":
        return histograms.of_numbers(first, second)
    return histograms.of_categories(
        common_categories(pa.array(first, pa.string()), pa.array(second, pa.string()))
    )
