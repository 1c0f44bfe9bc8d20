"""Spot the difference: mean embeddings at locations learnt to tell window and reference apart."""

import dataclasses
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from kedge.drift.batch import pairwise
from kedge.drift.batch.ascent import climb
from kedge.drift.batch.base import Floats, TestResult
from kedge.drift.batch.vectors import (
    VectorDetector,
    assignments,
    generator,
    permutation_p_value,
    require_attainable,
    trained_on,
)
from kedge.drift.spec import Choice, DetectorSpec, Interval

RIDGE = 1e-5
"""Added to the variances of kernel values, which are at most 1/4."""

CANDIDATES = 100
"""Rows among which the search begins."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class LocationsTestResult(TestResult):
    """A `TestResult` that says where the samples differ, the clearest place first.

    `locations` are points in the unit of the columns, `width` the size of the neighbourhoods around them in standard
    deviations of the columns. `differences` are positive where the window has more rows near the location than the
    reference, negative where fewer: the mean kernel value of the window's rows held out less that of the reference's, so
    at most 1 in size.
    """

    locations: tuple[tuple[float, ...], ...] = ()
    differences: tuple[float, ...] = ()
    width: float = 1.0


class SpotTheDiff(VectorDetector):
    """Where do the rows of window and reference differ, and is it more than chance?

    On some rows of both samples, places are sought where the window has clearly more or fewer rows than the reference; on
    the other rows these differences are tested. The result shows the places: rows as they might be, to look at. Columns
    are standardised by the rows that places are sought on.

    The statistic is n m / (n + m) d'(C + ridge I)^-1 d, with d the differences between the mean Gaussian kernel values of
    both samples at the places and C the covariance of these values; places and the kernel's width are those that make it
    largest where they are sought. Its p-value is by permutation of the rows held out.

    Parameters
    ----------
    alpha : float in (0, 1), default 0.05
        Chance of a false alarm on one window. Larger values find smaller changes.
    locations : int in [1, 100], default 3
        Places to learn. More places find changes of more kinds, but each needs rows to be learnt from.
    train_share : float in (0, 1), default 0.5
        Share of the rows that places are sought on. Larger values give better places and a coarser test.
    steps : int in [0, 10000], default 100
        Of the search, which begins at the best of some drawn rows. More steps find better places for these rows.
    permutations : int in [1, 100000], default 500
        Draws of the permutation test. More permutations tell smaller p-values. At least 1 / alpha.
    seed : int in [0, 2**63), default 0
        Of the split, the rows that the search begins at, and the permutations.
    missing : "raise" or "skip", default "raise"
        What rows with NaN or infinities do.

    Raises
    ------
    ParameterError
        An argument breaks its rule, or with so few permutations no p-value could be below alpha.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> reference, window = rng.normal(0, 1, (400, 2)), rng.normal(0, 1, (400, 2))
    >>> window[:60] = rng.normal([3, 3], 0.3, (60, 2))  # a new group
    >>> result = SpotTheDiff(locations=1).fit(reference).test(window)
    >>> result.drift, bool(np.abs(np.array(result.locations[0]) - 3).max() < 1), result.differences[0] > 0
    (True, True, True)

    References
    ----------
    Jitkrittum, Szabo, Chwialkowski, Gretton (2016), Interpretable distribution features with maximum testing power, NIPS:
    the statistic of equation (1), proposition 1 (what is made largest), section 3. Hotelling (1931), The generalization of
    Student's ratio, for samples of two sizes.
    """

    least: ClassVar[int] = 8
    spec: ClassVar[DetectorSpec] = DetectorSpec(
        name="SpotTheDiff",
        mode="batch",
        input="vector",
        direction="both",
        params={
            "alpha": Interval(float, 0, 1, "neither"),
            "locations": Interval(int, 1, 100),
            "train_share": Interval(float, 0, 1, "neither"),
            "steps": Interval(int, 0, 10_000),
            "permutations": Interval(int, 1, 100_000),
            "seed": Interval(int, 0, 2**63, "left"),
            "missing": Choice(("raise", "skip")),
        },
        paper="Jitkrittum et al. 2016",
        equations="n m / (n + m) d'(C + 1e-5 I)^-1 d, d = mean k(y, v_j) - mean k(x, v_j), v_j learnt on other rows",
        false_alarms="alpha a window (exact by permutation of rows held out)",
        cost="O((n + m) locations (d steps + permutations)) a window",
        libraries=("Alibi Detect",),
        examples=({}, {"locations": 1, "train_share": 0.3, "permutations": 400, "alpha": 0.01, "seed": 3}),
        expected_failures={
            "the_same_sample_is_at_no_distance": "other rows of the one are held out than of the other"
        },
    )

    def __init__(
        self,
        alpha: float = 0.05,
        *,
        locations: int = 3,
        train_share: float = 0.5,
        steps: int = 100,
        permutations: int = 500,
        seed: int = 0,
        missing: Literal["raise", "skip"] = "raise",
    ) -> None:
        self.alpha = alpha
        self.locations = locations
        self.train_share = train_share
        self.steps = steps
        self.permutations = permutations
        self.seed = seed
        self.missing = missing
        super().__init__()
        require_attainable(self.spec.name, alpha, permutations)

    def _compare(self, reference: Floats, window: Floats) -> LocationsTestResult:
        rng = generator(self.seed, reference, window)
        chosen = [trained_on(len(each), self.train_share, rng, 2) for each in (reference, window)]
        sought = np.concatenate([reference[chosen[0]], window[chosen[1]]])
        mean, deviation = sought.mean(axis=0), sought.std(axis=0)
        deviation = np.where(deviation > 1e-14 * np.abs(sought).max(axis=0), deviation, 1.0)
        learnt = learn((sought - mean) / deviation, int(chosen[0].sum()), self.locations, self.steps, rng)
        places, width = learnt[:-1].reshape(self.locations, -1), float(np.exp(learnt[-1]))
        first = int((~chosen[0]).sum())
        rest = np.concatenate([reference[~chosen[0]], window[~chosen[1]]])
        values, _ = similarities((rest - mean) / deviation, places, width)
        groups = assignments(first, len(rest), self.permutations, self.seed)
        found, differences = permuted(values, groups)
        order = np.argsort(-np.abs(differences), kind="stable")
        result = self._significant(
            found[0],
            permutation_p_value(found, 1 + abs(found[0])),
            self.alpha,
            len(window),
            f"{self.permutations} permutations of rows held out, {self.locations} locations",
        )
        told: dict[str, Any] = {
            each.name: getattr(result, each.name) for each in dataclasses.fields(TestResult)
        }
        return LocationsTestResult(
            **told,
            locations=tuple(tuple(each) for each in (places[order] * deviation + mean).tolist()),
            differences=tuple(differences[order].tolist()),
            width=width,
        )


def similarities(rows: Floats, places: Floats, width: float) -> tuple[Floats, Floats]:
    """Gaussian kernel values and squared distances, shape (rows, places)."""
    distances = np.stack([np.sum((rows - place) ** 2, axis=1) for place in places], axis=1)
    return np.exp(-distances / (2 * width**2)), distances


def permuted(values: Floats, groups: npt.NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """The statistic of every grouping of rows, and the differences of the first, for kernel values at the places.

    The covariance within the groups is that of all rows less what their difference makes of it, so that with
    q = n m / (n + m) d'T^-1 d, T the sums of squares about the common mean plus the ridge's, the statistic is
    (n + m - 2) q / (1 - q): one decomposition serves all groupings.
    """
    first = int(groups[:, 0].sum())
    second = len(values) - first
    share = first * second / len(values)
    centred = values - values.mean(axis=0)
    total = centred.T @ centred + (len(values) - 2) * RIDGE * np.eye(values.shape[1])
    differences = np.where(groups, -1 / first, 1 / second).T @ centred
    quotients = share * np.einsum("ij,ji->i", differences, np.linalg.solve(total, differences.T))
    return (len(values) - 2) * quotients / (1 - quotients), differences[0]


def objective(learnt: Floats, rows: Floats, first: int, count: int) -> tuple[float, Floats]:
    """The statistic of places and the logarithm of the width, in one vector, and its gradient.

    The first rows are the reference's. A row's kernel values z enter by the mean of its sample and by its deviation s from
    that, so the derivative by z is 2 w (+-1 / size) - 2 w (w's) / (n + m - 2), times n m / (n + m), with w = C^-1 d.
    """
    second = len(rows) - first
    places, width = learnt[:-1].reshape(count, -1), np.exp(learnt[-1])
    values, distances = similarities(rows, places, float(width))
    means = np.stack([values[:first].mean(axis=0), values[first:].mean(axis=0)])
    deviations = values - np.repeat(means, [first, second], axis=0)
    covariance = deviations.T @ deviations / (len(rows) - 2) + RIDGE * np.eye(count)
    difference = means[1] - means[0]
    weights = np.linalg.solve(covariance, difference)
    share = first * second / len(rows)
    pull = np.repeat([-1 / first, 1 / second], [first, second]) - deviations @ weights / (len(rows) - 2)
    slopes = 2 * share * np.outer(pull, weights) * values / width**2
    by_places = slopes.T @ rows - slopes.sum(axis=0)[:, None] * places
    gradient = np.append(by_places.ravel(), np.sum(slopes * distances))
    return float(share * difference @ weights), gradient


def selected(values: Floats, first: int, count: int) -> list[int]:
    """Columns of kernel values that, each added to those before, make the statistic largest."""
    centred = values - values.mean(axis=0)
    total = centred.T @ centred + len(values) * RIDGE * np.eye(values.shape[1])
    differences = values[first:].mean(axis=0) - values[:first].mean(axis=0)
    found = []
    for _ in range(count):
        best = int(np.argmax(differences**2 / total.diagonal()))
        found.append(best)
        column = total[:, best] / total[best, best]
        differences = differences - column * differences[best]
        total = total - np.outer(column, total[best]) + len(values) * RIDGE * 1e-3 * np.eye(len(total))
    return found


def learn(rows: Floats, first: int, count: int, steps: int, rng: np.random.Generator) -> Floats:
    """Places and the logarithm of the width with a large statistic on these rows: the best of a few widths, improved."""
    median = pairwise.median_distance(rows, int(rng.integers(2**31)))
    candidates = rows[rng.permutation(len(rows))[:CANDIDATES]]
    starts = []
    for factor in (0.5, 0.25, 0.125):
        values, _ = similarities(rows, candidates, median * factor)
        places = candidates[selected(values, first, count)]
        starts.append(np.append(places.ravel(), np.log(median * factor)))
    best = max(starts, key=lambda start: objective(start, rows, first, count)[0])
    # Wider kernels make a slope of the whole sample, with places at its corners: powerful, but nothing to look at.
    low = np.append(np.tile(rows.min(axis=0), count), np.log(median / 20))
    high = np.append(np.tile(rows.max(axis=0), count), np.log(median / 2))
    return climb(
        lambda at: objective(at, rows, first, count), best, steps=steps, rate=0.1, low=low, high=high
    )
