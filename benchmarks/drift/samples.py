"""The numbers that both sides of a comparison get; NumPy alone, so that any environment can draw them."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
SEED = 20130101


def normals(n: int) -> Floats:
    """Standard normal values whose mean is 0.5 in the second half."""
    values = np.random.default_rng(SEED).normal(0, 1, n)
    values[n // 2 :] += 0.5
    return values


def errors(n: int) -> Floats:
    """Errors (1) with a rate of 0.2, and 0.4 in the second half."""
    rates = np.where(np.arange(n) < n // 2, 0.2, 0.4)
    return (np.random.default_rng(SEED).random(n) < rates).astype(np.float64)


def tables(rows: int, columns: int) -> tuple[Floats, Floats]:
    """A reference and a window of normal columns, 0.05 apart."""
    rng = np.random.default_rng(SEED)
    return rng.normal(0, 1, (rows, columns)), rng.normal(0.05, 1, (rows, columns))


def clouds(n: int) -> tuple[Floats, Floats]:
    """A reference and a window of rows with ten normal columns, 0.02 apart."""
    rng = np.random.default_rng(1)
    return rng.normal(0, 1, (n, 10)), rng.normal(0.02, 1, (n, 10))
