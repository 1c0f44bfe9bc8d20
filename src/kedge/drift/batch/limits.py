"""Distributions of statistics for large samples, right into the tail."""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_INTERVALS, _NODES = 50, 24
_NUMBERS: Floats = np.arange(1, 2 * _INTERVALS + 1, dtype=np.float64)


def cramer_von_mises_tail(x: float) -> float:
    """P(W > x) for W the integral of B(u)^2, a sum of chi-squares of weights 1 / (pi j)^2 (Anderson and Darling 1952)."""
    if x < 0.005:
        return 1.0
    return _smirnov(x, (math.pi * _NUMBERS) ** 2, _sine)


def anderson_darling_tail(x: float) -> float:
    """P(A > x) for A the integral of B(u)^2 / (u (1 - u)), of weights 1 / (j (j + 1)) (Anderson and Darling 1952)."""
    if x < 0.05:
        return 1.0
    return _smirnov(x, _NUMBERS * (_NUMBERS + 1), _cosine)


def kuiper_tail(statistic: float, m: int, n: int) -> float:
    """P(V > statistic), with the correction for finite samples of Stephens (1970)."""
    root = math.sqrt(m * n / (m + n))
    x = (root + 0.155 + 0.24 / root) * statistic
    if x < 0.4:  # within 1e-16 of 1, and the series converges slowly there
        return 1.0
    squares = (np.arange(1, 60) * x) ** 2
    return float(np.clip(2 * np.sum((4 * squares - 1) * np.exp(-2 * squares)), 0, 1))


def three_cumulants_tail(x: float, first: float, second: float, third: float) -> float:
    """P(Q > x) for a weighted sum of chi-squares Q with these cumulants, by the chi-square that has them too (Hall 1983)."""
    from scipy import special  # imported with the first p-value

    if second <= 0:
        return 1.0 if x <= first else 0.0
    degrees = 8 * second**3 / third**2
    return float(
        special.gammaincc(degrees / 2, max(degrees + (x - first) * math.sqrt(2 * degrees / second), 0) / 2)
    )


def _smirnov(x: float, roots: Floats, determinant: Callable[[Floats], Floats]) -> float:
    """P(sum of chi-squares / roots > x) (Smirnov 1937): an alternating sum of integrals between pairs of roots.

    exp(-x u / 2) / (u sqrt |D(u)|), D the Fredholm determinant, has a square-root pole at both ends: Gauss-Chebyshev.
    """
    low, high = roots[0::2, None], roots[1::2, None]
    angle = np.cos((2 * np.arange(_NODES) + 1) * np.pi / (2 * _NODES))
    u = (low + high) / 2 + (high - low) / 2 * angle
    values = np.exp(-x * u / 2) / u * np.sqrt((u - low) * (high - u) / np.abs(determinant(u)))
    signs = np.where(np.arange(_INTERVALS) % 2 == 0, 1.0, -1.0)
    return float(np.clip(signs @ values.sum(axis=1) / _NODES, 0, 1))


def _sine(u: Floats) -> Floats:
    return np.sin(np.sqrt(u)) / np.sqrt(u)


def _cosine(u: Floats) -> Floats:
    return np.cos(np.pi / 2 * np.sqrt(1 + 4 * u)) / (np.pi * u)
