"""Judging the days as a stream: a detector reads one value a day, the share of wrong answers.

One value a day and not one a row, because the rows of a day are not independent: the flights of one day share their
weather and their congested airports. A detector that is fed every row takes such a day for a change of the process and
raises alarm after alarm (on the flights of 2013, ADWIN on single rows does so 231 times in nine months). Days are far
less dependent on each other, and a change of the model's quality shows in them.

The detectors' state after a day is stored with that day's run, in one transaction: after a crash, days go on from where
they were, each counted once. A day with too few labelled rows is recorded and not fed. Other detectors or parameters
start anew.
"""

from typing import Any

import msgspec

from kedge.core.inference import InferenceSegment
from kedge.core.monitors import ColumnResult, Monitor
from kedge.core.services import Services
from kedge.monitoring.definitions import STREAM
from kedge.monitoring.detectors import StreamDetector
from kedge.monitoring.labels import join_labels
from kedge.monitoring.measures import error_rate
from kedge.monitoring.outcome import Outcome
from kedge.monitoring.performance import label_notes
from kedge.monitoring.windows import Window


class StreamState(msgspec.Struct, frozen=True, array_like=True):
    """The detectors that ran, and the state of each."""

    specs: list[dict[str, Any]]
    states: list[bytes]


class StreamJudge:
    """Feeds windows to streaming detectors, oldest first."""

    def __init__(self, services: Services, monitor: Monitor) -> None:
        self._services = services
        self._monitor = monitor

    def judge(self, window: Window, segments: list[InferenceSegment], rows: int) -> Outcome:
        """Feed the window's error rate to the stored detectors; their new state is for storing with the outcome."""
        judged = join_labels(self._services, self._monitor.endpoint, segments, window)
        labelled = len(judged.labels)
        metrics = {"logged_rows": float(rows), "labelled_share": labelled / rows if rows else 0.0}
        notes = label_notes(judged)
        if labelled < self._monitor.minimum_rows:
            return Outcome(rows=labelled, verdict="too_few", metrics=metrics, notes=notes)
        value = error_rate(judged.labels, judged.predictions, self._monitor.positive_threshold)
        specs = self._monitor.detectors[STREAM]
        # Read at every window, so that two workers on one monitor cannot feed a day to an older state.
        detectors = resumed(specs, self._services.monitors.detector_state(self._monitor.name))
        results = tuple(detector.feed(value) for detector in detectors)
        state = StreamState(specs, [detector.state() for detector in detectors])
        return Outcome(
            rows=labelled,
            verdict="drift" if any(result.drift for result in results) else "ok",
            metrics={**metrics, "error_rate": value},
            results=results,
            detectors=tuple(spec["name"] for spec in specs),
            reasons=tuple(_reason(result, value) for result in results if result.drift),
            notes=notes,
            state=msgspec.msgpack.encode(state),
        )


def resumed(specs: list[dict[str, Any]], stored: bytes | None) -> list[StreamDetector]:
    """The detectors as they were left; new ones where others, or none, ran before."""
    if stored is not None:
        state = msgspec.msgpack.decode(stored, type=StreamState)
        if state.specs == specs:
            return [
                StreamDetector.resume(spec, saved) for spec, saved in zip(specs, state.states, strict=True)
            ]
    return [StreamDetector.fresh(spec) for spec in specs]


def _reason(result: ColumnResult, value: float) -> str:
    return f"{result.detector} sees a change in the error rate, {value:.3f} now"
