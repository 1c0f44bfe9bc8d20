"""The detectors of `kedge.drift` run as a monitor's definition names them, their answers turned into records."""

from typing import Any

from numpy.typing import NDArray

from kedge.core.errors import Invalid
from kedge.core.monitors import ColumnResult
from kedge.drift import ADWIN, ChiSquare, KolmogorovSmirnov, PageHinkley, PopulationStabilityIndex
from kedge.monitoring.definitions import STREAM
from kedge.monitoring.histograms import Overlay
from kedge.monitoring.verdict import Finding

BATCH: dict[str, Any] = {
    "KolmogorovSmirnov": KolmogorovSmirnov,
    "ChiSquare": ChiSquare,
    "PopulationStabilityIndex": PopulationStabilityIndex,
}
STREAMING: dict[str, Any] = {"PageHinkley": PageHinkley, "ADWIN": ADWIN}


def compare(
    column: str, spec: dict[str, Any], reference: NDArray[Any], current: NDArray[Any], overlay: Overlay
) -> Finding:
    """Run one detector on two samples of a column."""
    params = {key: value for key, value in spec.items() if key != "name"}
    detector = BATCH[spec["name"]](**params)
    try:
        found = detector.fit(reference).test(current)
    except ValueError as error:
        raise Invalid(f"{spec['name']} cannot compare column {column!r}: {error}") from error
    p_value = None if found.p_value is None else float(found.p_value)
    return Finding(
        column=column,
        detector=spec["name"],
        params=params,
        statistic=float(found.statistic),
        threshold=None if found.threshold is None else float(found.threshold),
        p_value=p_value,
        alpha=None if p_value is None else float(detector.alpha),
        drift=bool(found.drift),
        overlay=overlay,
    )


class StreamDetector:
    """A streaming detector under the name and parameters that a monitor gives it."""

    def __init__(self, spec: dict[str, Any], detector: Any) -> None:
        self._spec = spec
        self._detector = detector

    @classmethod
    def fresh(cls, spec: dict[str, Any]) -> "StreamDetector":
        """A detector that has seen nothing."""
        return cls(spec, _streaming(spec))

    @classmethod
    def resume(cls, spec: dict[str, Any], state: bytes) -> "StreamDetector":
        """The detector that `state` was taken of."""
        return cls(spec, _streaming(spec).from_state(state))

    def state(self) -> bytes:
        """All that the detector knows."""
        saved: bytes = self._detector.state()
        return saved

    def feed(self, value: float) -> ColumnResult:
        """Read one value."""
        found = self._detector.update(value)
        return ColumnResult(
            column=STREAM,
            detector=self._spec["name"],
            params={key: item for key, item in self._spec.items() if key != "name"},
            statistic=float(found.statistic),
            threshold=None,
            drift=bool(found.drift),
        )


def _streaming(spec: dict[str, Any]) -> Any:
    return STREAMING[spec["name"]](**{key: value for key, value in spec.items() if key != "name"})
