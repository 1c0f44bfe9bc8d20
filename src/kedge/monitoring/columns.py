"""Judging a window by its input columns: each is compared with the same column of the reference."""

import math
from typing import Any

from kedge.core.errors import Invalid
from kedge.core.inference import InferenceSegment
from kedge.core.monitors import Monitor
from kedge.core.services import Services
from kedge.monitoring.comparison import compare_column, ready, specs_of
from kedge.monitoring.log import INPUT, batches, input_columns
from kedge.monitoring.outcome import Outcome
from kedge.monitoring.reference import Reference, thinned
from kedge.monitoring.values import Kind
from kedge.monitoring.verdict import Finding, column_results, drifted_columns
from kedge.monitoring.windows import Window

MOST_ROWS = 1_000_000
"""Rows of a window, or of the reference, that are compared; of more, every second, third, ... is."""

MOST_VALUES = 16_000_000
"""Values held at a time: columns are read in groups that stay below."""

_NAMED = 5


class ColumnJudge:
    """Compares windows with one reference, whose columns are read once where they fit the memory allowed."""

    def __init__(self, services: Services, monitor: Monitor) -> None:
        self._services = services
        self._monitor = monitor
        self._reference = Reference(services, monitor.reference)
        if self._reference.rows == 0:
            raise Invalid(f"the reference of monitor {monitor.name!r} holds no rows")
        self._reference_every = math.ceil(self._reference.rows / MOST_ROWS)
        self._kept: dict[str, Any] = {}

    def judge(self, window: Window, segments: list[InferenceSegment], rows: int) -> Outcome:
        """Compare every watched column of the window."""
        monitor = self._monitor
        columns, notes = self._columns(segments)
        every = math.ceil(rows / MOST_ROWS)
        if every > 1:
            notes.append(f"every {every}th row compared")
        findings: list[Finding] = []
        missing: dict[str, float] = {}
        size = min(rows, MOST_ROWS) + min(self._reference.rows, MOST_ROWS)
        group = max(1, MOST_VALUES // size)
        for start in range(0, len(columns), group):
            names = columns[start : start + group]
            self._read_reference(names, keep=len(columns) <= group)
            current = self._current(window, segments, names, every)
            for name in names:
                kind, specs = self._specs(name)
                values = ready(name, kind, current.pop(name))
                found, share = compare_column(name, kind, specs, self._kept[name], values)
                findings += found
                missing |= {f"missing.{name}": share} if share else {}
                if not found:
                    notes.append(f"column {name} has no values to compare")
        results = column_results(findings)
        drifted, compared = drifted_columns(results)
        share = len(drifted) / compared if compared else 0.0
        limit = monitor.alert_when.get("drift_share")
        over = limit is not None and compared > 0 and share >= limit
        return Outcome(
            rows=rows,
            verdict="drift" if over or (limit is None and share >= 0.5) else "ok",
            results=tuple(results),
            metrics={"columns": float(compared), "drifted_columns": float(len(drifted)), **missing},
            drift_share=share,
            detectors=tuple(dict.fromkeys(found.detector for found in findings)),
            reasons=(_reason(drifted, compared),) if over else (),
            notes=tuple(notes),
        )

    def _columns(self, segments: list[InferenceSegment]) -> tuple[list[str], list[str]]:
        """The columns to compare, and notes about those that cannot be."""
        logged = input_columns(self._services, segments)
        wanted = self._monitor.columns or tuple(name for name in self._reference.kinds if name in logged)
        unknown = [name for name in wanted if name not in self._reference.kinds]
        if unknown:
            raise Invalid(
                f"the reference of monitor {self._monitor.name!r} has no column {unknown[0]!r} of numbers or text",
                hint=f"its columns are {', '.join(sorted(self._reference.kinds))}",
            )
        absent = [name for name in wanted if name not in logged]
        notes = [f"not among the inputs: {', '.join(absent)}"] if absent else []
        return [name for name in wanted if name in logged], notes

    def _specs(self, name: str) -> tuple[Kind, list[dict[str, Any]]]:
        return specs_of(name, self._reference.kinds[name], self._monitor.detectors)

    def _read_reference(self, names: list[str], *, keep: bool) -> None:
        if not keep:
            self._kept.clear()
        lacking = [name for name in names if name not in self._kept]
        if lacking:
            pieces = self._reference.read(lacking, every=self._reference_every)
            for name in lacking:
                self._kept[name] = ready(name, self._specs(name)[0], pieces[name])

    def _current(
        self, window: Window, segments: list[InferenceSegment], names: list[str], every: int
    ) -> dict[str, list[Any]]:
        pieces: dict[str, list[Any]] = {name: [] for name in names}
        logged = [INPUT + name for name in names]
        row = 0
        for batch in batches(self._services, segments, window, logged):
            thin = thinned(batch, row, every)
            row += batch.num_rows
            for name in names:
                pieces[name].append(thin.column(INPUT + name))
        return pieces


def _reason(drifted: list[str], compared: int) -> str:
    named = ", ".join(drifted[:_NAMED]) + (", ..." if len(drifted) > _NAMED else "")
    return f"{len(drifted)} of {compared} columns drifted: {named}"
