"""When a column drifts: all its detectors must say so, and tests must say so after correction for the many columns.

With 25,000 rows a window a significance test finds any difference at all: p tells that the samples differ, not that it
matters. So the default pairs a test (Kolmogorov-Smirnov for numbers, chi-square for categories) with a measure of size
(population stability index, 0.2 by convention), and a column drifts when **both** say so: the index guards large samples
from trifles, the test guards small samples from noise in the index. Tests of one kind over many columns are corrected
together by Benjamini and Hochberg (1995), so that of the columns flagged, at most the share alpha is flagged by chance.
Whoever names a single detector for a column gets that detector's word alone.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from scipy.stats import false_discovery_control

from kedge.core.monitors import COLUMN_VERDICT, ColumnResult
from kedge.monitoring.histograms import Overlay


class Finding(NamedTuple):
    """What one detector found on one column; `alpha` is None for a measure that is no significance test."""

    column: str
    detector: str
    params: dict[str, Any]
    statistic: float
    threshold: float | None
    p_value: float | None
    alpha: float | None
    drift: bool
    overlay: Overlay


def column_results(findings: Sequence[Finding]) -> list[ColumnResult]:
    """A result for every detector, its drift flag corrected over the columns, and for every column its verdict."""
    adjusted = _adjusted(findings)
    results = [_result(found, adjusted.get(place)) for place, found in enumerate(findings)]
    verdicts = []
    for column in dict.fromkeys(found.column for found in findings):
        flags = [result.drift for result in results if result.column == column]
        overlay = next(found.overlay for found in findings if found.column == column)
        verdicts.append(
            ColumnResult(
                column=column,
                detector=COLUMN_VERDICT,
                params={"rule": "all detectors of the column"},
                statistic=sum(flags) / len(flags),
                threshold=1.0,
                drift=all(flags),
                **overlay._asdict(),
            )
        )
    return results + verdicts


def drifted_columns(results: Sequence[ColumnResult]) -> tuple[list[str], int]:
    """The columns that drift, those most unlike the reference first, and how many columns were compared."""
    verdicts = [result for result in results if result.detector == COLUMN_VERDICT]
    drifted = {result.column for result in verdicts if result.drift}
    size: dict[str, float] = {}
    for result in results:
        if result.column in drifted and result.detector != COLUMN_VERDICT and result.p_value is None:
            size[result.column] = max(result.statistic, size.get(result.column, 0.0))
    return sorted(drifted, key=lambda column: (-size.get(column, 0.0), column)), len(verdicts)


def _adjusted(findings: Sequence[Finding]) -> dict[int, float]:
    """Benjamini-Hochberg adjusted p-values by place in `findings`, each detector a family of its own."""
    families: dict[str, list[int]] = {}
    for place, found in enumerate(findings):
        if found.p_value is not None and found.alpha is not None:
            families.setdefault(found.detector, []).append(place)
    adjusted: dict[int, float] = {}
    for places in families.values():
        p_values = [findings[place].p_value or 0.0 for place in places]
        adjusted.update(zip(places, false_discovery_control(p_values, method="bh").tolist(), strict=True))
    return adjusted


def _result(found: Finding, adjusted: float | None) -> ColumnResult:
    corrected = {} if adjusted is None else {"alpha": found.alpha, "adjusted_p_value": adjusted}
    drift = found.drift if adjusted is None or found.alpha is None else adjusted <= found.alpha
    return ColumnResult(
        column=found.column,
        detector=found.detector,
        params={**found.params, **corrected},
        statistic=found.statistic,
        threshold=found.threshold,
        p_value=found.p_value,
        drift=drift,
        **found.overlay._asdict(),
    )
