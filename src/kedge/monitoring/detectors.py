"""The detectors of `kedge.drift` run as a monitor's definition names them, their answers turned into records."""

import logging
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kedge.core.errors import Invalid
from kedge.core.monitors import ColumnResult
from kedge.drift import ALL, BatchDetector, DataError, ParameterError, StateError, StreamingDetector
from kedge.monitoring.definitions import STREAM
from kedge.monitoring.histograms import Overlay
from kedge.monitoring.specs import DETECTORS
from kedge.monitoring.values import Kind
from kedge.monitoring.verdict import Finding

BATCH: dict[str, type[BatchDetector]] = {
    kind.__name__: kind for kind in ALL if issubclass(kind, BatchDetector)
}
STREAMING: dict[str, type[StreamingDetector]] = {
    kind.__name__: kind for kind in ALL if issubclass(kind, StreamingDetector)
}

_log = logging.getLogger(__name__)


def compare(
    column: str,
    spec: dict[str, Any],
    reference: NDArray[Any],
    current: NDArray[Any],
    *,
    kind: Kind,
    overlay: Overlay,
) -> Finding:
    """Run one detector on two samples of a column."""
    params = _params(spec)
    by_category = kind == "categorical" and "binning" in DETECTORS[spec["name"]].params
    binned = {"binning": "categories"} if by_category else {}
    try:
        detector = BATCH[spec["name"]](**{**params, **binned})
        found = detector.fit(reference).test(current)
    except (DataError, ParameterError) as error:
        raise Invalid(f"{spec['name']} cannot compare column {column!r}: {error}") from error
    return Finding(
        column=column,
        detector=spec["name"],
        params=params,
        statistic=found.statistic,
        threshold=found.threshold,
        p_value=found.p_value,
        alpha=None if found.p_value is None else found.threshold,
        drift=found.drift,
        overlay=overlay,
    )


class StreamDetector:
    """A streaming detector under the name and parameters that a monitor gives it."""

    def __init__(self, spec: dict[str, Any], detector: StreamingDetector) -> None:
        self._spec = spec
        self._detector = detector

    @classmethod
    def fresh(cls, spec: dict[str, Any]) -> "StreamDetector":
        """A detector that has seen nothing."""
        return cls(spec, STREAMING[spec["name"]](**_params(spec)))

    @classmethod
    def resume(cls, spec: dict[str, Any], state: bytes) -> "StreamDetector":
        """The detector that `state` was taken of; a new one where another version of the detector wrote it."""
        try:
            return cls(spec, STREAMING[spec["name"]].from_state(state, **_params(spec)))
        except StateError:
            _log.warning(
                "detector starts anew", extra={"action": "resume", "detector": spec["name"]}, exc_info=True
            )
            return cls.fresh(spec)

    def state(self) -> bytes:
        """All that the detector knows."""
        return self._detector.state()

    def feed(self, value: float) -> ColumnResult:
        """Read one value."""
        drift = self._detector.update(value) == "drift"
        statistic = self._detector.statistic
        return ColumnResult(
            column=STREAM,
            detector=self._spec["name"],
            params=_params(self._spec),
            statistic=statistic if math.isfinite(statistic) else 0.0,  # before there is enough to compare
            threshold=self._detector.parameters().get("threshold"),
            drift=drift,
        )

    def feed_many(self, values: NDArray[np.float64]) -> list[int]:
        """Read an array: the places of the values at which a change was seen."""
        places: list[int] = self._detector.update_many(values).drifts.tolist()
        return places


def _params(spec: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in spec.items() if key != "name"}
