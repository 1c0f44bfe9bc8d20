"""One column of two samples: values made ready, detectors run, histograms counted."""

from collections.abc import Mapping, Sequence
from typing import Any

from kedge.monitoring import histograms
from kedge.monitoring.definitions import ANY_CATEGORICAL, ANY_NUMERIC
from kedge.monitoring.detectors import compare
from kedge.monitoring.specs import DETECTORS
from kedge.monitoring.values import Kind, as_numbers, as_text, common_categories
from kedge.monitoring.verdict import Finding

Specs = list[dict[str, Any]]

LEAST = {"EppsSingleton": 5}
"""Of numbers, so many are needed of each sample; for other detectors two."""


def specs_of(column: str, kind: Kind, detectors: Mapping[str, Specs]) -> tuple[Kind, Specs]:
    """How a column is compared: as the detectors named for it need it, else as its type has it."""
    specs = detectors.get(column)
    if specs is None:
        return kind, detectors[ANY_NUMERIC if kind == "numeric" else ANY_CATEGORICAL]
    for spec in specs:
        takes = DETECTORS[spec["name"]].takes
        if takes in ("numeric", "categorical"):
            return takes, specs
        if spec.get("binning") == "categories":
            return "categorical", specs
    return kind, specs


def ready(column: str, kind: Kind, pieces: Sequence[Any]) -> Any:
    """Arrow pieces of a column as `compare_column` takes them."""
    return as_numbers(column, pieces) if kind == "numeric" else as_text(pieces)


def compare_column(
    column: str, kind: Kind, specs: Specs, reference: Any, current: Any
) -> tuple[list[Finding], float]:
    """What the detectors find (nothing where a sample has no values), and the share of current rows without a value."""
    if kind == "numeric":
        rows = len(current.values) + current.missing
        missing_share = current.missing / rows if rows else 0.0
        fewest = min(len(reference.values), len(current.values))
        specs = [spec for spec in specs if fewest >= LEAST.get(spec["name"], 2)]
        if not specs:
            return [], missing_share
        first, second = reference.values, current.values
        overlay = histograms.of_numbers(first, second)
    else:
        missing_share = current.null_count / len(current) if len(current) else 0.0
        if len(reference) == 0 or len(current) == 0:
            return [], missing_share
        categories = common_categories(reference, current)
        first, second = categories.reference, categories.current
        overlay = histograms.of_categories(categories)
    return [compare(column, spec, first, second, kind=kind, overlay=overlay) for spec in specs], missing_share
