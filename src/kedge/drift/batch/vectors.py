"""The interface of detectors that compare rows of several columns, and what their tests share."""

import abc
import hashlib
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from kedge.drift.batch.base import BatchDetector, Floats, TestResult
from kedge.drift.codec import Value
from kedge.drift.errors import DataError, ParameterError
from kedge.drift.numbers import as_numbers

LARGEST, NARROWEST = 1e50, 1e-50
"""Of values and bandwidths: the squares of their ratios must not overflow."""


class VectorDetector(BatchDetector):
    """Compares windows of rows, shape (n, d), with a reference of as many columns.

    Rows are put in lexicographic order first, so that no result depends on the order in which they came; whatever is drawn
    at random after that comes from `seed` and the rows (`generator`). The reference itself is the state, so that a state holds nothing that depends
    on how a machine rounds.
    """

    least: ClassVar[int] = 2
    seed: int

    def fit(self, reference: npt.ArrayLike) -> Self:
        super().fit(reference)
        names = column_names(reference)
        if names:
            self._fitted["names"] = names
        return self

    fit.__doc__ = BatchDetector.fit.__doc__

    def test(self, window: npt.ArrayLike) -> TestResult:
        return super().test(self._in_columns_of_reference(window))

    test.__doc__ = BatchDetector.test.__doc__

    def _in_columns_of_reference(self, window: Any) -> Any:
        """A frame's columns in the order of the reference's, where both have names."""
        known, given = self._fitted.get("names", ()), column_names(window)
        if not known or not given or known == given:
            return window
        if sorted(known) != sorted(given):
            raise DataError(
                f"{self.spec.name}: the window's columns {', '.join(given)} are not the reference's {', '.join(known)}"
            )
        by_name = dict(zip(given, window.columns, strict=True))
        return window[[by_name[name] for name in known]]

    def _clean(self, values: npt.ArrayLike, what: str) -> Floats:
        return clean_rows(values, what, self.spec.name, self.missing, self.least)

    def _fit(self, reference: npt.NDArray[Any]) -> dict[str, Value]:
        return {"rows": in_order(reference).ravel(), "columns": np.array([reference.shape[1]], np.int64)}

    def _test(self, window: npt.NDArray[Any]) -> TestResult:
        reference = self._reference()
        if window.shape[1] != reference.shape[1]:
            raise DataError(
                f"{self.spec.name}: the window must have the reference's {reference.shape[1]} columns, "
                f"got {window.shape[1]}"
            )
        return self._compare(reference, in_order(window))

    @abc.abstractmethod
    def _compare(self, reference: Floats, window: Floats) -> TestResult:
        """Compare a window with the reference, both in order and of the same columns."""

    def _reference(self) -> Floats:
        rows: Floats = self._fitted["rows"].reshape(-1, int(self._fitted["columns"][0]))
        return rows

    def _significant(self, statistic: float, p_value: float, alpha: float, n: int, method: str) -> TestResult:
        """A result decided by its p-value."""
        return TestResult(
            detector=self.spec.name,
            statistic=float(statistic),
            threshold=float(alpha),
            drift=bool(p_value < alpha),
            n_reference=self._n_reference,
            n=n,
            p_value=float(p_value),
            method=method,
        )


def column_names(values: Any) -> tuple[str, ...]:
    """Names of a frame's columns; none of what has no names."""
    columns = getattr(values, "columns", None)
    return () if columns is None or not hasattr(values, "dtypes") else tuple(map(str, columns))


def clean_rows(values: npt.ArrayLike, what: str, name: str, missing: str, least: int) -> Floats:
    """Finite float64 rows of shape (n, d), n >= `least`; a row that misses a value is missing as a whole."""
    array = as_numbers(values, what, name)
    if array.ndim != 2 or not array.shape[1]:
        raise DataError(
            f"{name}: the {what} must have shape (n, d), d >= 1, got {array.shape}; one column is values[:, None]"
        )
    finite = np.isfinite(array)
    if not finite.all():
        if missing != "skip":
            row, column = np.argwhere(~finite)[0].tolist()
            raise DataError(
                f"{name}: the {what} holds {array[row, column]} in row {row}, column {column}; "
                "or construct with missing='skip'"
            )
        array = array[finite.all(axis=1)]
    if len(array) < least:
        raise DataError(f"{name}: the {what} must have at least {least} rows, got {len(array)}")
    if np.abs(array).max() > LARGEST:
        raise DataError(f"{name}: the {what} holds values beyond {LARGEST:g}, whose squares would overflow")
    return array + 0.0  # one zero: rows of -0.0 and 0.0 are the same


def in_order(rows: Floats) -> Floats:
    """The rows in lexicographic order, first column first."""
    return np.ascontiguousarray(rows[np.lexsort(rows.T[::-1])])


def generator(seed: int, *samples: Floats) -> np.random.Generator:
    """Of draws that are the same for the same samples and seed, and new ones for others.

    The rows are in order: a seed alone would draw the same ranks of every sample, and a split of fixed ranks is no random
    one. A linear MMD of level 0.1 so alarmed in 0 to 19 % of steady windows, according to size and columns.
    """
    digest = hashlib.blake2b(digest_size=16)
    for sample in samples:
        digest.update(np.ascontiguousarray(sample, "<f8").tobytes())
    return np.random.default_rng([seed, int.from_bytes(digest.digest(), "little")])


def assignments(
    first: int, total: int, permutations: int, seed: int | np.random.Generator
) -> npt.NDArray[np.bool_]:
    """Which rows belong to the first sample, shape (total, 1 + permutations): as they do, then drawn at random."""
    member = np.zeros((1 + permutations, total), bool)
    member[:, :first] = True
    rng = np.random.default_rng(seed)
    member[1:] = rng.permuted(member[1:], axis=1)
    return np.ascontiguousarray(member.T)


def trained_on(size: int, share: float, rng: np.random.Generator, least: int = 1) -> npt.NDArray[np.bool_]:
    """Which rows of a sample are learnt from, drawn: at least `least`, and not the last `least`."""
    count = min(size - least, max(least, round(share * size)))
    chosen: npt.NDArray[np.bool_] = rng.permutation(size) < count
    return chosen


def permutation_p_value(statistics: Floats, scale: float = 1.0) -> float:
    """Share of statistics, the observed first one among them, that reach it.

    Permutations that only exchange equal rows give the same number but for rounding, of which 1e-12 `scale` is forgiven.
    """
    return float(np.mean(statistics >= statistics[0] - 1e-12 * scale))


def require_attainable(name: str, alpha: float, permutations: int) -> None:
    """Refuse so few permutations that the least p-value, 1 / (permutations + 1), is no drift."""
    if 1 / (permutations + 1) >= alpha:
        raise ParameterError(name, "permutations", permutations, f"at least 1 / alpha = {1 / alpha:g}")
