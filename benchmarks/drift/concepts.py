"""Streams that drift: the errors of a naive Bayes classifier on River's generators, and normal values; change points known."""

import dataclasses
import functools
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit
from river.datasets import synth

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LEARNT, BEFORE, AFTER, WIDTH = 1000, 2000, 3000, 1000
"""Values that only teach the classifier, before the change, after it, and of a change that takes time."""
SHAPES = ("abrupt", "gradual", "incremental", "recurring")


@dataclasses.dataclass(frozen=True)
class Stream:
    """Values for a detector, and the stretches in which an alarm tells of a change: from it to the next."""

    values: Floats
    changes: tuple[tuple[int, int], ...]


@dataclasses.dataclass(frozen=True)
class Generator:
    """One of River's, its concepts from the first to the last, and those between where there are any."""

    name: str
    make: Callable[[int, int], Any]
    """From a concept and a seed."""
    concepts: tuple[int, ...]
    categories: tuple[int, ...] = ()
    """How many values each attribute has, where all are categories."""
    noise: float = 0.0
    """Share of labels that are drawn anew, where the generator has no noise of its own."""

    @property
    def shapes(self) -> tuple[str, ...]:
        """Incremental drift needs concepts in between."""
        return SHAPES if len(self.concepts) > 2 else tuple(each for each in SHAPES if each != "incremental")


GENERATORS = (
    # Variants in the order of their thresholds: 7, 8, 9, 9.5.
    Generator("SEA", lambda concept, seed: synth.SEA(variant=concept, noise=0.05, seed=seed), (2, 0, 1, 3)),
    Generator("Sine", lambda concept, seed: synth.Sine(concept, seed=seed), (0, 1), noise=0.1),
    Generator("Agrawal", lambda concept, seed: synth.Agrawal(concept, seed=seed), (0, 2)),
    Generator(
        "STAGGER", lambda concept, seed: synth.STAGGER(concept, seed=seed), (0, 1), (3, 3, 3), noise=0.1
    ),
    Generator(
        "LED",
        lambda concept, seed: synth.LEDDrift(seed, 0.1, irrelevant_features=True, n_drift_features=concept),
        (0, 1, 3, 5, 7),
    ),
    Generator("Mixed", lambda concept, seed: synth.Mixed(concept, seed=seed), (0, 1), noise=0.1),
)


@functools.cache
def _pool(generator: Generator, place: int, size: int) -> tuple[Floats, Ints]:
    """Instances of one concept."""
    made = generator.make(generator.concepts[place], 100 + place)
    rows, labels = [], []
    for x, y in itertools.islice(iter(made), size):
        rows.append([float(each) for each in x.values()])
        labels.append(int(y))
    attributes = np.array(rows)
    if generator.categories:
        columns = zip(attributes.T, generator.categories, strict=True)
        attributes = np.column_stack([column == value for column, n in columns for value in range(n)])
    return attributes.astype(np.float64), np.array(labels)


def error_stream(generator: Generator, shape: str, seed: int, pool: int) -> Stream:
    """The classifier's errors, tested before it learns from each instance; it goes on learning. "" is no drift.

    Instances are drawn with replacement from `pool` of each concept.
    """
    rng = np.random.default_rng((seed, len(shape)))
    n = LEARNT + BEFORE + AFTER
    last = len(generator.concepts) - 1
    shares, changes = _course(shape, rng)
    if shape == "incremental":
        places = np.minimum((shares * (last + 1)).astype(np.int64), last)
    else:
        places = np.where(rng.random(BEFORE + AFTER) < shares, last, 0)
    places = np.concatenate([np.zeros(LEARNT, np.int64), places])
    drawn = rng.integers(0, pool, n)
    attributes, labels = _pool(generator, 0, pool)
    xs, ys = attributes[drawn], labels[drawn]
    for place in range(1, last + 1):
        chosen = places == place
        if chosen.any():
            others = _pool(generator, place, pool)
            xs[chosen], ys[chosen] = others[0][drawn[chosen]], others[1][drawn[chosen]]
    noisy = rng.random(n) < generator.noise
    ys[noisy] = rng.integers(0, ys.max() + 1, int(noisy.sum()))
    return Stream(_errors(xs, ys, int(ys.max()) + 1)[LEARNT:], changes)


def value_stream(shape: str, seed: int, size: float) -> Stream:
    """Normal values whose mean goes from 0 to `size`: at once, in ever more of the values, slowly, or to and fro."""
    rng = np.random.default_rng((seed, len(shape), 1))
    shares, changes = _course(shape, rng)
    means = shares if shape == "incremental" else (rng.random(len(shares)) < shares).astype(np.float64)
    return Stream(rng.normal(0, 1, BEFORE + AFTER) + size * means, changes)


def _course(shape: str, rng: np.random.Generator) -> tuple[Floats, tuple[tuple[int, int], ...]]:
    """How much of the new concept there is at each value. Changes come at a random place, so that no clock fits them."""
    n = BEFORE + AFTER
    start = BEFORE - int(rng.integers(0, 100))
    shares = np.zeros(n)
    end = start + WIDTH
    if shape == "abrupt":
        shares[start:] = 1.0
    elif shape in ("gradual", "incremental"):
        shares[start:end] = np.linspace(0, 1, WIDTH)
        shares[end:] = 1.0
    elif shape == "recurring":
        shares[start:end] = 1.0
        return shares, ((start, end), (end, n))
    return shares, ((start, n),) if shape else ()


@njit(cache=True)
def _errors(xs: Floats, ys: Ints, classes: int) -> Floats:
    """Prequential errors of naive Bayes with normal attributes."""
    n, d = xs.shape
    counts = np.zeros(classes)
    means, squares = np.zeros((classes, d)), np.zeros((classes, d))
    wrong = np.zeros(n)
    for i in range(n):
        best, likeliest = -np.inf, 0
        for c in range(classes):
            if counts[c] == 0.0:
                continue
            score = np.log(counts[c])
            for j in range(d):
                variance = (squares[c, j] + 0.01) / counts[c]
                score -= 0.5 * (np.log(variance) + (xs[i, j] - means[c, j]) ** 2 / variance)
            if score > best:
                best, likeliest = score, c
        wrong[i] = 0.0 if likeliest == ys[i] else 1.0
        c = ys[i]
        counts[c] += 1.0
        for j in range(d):
            step = xs[i, j] - means[c, j]
            means[c, j] += step / counts[c]
            squares[c, j] += step * (xs[i, j] - means[c, j])
    return wrong


def steady_errors(generator: Generator, runs: int, seed: int, pool: int) -> Iterator[Floats]:
    """Error streams without drift."""
    for run in range(runs):
        yield error_stream(generator, "", seed + run, pool).values
