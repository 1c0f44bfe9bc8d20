"""A kernel on learnt features, and what makes its two-sample test powerful, with gradients by hand."""

import dataclasses

import numpy as np

from kedge.drift.batch import pairwise
from kedge.drift.batch.ascent import climb
from kedge.drift.batch.base import Floats

VARIANCE_FLOOR = 1e-8
"""Added to the variance under a change, for samples so small that it is none."""


@dataclasses.dataclass(frozen=True)
class Shape:
    """Columns of the rows, units of the two hidden layers, and of the features."""

    columns: int
    hidden: int

    def layers(self) -> tuple[tuple[int, int], ...]:
        """Inputs and outputs of each layer."""
        return ((self.columns, self.hidden), (self.hidden, self.hidden), (self.hidden, self.hidden))

    @property
    def size(self) -> int:
        """Numbers in all: weights and intercepts of the layers, then three of the kernel."""
        return sum((inputs + 1) * outputs for inputs, outputs in self.layers()) + 3

    def split(self, learnt: Floats) -> list[Floats]:
        """The layers, each of shape (inputs + 1, outputs), the last row its intercepts."""
        found, begin = [], 0
        for inputs, outputs in self.layers():
            end = begin + (inputs + 1) * outputs
            found.append(learnt[begin:end].reshape(inputs + 1, outputs))
            begin = end
        return found


def features(rows: Floats, layers: list[Floats]) -> tuple[Floats, list[Floats]]:
    """The network's answers, and what entered each layer: softplus between the layers, none after the last."""
    entered, values = [], rows
    for place, layer in enumerate(layers):
        if place:
            values = np.logaddexp(0.0, values)
        entered.append(values)
        values = values @ layer[:-1] + layer[-1]
    return values, entered


def kernel_of(rows: Floats, learnt: Floats, shape: Shape) -> pairwise.Block:
    """Blocks of the kernel between rows."""
    share = _share(learnt)
    deep = pairwise.gaussian(features(rows, shape.split(learnt))[0], float(np.exp(learnt[-2])))
    plain = pairwise.gaussian(rows, float(np.exp(learnt[-1])))

    def block(here: slice, there: slice) -> Floats:
        found: Floats = ((1 - share) * deep(here, there) + share) * plain(here, there)
        return found

    return block


def _share(learnt: Floats) -> float:
    """Epsilon, between 0 and 1 by a logistic function."""
    return float(1 / (1 + np.exp(-learnt[-3])))


def _gaussian(rows: Floats, log_bandwidth: float) -> tuple[Floats, Floats]:
    """Kernel values, and squared distances over the squared bandwidth."""
    scaled = pairwise.all_pairs(pairwise.squared_distances(rows / np.exp(log_bandwidth)), len(rows))
    return np.exp(-scaled / 2), scaled


def power_ratio(kernel: Floats) -> tuple[float, Floats]:
    """Unbiased squared MMD over its deviation under a change, and its gradient by the kernel's values.

    Of two samples of n rows each, one after the other; with H_ij = k(x_i, x_j) + k(y_i, y_j) - k(x_i, y_j) - k(y_i, x_j), the
    estimate is the mean of H off its diagonal, and its variance 4 / n^3 sum_i (sum_j H_ij)^2 - 4 / n^4 (sum_ij H_ij)^2.
    """
    size = len(kernel) // 2
    x, y = slice(0, size), slice(size, None)
    h = kernel[x, x] + kernel[y, y] - kernel[x, y] - kernel[y, x]
    rows, total = h.sum(axis=1), float(h.sum())
    pairs = size * (size - 1)
    estimate = (total - float(np.trace(h))) / pairs
    variance = max(4 / size**3 * float(rows @ rows) - 4 / size**4 * total**2, 0.0) + VARIANCE_FLOOR
    deviation = float(np.sqrt(variance))
    by_variance = (8 / size**3) * rows[:, None] - (8 / size**4) * total
    slope = (1 - np.eye(size)) / (pairs * deviation) - estimate / (2 * deviation**3) * by_variance
    slope = (slope + slope.T) / 2
    return estimate / deviation, np.block([[slope, -slope], [-slope, slope]])


def objective(learnt: Floats, rows: Floats, shape: Shape) -> tuple[float, Floats]:
    """The ratio for two samples of as many rows, and its gradient by all that is learnt."""
    layers, share = shape.split(learnt), _share(learnt)
    answers, entered = features(rows, layers)
    deep, deep_scaled = _gaussian(answers, learnt[-2])
    plain, plain_scaled = _gaussian(rows, learnt[-1])
    value, slope = power_ratio(((1 - share) * deep + share) * plain)
    by_deep = slope * plain * (1 - share) * deep
    by_plain = slope * ((1 - share) * deep + share) * plain
    by_share = float(np.sum(slope * plain * (1 - deep))) * share * (1 - share)
    # A squared distance over the bandwidth's square enters as -1/2 of itself; pairs count twice, as the matrix does.
    by_answers = -2 * (by_deep.sum(axis=1)[:, None] * answers - by_deep @ answers) / np.exp(2 * learnt[-2])
    gradients: list[Floats] = []
    for place in range(len(layers) - 1, -1, -1):
        ones = np.append(entered[place], np.ones((len(rows), 1)), axis=1)
        gradients.insert(0, (ones.T @ by_answers).ravel())
        if place:  # softplus' slope is 1 - exp(-softplus)
            by_answers = (by_answers @ layers[place][:-1].T) * -np.expm1(-entered[place])
    kernels = [by_share, float(np.sum(by_deep * deep_scaled)), float(np.sum(by_plain * plain_scaled))]
    return value, np.concatenate([*gradients, kernels])


def learn(
    first: Floats, second: Floats, *, hidden: int, steps: int, batch: int, rng: np.random.Generator
) -> tuple[Floats, Shape]:
    """A kernel with a large ratio on these rows: the best of some widths, then ascent on drawn batches."""
    shape = Shape(first.shape[1], hidden)
    size = min(len(first), len(second), batch)

    def drawn() -> Floats:
        return np.concatenate([each[rng.permutation(len(each))[:size]] for each in (first, second)])

    layers = [
        np.append(
            rng.normal(0, 1 / np.sqrt(inputs), (inputs, outputs)), np.zeros((1, outputs)), axis=0
        ).ravel()
        for inputs, outputs in shape.layers()
    ]
    start = np.concatenate([*layers, np.zeros(3)])
    rows = drawn()
    median = np.log(pairwise.median_distance(rows, 0))
    start[-2] = np.log(pairwise.median_distance(features(rows, shape.split(start))[0], 0))
    starts = []
    for factor in (0.0, -0.7, -1.4, -2.1):
        start[-1] = median + factor
        starts.append(start.copy())
    best = max(starts, key=lambda each: objective(each, rows, shape)[0])
    low, high = np.full(len(start), -np.inf), np.full(len(start), np.inf)
    low[-1], high[-1] = median - 4, median + 3
    low[-2], high[-2] = start[-2] - 4, start[-2] + 3
    low[-3], high[-3] = -10.0, 10.0
    return climb(
        lambda at: objective(at, drawn(), shape), best, steps=steps, rate=0.01, low=low, high=high
    ), shape
