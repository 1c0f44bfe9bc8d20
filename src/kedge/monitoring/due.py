"""Which windows a monitor has yet to evaluate, and queueing a job where there are any. Called every few seconds, it reads
little: the segments of closed windows alone, and none when there are no such windows."""

import logging
from collections.abc import Iterable

from kedge.core.errors import KedgeError
from kedge.core.inference import InferenceSegment
from kedge.core.jobs import Job
from kedge.core.monitors import Monitor, Period
from kedge.core.services import Services
from kedge.monitoring.asking import enqueue
from kedge.monitoring.log import batches
from kedge.monitoring.triggers import owed_firings
from kedge.monitoring.windows import DAY_MS, Window, closed_before, watermark, window_of, windows_over

REST_MS = 10 * 60_000
"""A monitor whose job failed is left alone for this long, unless someone asks for it."""

_EARLIEST_MS = -(2**60)
_RECENT_JOBS = 200
_WIDE = 2
_log = logging.getLogger(__name__)


def due_windows(services: Services, monitor: Monitor, until_ms: int | None = None) -> list[Window]:
    """Closed windows with logged rows that follow those evaluated, oldest first; `until_ms` closes what ends by then."""
    labels_needed = monitor.kind != "drift"
    known_ms = watermark(
        services.inference.watermark_ms(monitor.endpoint),
        services.inference.label_watermark_ms(monitor.endpoint) if labels_needed else None,
        monitor.label_delay_ms if labels_needed else None,
    )
    before_ms = closed_before(monitor.period, known_ms, until_ms)
    done = services.monitors.windows(monitor.name)
    after_ms = max(end for _, end in done) if done else None
    if before_ms is None or (after_ms is not None and before_ms <= after_ms):
        return []
    start_ms = _EARLIEST_MS if after_ms is None else after_ms
    segments = services.inference.segments(monitor.endpoint, start_ms=start_ms, end_ms=before_ms)
    spans = sorted(span for segment in segments for span in _spans(services, segment, monitor.period))
    return list(windows_over(spans, monitor.period, after_ms=after_ms, before_ms=before_ms))


def enqueue_due(services: Services) -> list[Job]:
    """Queue an evaluation of every enabled monitor that has closed windows or alerts whose trigger was not fired."""
    jobs = []
    recent = services.jobs.recent(_RECENT_JOBS)
    now_ms = services.clock.now_ms()
    for monitor in services.monitors.monitors():
        if not monitor.enabled or resting(recent, monitor.name, now_ms):
            continue
        try:
            if due_windows(services, monitor) or owed_firings(services, monitor.name, monitor.endpoint):
                jobs.append(enqueue(services, monitor.name))
        except KedgeError:  # one monitor must not keep the others from being looked at
            _log.exception("monitor not looked at", extra={"action": "enqueue_due", "monitor": monitor.name})
    return jobs


def resting(recent: Iterable[Job], monitor: str, now_ms: int) -> bool:
    """Whether the newest job of the monitor failed, or could not fire, less than `REST_MS` ago."""
    for job in recent:
        if job.kind == "monitor" and job.payload.get("monitor") == monitor:
            failed = job.state == "failed" or bool((job.result or {}).get("not_fired"))
            return failed and job.ended_ms is not None and now_ms - job.ended_ms < REST_MS
    return False


def _spans(services: Services, segment: InferenceSegment, period: Period) -> list[tuple[int, int]]:
    """The event times that a segment covers. One that reaches over many windows, because of a single wrong event time
    maybe, is read to see which of them hold rows."""
    first = window_of(segment.first_at_ms, period)
    if segment.last_at_ms < first.end_ms + _WIDE * (first.end_ms - first.start_ms):
        return [(segment.first_at_ms, segment.last_at_ms)]
    whole = Window(segment.first_at_ms, segment.last_at_ms + 1)
    days: set[int] = set()
    for batch in batches(services, [segment], whole, ("at_ms",)):
        days.update(at_ms // DAY_MS for at_ms in batch.column("at_ms").to_pylist())
    starts = {window_of(day * DAY_MS, period).start_ms for day in days}
    return [(start, start) for start in starts]
