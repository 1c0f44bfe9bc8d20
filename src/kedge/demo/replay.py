"""Replaying flights as traffic: real requests to the endpoint, an hour of departures each; labels a day late."""

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kedge.client.deployments import EndpointHandle
from kedge.demo.flights import FEATURES, LABEL

DAY_MS = 86_400_000
_HOUR_MS = 3_600_000
_THREADS = 4
_DAYS_AHEAD = 3


def replay_month(endpoint: EndpointHandle, month: pa.Table, on_rows: Callable[[int], None]) -> int:
    """Send the month's flights day by day, and each day's labels a day later; returns the rows sent.

    The labels of the last day arrive in the next month; they are sent at the end, with that time.
    """
    sent = 0
    waiting: tuple[int, list[tuple[str, int, float]]] | None = None
    with ThreadPoolExecutor(_THREADS) as pool:
        for day_ms, day in _split(month, DAY_MS):
            requests = list(_split(day, _HOUR_MS))
            for rows in pool.map(lambda each: _ask(endpoint, *each), requests):
                sent += rows
                on_rows(rows)
            if waiting is not None:
                endpoint.send_labels(waiting[1], at_ms=waiting[0])
            waiting = (
                day_ms + 2 * DAY_MS,
                [label for at_ms, part in requests for label in _labels(at_ms, part)],
            )
    if waiting is not None:
        endpoint.send_labels(waiting[1], at_ms=waiting[0])
    return sent


def request_id(at_ms: int) -> str:
    """The id of an hour's request."""
    return f"flights-{np.datetime64(at_ms, 'ms').astype('datetime64[h]')}"


def _ask(endpoint: EndpointHandle, at_ms: int, flights: pa.Table) -> int:
    endpoint.ask(flights.select(list(FEATURES)), request_id(at_ms), event_time_ms=at_ms)
    return int(flights.num_rows)


def _labels(at_ms: int, flights: pa.Table) -> Iterator[tuple[str, int, float]]:
    name = request_id(at_ms)
    for row, label in enumerate(flights[LABEL].to_pylist()):
        if label is not None:
            yield name, row, label


def _split(flights: pa.Table, span_ms: int) -> Iterator[tuple[int, pa.Table]]:
    """(start, flights) of every span that has any; `flights` are in the order of time."""
    times: Any = pc.cast(flights["time"], pa.int64()).to_numpy()
    starts = times // span_ms * span_ms
    edges = np.flatnonzero(np.diff(starts)) + 1
    bounds = [0, *edges.tolist(), len(starts)]
    for begin, end in itertools.pairwise(bounds):
        if end > begin:
            yield int(starts[begin]), flights.slice(begin, end - begin)
