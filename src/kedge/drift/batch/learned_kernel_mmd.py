"""Maximum mean discrepancy with a learnt kernel."""

from typing import ClassVar, Literal

import numpy as np

from kedge.drift.batch import deep_kernel, pairwise
from kedge.drift.batch.base import Floats, TestResult
from kedge.drift.batch.mmd import unbiased
from kedge.drift.batch.vectors import (
    VectorDetector,
    assignments,
    generator,
    permutation_p_value,
    require_attainable,
    trained_on,
)
from kedge.drift.spec import Choice, DetectorSpec, Interval


class LearnedKernelMMD(VectorDetector):
    """Do rows differ, by the kernel that tells them apart best: on what scale, along which features?

    On some rows of both samples a kernel is learnt that promises the most power; on the others it is tested. The kernel is
    [(1 - epsilon) k(f(x), f(y)) + epsilon] q(x, y) with Gaussian k and q and a small network f; network, widths and epsilon
    are learnt together. It finds what the median distance of `MMD` is too coarse for, such as a change within each of many
    groups, and needs more rows: half of them only teach. Columns are standardised by the rows learnt from. The statistic is
    the unbiased squared MMD of the rows held out.

    Parameters
    ----------
    alpha : float in (0, 1), default 0.05
        Chance of a false alarm on one window. Larger values find smaller changes.
    hidden : int in [1, 1000], default 20
        Units of either hidden layer, and features. Larger values learn finer features, from more rows.
    steps : int in [0, 100000], default 200
        Of the ascent. More steps fit the rows learnt from better.
    batch : int in [2, 10000], default 200
        Rows of either sample in a step. Larger values make better steps, at squared cost.
    train_share : float in (0, 1), default 0.5
        Share of the rows learnt from. Larger values make a better kernel and a coarser test.
    permutations : int in [1, 100000], default 100
        Draws of the permutation test. More permutations tell smaller p-values. At least 1 / alpha.
    seed : int in [0, 2**63), default 0
        Of the split, the network's start, the batches and the permutations.
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
    >>> def blobs(n, slant):
    ...     spread = rng.normal(0, 0.1, (n, 2))
    ...     spread[:, 1] = slant * spread[:, 0] + 0.3 * spread[:, 1]
    ...     return rng.integers(0, 3, (n, 2)) + spread
    >>> detector = LearnedKernelMMD().fit(blobs(400, slant=1))
    >>> detector.test(blobs(400, slant=-1)).drift
    True

    References
    ----------
    Liu, Xu, Lu, Zhang, Gretton, Sutherland (2020), Learning deep kernels for non-parametric two-sample tests, ICML:
    equation (1) (the kernel), (2) (the estimate), (4) and (5) (what is made largest), algorithm 1.
    """

    least: ClassVar[int] = 8
    spec: ClassVar[DetectorSpec] = DetectorSpec(
        name="LearnedKernelMMD",
        mode="batch",
        input="vector",
        direction="both",
        params={
            "alpha": Interval(float, 0, 1, "neither"),
            "hidden": Interval(int, 1, 1000),
            "steps": Interval(int, 0, 100_000),
            "batch": Interval(int, 2, 10_000),
            "train_share": Interval(float, 0, 1, "neither"),
            "permutations": Interval(int, 1, 100_000),
            "seed": Interval(int, 0, 2**63, "left"),
            "missing": Choice(("raise", "skip")),
        },
        paper="Liu et al. 2020",
        equations="MMD with [(1 - epsilon) k(f(x), f(y)) + epsilon] q(x, y), learnt for the most MMD^2 / sigma on other rows",
        false_alarms="alpha a window (exact by permutation of rows held out)",
        cost="O(steps batch^2 (d + hidden) + (n + m)^2 (d + hidden + permutations)) a window",
        libraries=("Alibi Detect",),
        examples=(
            {"steps": 30},
            {"hidden": 5, "steps": 20, "batch": 50, "permutations": 400, "alpha": 0.01, "seed": 3},
        ),
        expected_failures={
            "the_same_sample_is_at_no_distance": "other rows of the one are held out than of the other"
        },
    )

    def __init__(
        self,
        alpha: float = 0.05,
        *,
        hidden: int = 20,
        steps: int = 200,
        batch: int = 200,
        train_share: float = 0.5,
        permutations: int = 100,
        seed: int = 0,
        missing: Literal["raise", "skip"] = "raise",
    ) -> None:
        self.alpha = alpha
        self.hidden = hidden
        self.steps = steps
        self.batch = batch
        self.train_share = train_share
        self.permutations = permutations
        self.seed = seed
        self.missing = missing
        super().__init__()
        require_attainable(self.spec.name, alpha, permutations)

    def _compare(self, reference: Floats, window: Floats) -> TestResult:
        rng = generator(self.seed, reference, window)
        chosen = [trained_on(len(each), self.train_share, rng, 2) for each in (reference, window)]
        samples = (reference, window)
        taught = np.concatenate([each[which] for each, which in zip(samples, chosen, strict=True)])
        mean, deviation = taught.mean(axis=0), taught.std(axis=0)
        deviation = np.where(deviation > 1e-14 * np.abs(taught).max(axis=0), deviation, 1.0)
        first, second = (
            (each[which] - mean) / deviation for each, which in zip(samples, chosen, strict=True)
        )
        learnt, shape = deep_kernel.learn(
            first, second, hidden=self.hidden, steps=self.steps, batch=self.batch, rng=rng
        )
        rest = [(each[~which] - mean) / deviation for each, which in zip(samples, chosen, strict=True)]
        kernel = deep_kernel.kernel_of(np.concatenate(rest), learnt, shape)
        groups = assignments(len(rest[0]), len(rest[0]) + len(rest[1]), self.permutations, self.seed)
        sums = pairwise.group_sums(kernel, groups)
        found = unbiased(sums, len(rest[0]), len(rest[1]))
        method = f"{self.permutations} permutations of rows held out, {self.steps} steps"
        return self._significant(found[0], permutation_p_value(found), self.alpha, len(window), method)
