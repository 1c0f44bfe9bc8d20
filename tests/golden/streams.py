"""Written-down streams: the same numbers whatever the version of NumPy, for uniform draws of PCG64 alone are taken, and
what is computed of them is rounded."""

import hashlib
import itertools

import numpy as np

SEEDS = 4
KINDS = ("level", "scale", "heavy", "ties")
RATES = ((0.1, 0.3, 0.15), (0.02, 0.05, 0.02), (0.4, 0.25, 0.6), (0.2, 0.2, 0.2))


def normals(rng: np.random.Generator, n: int) -> np.ndarray:
    """By Box and Muller."""
    first, second = rng.random((2, n))
    return np.sqrt(-2 * np.log1p(-first)) * np.cos(2 * np.pi * second)


def real(kind: str, seed: int, n: int = 2400) -> np.ndarray:
    """Three parts of `n / 3` values: changes of level, of scale, of level under heavy tails, and of tied whole numbers."""
    rng = np.random.default_rng([KINDS.index(kind), seed])
    part = np.arange(n) * 3 // n
    if kind == "level":
        values = normals(rng, n) + np.array([0.0, 1.0 + seed, -0.5])[part]
    elif kind == "scale":
        values = normals(rng, n) * np.array([1.0, 2.0 + seed, 0.5])[part]
    elif kind == "heavy":  # Student's t with 2 degrees
        u = rng.random(n)
        values = (2 * u - 1) / np.sqrt(2 * u * (1 - u) + 1e-12) + np.array([0.0, 2.0, -1.0 - seed])[part]
    else:
        values = np.floor(rng.random(n) * np.array([4, 6 + seed, 5])[part])
    return np.round(values, 6)


def reals(n: int = 2400) -> dict[str, np.ndarray]:
    """Every kind with every seed."""
    return {f"{kind} {seed}": real(kind, seed, n) for kind, seed in itertools.product(KINDS, range(SEEDS))}


def errors(n: int = 6000) -> dict[str, np.ndarray]:
    """Zeros and ones of three shares each, with every seed; one of the shares is steady."""
    return {
        f"{'-'.join(map(str, rates))} {seed}": (
            np.random.default_rng([9, k, seed]).random(n) < np.array(rates)[np.arange(n) * 3 // n]
        ).astype(float)
        for (k, rates), seed in itertools.product(enumerate(RATES), range(SEEDS))
    }


def rows(seed: int, n: int, shift: float = 0.0) -> np.ndarray:
    """Rows of three columns of different scales that depend on each other, moved by `shift`; of odd seeds, with ties."""
    rng = np.random.default_rng([17, seed])
    found = normals(rng, 3 * n).reshape(n, 3) * [1.0, 2.0, 0.5] + shift
    found[:, 2] += 0.8 * found[:, 0]
    return np.round(found, 1 if seed % 2 else 6)


def digest(places: list[int]) -> str:
    """How many places, and a hash of them all: where the list itself would be long."""
    return f"{len(places)} {hashlib.sha256(','.join(map(str, places)).encode()).hexdigest()[:16]}"
