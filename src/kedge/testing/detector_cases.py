"""A detector with one set of parameters, and the seeded data that the checks feed it."""

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from kedge.drift import BatchDetector, DetectorSpec, StreamingDetector

Detector = type[StreamingDetector] | type[BatchDetector]
Expected = TypeVar("Expected", bound=Exception)
Floats = npt.NDArray[np.float64]
SEED = 20130101
WIDTH = 3
"""Length of the vectors fed to detectors that take such."""


@dataclasses.dataclass(frozen=True)
class Case:
    """A detector class and the parameters to construct it with."""

    cls: Any
    params: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.cls.__name__}({', '.join(f'{name}={value!r}' for name, value in self.params.items())})"

    @property
    def spec(self) -> DetectorSpec:
        spec: DetectorSpec = self.cls.spec
        return spec

    @property
    def takes(self) -> str:
        """What these parameters make the detector take."""
        if self.params.get("binning") == "categories":
            return "categorical"
        return "vector" if self.params.get("uncertainty") == "deviation" else self.spec.input

    @property
    def of_rows(self) -> bool:
        """Whether samples have shape (n, d), not (n,)."""
        return self.takes in ("vector", "probabilities", "labelled")

    @property
    def n(self) -> int:
        """How many values or rows the samples have: fewer rows, whose tests draw permutations and train models."""
        return 160 if self.of_rows else 800

    def make(self, **changed: Any) -> Any:
        """A new detector."""
        return self.cls(**{**self.params, **changed})


def raises(kind: type[Expected], action: Callable[[], Any]) -> Expected:
    """The exception of that kind which the action raises."""
    try:
        action()
    except kind as error:
        return error
    raise AssertionError(f"expected {kind.__name__}, nothing was raised")


def noisy_stream(case: Case, n: int = 3000) -> Floats:
    """Three levels in noise: for comparing ways of feeding a detector."""
    rng = np.random.default_rng(SEED)
    if case.takes == "binary":
        return (rng.random(n) < np.repeat([0.2, 0.7, 0.1], -(-n // 3))[:n]).astype(np.float64)
    if case.takes == "outcome":
        return _outcomes(rng, np.repeat([0.2, 0.7, 0.1], -(-n // 3))[:n])
    values = rng.normal(0, 1, (n, WIDTH) if case.of_rows else n)
    values[n // 3 :] += 3
    values[2 * n // 3 :] -= 6
    return values


def clear_shift(case: Case, direction: str, n: int = 1000) -> Floats:
    """`n` values at one level, then `n` far from it in that direction."""
    rng = np.random.default_rng(SEED)
    if case.takes == "binary":
        levels = (0.05, 0.95) if direction == "up" else (0.95, 0.05)
        return (rng.random(2 * n) < np.repeat(levels, n)).astype(np.float64)
    if case.takes == "outcome":
        return _outcomes(rng, np.repeat([0.05, 0.95] if direction == "up" else [0.95, 0.05], n))
    values = rng.normal(0, 0.1, (2 * n, WIDTH) if case.of_rows else 2 * n)
    values[n:] += 3 if direction == "up" else -3
    return values


def _outcomes(rng: np.random.Generator, errors: Floats) -> Floats:
    """Twice the true class plus the predicted one, wrong with these chances."""
    truth = rng.random(len(errors)) < 0.5
    return (2 * truth + (truth ^ (rng.random(len(errors)) < errors))).astype(np.float64)


def constants(case: Case) -> tuple[float, ...]:
    """Levels that never change."""
    levels = {"binary": (0.0, 1.0), "outcome": (0.0, 1.0, 2.0, 3.0)}
    return levels.get(case.takes, (0.0, 1.0, -3.5, 1e9, 0.1))


def constant(case: Case, value: float, n: int) -> Floats:
    """`n` times the same value, or vector of it."""
    return np.full((n, WIDTH) if case.of_rows else n, value)


def samples(case: Case, shift: float) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """A reference and a window that differ by `shift` standard deviations; both alike where it is 0."""
    rng = np.random.default_rng(SEED)
    if case.of_rows:
        return _rows(case, rng, 0.0), _rows(case, rng, shift)
    reference, window = rng.normal(0, 1, case.n), rng.normal(shift, 1, case.n)
    if case.takes == "categorical":
        names = np.array(["a", "b", "c", "d"])
        edges = [-1.0, 0.0, 1.0]
        return names[np.digitize(reference, edges)], names[np.digitize(window, edges)]
    return reference, window


def _rows(case: Case, rng: np.random.Generator, shift: float) -> Floats:
    rows = rng.normal(shift, 1 + shift, (case.n, 3))
    if case.takes == "probabilities":
        return _shares(3 * rng.normal(0, 1, (case.n, 3)) / (1 + 4 * shift))
    if case.takes == "labelled":  # the boundary between the classes moves too
        return np.column_stack([rows, rows[:, 0] + rng.normal(0, 0.3, case.n) > 3 * shift])
    return rows


def _shares(scores: Floats) -> Floats:
    weights: Floats = np.exp(scores)
    shares: Floats = weights / weights.sum(axis=1, keepdims=True)
    return shares


def two_values(case: Case) -> tuple[Any, Any]:
    """Two different values (or rows) that the detector takes."""
    values: dict[str, tuple[Any, Any]] = {
        "categorical": ("a", "b"),
        "vector": ([3.0, 3.0, 3.0], [4.0, 5.0, 7.0]),
        "probabilities": ([0.9, 0.05, 0.05], [0.4, 0.35, 0.25]),
        "labelled": ([3.0, 3.0, 3.0, 0.0], [4.0, 5.0, 7.0, 1.0]),
    }
    return values.get(case.takes, (3.0, 4.0))


def holed(case: Case, sample: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The sample with missing values before, within and after."""
    places = [0, len(sample) // 2, len(sample)]
    if not case.of_rows:
        return np.insert(sample.astype(object), places, [math.nan, math.inf, math.nan])
    bad = np.ones((3, sample.shape[1]))
    bad[:, 0], bad[1, 1] = [math.nan, 1.0, math.inf], -math.inf
    return np.insert(sample, places, bad, axis=0)
