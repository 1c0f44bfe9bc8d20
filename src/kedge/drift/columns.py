"""Many columns at once: a detector each, in threads, and false alarms held over all of them."""

import dataclasses
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from kedge.drift.batch.base import BatchDetector, TestResult, clean_numbers
from kedge.drift.batch.binned import BinnedDistance
from kedge.drift.batch.chi_square import ChiSquare
from kedge.drift.batch.jensen_shannon import JensenShannon
from kedge.drift.batch.kolmogorov_smirnov import KolmogorovSmirnov
from kedge.drift.batch.ordered import OrderedDetector
from kedge.drift.batch.ordering import Ordering
from kedge.drift.batch.wasserstein import Wasserstein
from kedge.drift.correction import Flags, benjamini_hochberg
from kedge.drift.errors import DataError, ParameterError

Detectors = BatchDetector | Sequence[BatchDetector]
Correction = Callable[[npt.ArrayLike, float], Flags]
Column = npt.NDArray[Any]

FEW_VALUES = 20
LARGE = 10_000


@dataclasses.dataclass(frozen=True, kw_only=True)
class ColumnResult:
    """What a detector found in a column; `drift` is after the correction, `result.drift` before it."""

    column: str
    result: TestResult
    drift: bool


@dataclasses.dataclass(frozen=True, kw_only=True)
class ColumnsResult:
    """What was found in all columns, in their order and, within a column, in that of its detectors."""

    columns: tuple[ColumnResult, ...]
    alpha: float
    correction: str

    @property
    def drifted(self) -> tuple[str, ...]:
        """Names of the columns in which any detector found a drift."""
        return tuple(dict.fromkeys(each.column for each in self.columns if each.drift))

    @property
    def share(self) -> float:
        """The share of the columns that drifted."""
        return len(self.drifted) / len({each.column for each in self.columns})


def test_columns(
    reference: Mapping[str, npt.ArrayLike] | npt.ArrayLike,
    window: Mapping[str, npt.ArrayLike] | npt.ArrayLike,
    *,
    detectors: Detectors | Mapping[str, Detectors] | None = None,
    correction: Correction | None = benjamini_hochberg,
    alpha: float = 0.05,
    missing: Literal["raise", "skip"] = "raise",
    threads: int = 0,
) -> ColumnsResult:
    """Which columns of the window drift from the reference's?

    A column is sorted once for all its detectors, and columns are tested in threads. Detectors given serve as patterns and
    stay as they are.

    A column without a detector of its own gets one by its kind and size. Text, booleans, and numbers of which the reference
    holds at most 20 different ones are categories: ChiSquare, or JensenShannon by categories where both samples hold more
    than 10,000 values. Other numbers: KolmogorovSmirnov, or Wasserstein (normed, threshold 0.1) where both hold more than
    10,000. With so many values any trifle is significant, so that an effect is asked for.

    Parameters
    ----------
    reference, window : mapping of name to array of shape (n,), or array of shape (n, k)
        Columns of the same names, or as many. Frames of pandas will do. The columns of an array are named "0", "1", ...
        Columns may differ in length.
    detectors : detector, sequence of them, or mapping of name to either; default None
        What tests each column. Columns that a mapping leaves out get the default.
    correction : bonferroni, holm, benjamini_hochberg, a function alike, or None; default benjamini_hochberg
        Takes the p-values of the columns' first detectors, then those of the second, ... and says which to reject. With
        None each p-value stands for itself, against its detector's own `alpha`. Detectors without p-values keep to their
        thresholds.
    alpha : float in (0, 1), default 0.05
        Level of the correction. Larger values find smaller changes and raise more false alarms.
    missing : "raise" or "skip", default "raise"
        What NaN, infinities and None do in columns that get a default detector.
    threads : int in [0, 1024], default 0
        Columns tested at the same time; 0 is one a core.

    Raises
    ------
    DataError
        Columns of reference and window, or of `detectors`, do not match, or a column holds what its detector cannot take:
        the message names it.
    ParameterError
        An argument is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> reference = {"age": rng.normal(40, 9, 500), "city": rng.choice(["Vigo", "Porto"], 500)}
    >>> window = {"age": rng.normal(44, 9, 400), "city": rng.choice(["Vigo", "Porto"], 400)}
    >>> found = test_columns(reference, window)
    >>> [(each.column, each.result.detector, each.drift) for each in found.columns]
    [('age', 'KolmogorovSmirnov', True), ('city', 'ChiSquare', False)]

    References
    ----------
    Benjamini and Hochberg (1995), Controlling the false discovery rate, JRSS B 57.
    """
    _require(0 < alpha < 1, "alpha", alpha, "float in (0, 1)")
    _require(type(threads) is int and 0 <= threads <= 1024, "threads", threads, "int in [0, 1024]")
    _require(
        correction is None or callable(correction),
        "correction",
        correction,
        "None or a function: bonferroni, holm or benjamini_hochberg of kedge.drift",
    )
    _require(missing in ("raise", "skip"), "missing", missing, "one of 'raise', 'skip'")
    before, after = _columns(reference, "reference"), _columns(window, "window")
    _match(before, after, "the window")
    chosen = _patterns(detectors, before)
    jobs = [(name, before[name], after[name], chosen.get(name), missing) for name in before]
    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        found = list(pool.map(_tested, jobs))
    results = dict(zip(before, found, strict=True))
    return ColumnsResult(
        columns=_corrected(results, correction, alpha),
        alpha=float(alpha),
        correction="none" if correction is None else correction.__name__,
    )


