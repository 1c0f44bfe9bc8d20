"""Joining late labels to logged predictions by (request id, row)."""

from typing import NamedTuple

import numpy as np
import pyarrow.compute as pc

from kedge.core.inference import InferenceSegment
from kedge.core.services import Services
from kedge.monitoring.log import batches
from kedge.monitoring.measures import Floats
from kedge.monitoring.windows import Window

_KEYS_A_QUERY = 500


class Judged(NamedTuple):
    """The labelled rows of a window. `logged` counts all rows, `unusable` those whose label is not 0 or 1 or whose
    prediction is not a number; they are left out of the arrays."""

    labels: Floats
    predictions: Floats
    logged: int
    unusable: int


def join_labels(
    services: Services, endpoint: str, segments: list[InferenceSegment], window: Window
) -> Judged:
    """Read a window's predictions and the labels that are known for them; memory holds two numbers a labelled row."""
    labels: list[Floats] = []
    predictions: list[Floats] = []
    logged = 0
    for batch in batches(services, segments, window, ("request_id", "row", "prediction")):
        logged += batch.num_rows
        requests = batch.column("request_id").to_pylist()
        truth = _labels_of(services, endpoint, pc.unique(batch.column("request_id")).to_pylist())
        keys = zip(requests, batch.column("row").to_pylist(), strict=True)
        found = np.array([truth.get(key, np.nan) for key in keys], dtype=np.float64)
        known = ~np.isnan(found)
        predicted = batch.column("prediction").cast("float64").to_numpy(zero_copy_only=False)
        labels.append(found[known])
        predictions.append(predicted[known])
    return _usable(labels, predictions, logged)


def _labels_of(services: Services, endpoint: str, request_ids: list[str]) -> dict[tuple[str, int], float]:
    found: dict[tuple[str, int], float] = {}
    for start in range(0, len(request_ids), _KEYS_A_QUERY):
        for label in services.inference.labels(endpoint, request_ids[start : start + _KEYS_A_QUERY]):
            found[label.request_id, label.row] = label.label
    return found


def _usable(labels: list[Floats], predictions: list[Floats], logged: int) -> Judged:
    all_labels = np.concatenate(labels) if labels else np.empty(0)
    all_predictions = np.concatenate(predictions) if predictions else np.empty(0)
    usable = np.isin(all_labels, (0.0, 1.0)) & np.isfinite(all_predictions)
    return Judged(all_labels[usable], all_predictions[usable], logged, int((~usable).sum()))