test_columns.__test__ = False  # type: ignore[attr-defined]  # not a test of pytest's, whatever its name


def _require(holds: bool, name: str, value: Any, rule: str) -> None:
    if not holds:
        raise ParameterError("test_columns", name, value, rule)


def _columns(table: Any, what: str) -> dict[str, Column]:
    if hasattr(table, "keys"):  # pandas' frames have them too
        columns = {name: _array(table[name]) for name in table.keys()}  # noqa: SIM118
    else:
        array = np.asarray(table)
        if array.ndim != 2:
            raise DataError(
                f"test_columns: the {what} must be a mapping or of shape (n, k), got shape {array.shape}"
            )
        columns = {str(place): array[:, place] for place in range(array.shape[1])}
    if not columns:
        raise DataError(f"test_columns: the {what} has no columns")
    return columns


def _array(values: npt.ArrayLike) -> Column:
    # Left to itself, NumPy would make text of [1, "a"], and of NaN beside text a category.
    return np.asanyarray(values, dtype=object if isinstance(values, list | tuple) else None)


def _match(before: Mapping[str, Any], after: Mapping[str, Any], whose: str) -> None:
    lacking, foreign = (
        sorted(map(str, names)) for names in (before.keys() - after.keys(), after.keys() - before.keys())
    )
    if lacking or foreign:
        raise DataError(
            f"test_columns: columns that {whose} lacks: {lacking}; columns that only {whose} has: {foreign}"
        )


def _patterns(
    detectors: Detectors | Mapping[str, Detectors] | None, columns: Iterable[str]
) -> dict[str, tuple[BatchDetector, ...]]:
    if detectors is None:
        return {}
    if isinstance(detectors, Mapping):
        foreign = sorted(str(name) for name in detectors.keys() - set(columns))
        if foreign:
            raise DataError(f"test_columns: detectors for columns that there are not: {foreign}")
        chosen = {name: _listed(each) for name, each in detectors.items()}
    else:
        chosen = dict.fromkeys(columns, _listed(detectors))
    for patterns in chosen.values():
        sound = bool(patterns) and all(isinstance(each, BatchDetector) for each in patterns)
        _require(sound, "detectors", patterns, "batch detectors, one or more a column")
    return chosen


def _listed(detectors: Detectors) -> tuple[BatchDetector, ...]:
    return (detectors,) if not isinstance(detectors, Sequence) else tuple(detectors)


def _tested(
    job: tuple[str, Column, Column, tuple[BatchDetector, ...] | None, Literal["raise", "skip"]],
) -> list[TestResult]:
    name, reference, window, patterns, missing = job
    orderings: dict[str, Ordering] = {}

    def ordering(mode: str) -> Ordering:
        if mode not in orderings:
            first = clean_numbers(reference, "reference", "test_columns", mode)
            orderings[mode] = Ordering.of(
                np.sort(first), np.sort(clean_numbers(window, "window", "test_columns", mode))
            )
        return orderings[mode]

    try:
        results = []
        for pattern in patterns or (_default(reference, window, missing, ordering),):
            if isinstance(pattern, OrderedDetector) or (
                isinstance(pattern, BinnedDistance) and pattern.binning != "categories"
            ):
                results.append(pattern.compare(ordering(pattern.missing)))
            else:
                results.append(type(pattern)(**pattern.parameters()).fit(reference).test(window))
    except DataError as error:
        raise DataError(f"column {name!r}: {error}") from error
    return results


def _default(
    reference: Column, window: Column, missing: Literal["raise", "skip"], ordering: Callable[[str], Ordering]
) -> BatchDetector:
    """The detector that the docstring of `test_columns` promises."""
    large = min(reference.size, window.size) > LARGE
    kinds = [_is_text(each) for each in (reference, window)]
    if kinds[0] != kinds[1]:
        words = [("text or booleans" if each else "numbers") for each in kinds]
        raise DataError(f"the reference holds {words[0]}, the window {words[1]}")
    if kinds[0] or _few(ordering(missing)):
        if large:
            return JensenShannon(binning="categories", missing=missing)
        return ChiSquare(missing=missing)
    return Wasserstein(missing=missing) if large else KolmogorovSmirnov(missing=missing)


def _is_text(column: Column) -> bool:
    if column.dtype.kind != "O":
        return column.dtype.kind in "bUST"
    return any(isinstance(each, str | bool | np.bool_) for each in column.tolist())


def _few(ordering: Ordering) -> bool:
    return int(np.count_nonzero(np.diff(ordering.reference))) < FEW_VALUES


def _corrected(
    results: Mapping[str, list[TestResult]], correction: Correction | None, alpha: float
) -> tuple[ColumnResult, ...]:
    drifts = {
        (name, place): each.drift for name, found in results.items() for place, each in enumerate(found)
    }
    places = 0 if correction is None else max(map(len, results.values()))
    for place in range(places):
        p_values = {
            name: found[place].p_value
            for name, found in results.items()
            if place < len(found) and found[place].p_value is not None
        }
        rejected = correction(np.array(list(p_values.values()), np.float64), alpha) if correction else ()
        drifts.update({(name, place): bool(flag) for name, flag in zip(p_values, rejected, strict=True)})
    return tuple(
        ColumnResult(column=str(name), result=result, drift=drifts[name, place])
        for name, found in results.items()
        for place, result in enumerate(found)
    )
