"""How often do the batch tests find a change, by the size of the window; and how often one that is not there?"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from kedge.drift import (
    HDDDM,
    LSDD,
    MMD,
    NNDVI,
    AndersonDarling,
    BatchDetector,
    BaumgartnerWeissSchindler,
    CramerVonMises,
    EnergyDistanceMultivariate,
    EppsSingleton,
    KdqTree,
    KolmogorovSmirnov,
    Kuiper,
    MannWhitney,
    PCAReconstruction,
    Welch,
)

Floats = npt.NDArray[np.float64]
ALPHA = 0.05
REFERENCE = 500
DIMENSION = 5
COLUMNS: tuple[BatchDetector, ...] = (
    AndersonDarling(),
    BaumgartnerWeissSchindler(),
    CramerVonMises(),
    EppsSingleton(permutations=999),
    KolmogorovSmirnov(),
    Kuiper(),
    MannWhitney(),
    Welch(),
)
ROWS: tuple[BatchDetector, ...] = (
    EnergyDistanceMultivariate(),
    HDDDM(),
    KdqTree(),
    LSDD(),
    MMD(),
    NNDVI(),
    PCAReconstruction(),
)
Change = Callable[[np.random.Generator, tuple[int, ...]], Floats]
CHANGES: dict[str, Change] = {
    "none": lambda rng, size: rng.normal(0, 1, size),
    "shift": lambda rng, size: rng.normal(0.3, 1, size),
    "scale": lambda rng, size: rng.normal(0, 1.4, size),
    # Mean 0 and deviation 1, but two hills.
    "shape": lambda rng, size: rng.normal(0, 0.5, size) + np.sqrt(0.75) * rng.choice([-1.0, 1.0], size),
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Effort:
    """How much to simulate."""

    sizes: tuple[int, ...]
    columns: int
    """Pairs of samples for the univariate tests."""
    rows: int
    """And for those of rows, whose permutations take time."""


QUICK = Effort(sizes=(50,), columns=40, rows=5)
FULL = Effort(sizes=(25, 50, 100, 200, 400), columns=500, rows=40)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Share:
    """Of `runs` pairs of samples, `found` had a p-value below 0.05."""

    detector: str
    kind: str
    """"columns" or "rows"."""
    change: str
    n: int
    runs: int
    found: int

    @property
    def share(self) -> float:
        """The estimated power, or level where nothing changes."""
        return self.found / self.runs

    @property
    def interval(self) -> tuple[float, float]:
        """Clopper and Pearson's, 95 %."""
        low = stats.beta.ppf(0.025, self.found, self.runs - self.found + 1) if self.found else 0.0
        high = (
            stats.beta.ppf(0.975, self.found + 1, self.runs - self.found) if self.found < self.runs else 1.0
        )
        return float(low), float(high)


def measured(effort: Effort, tell: Callable[[str], None]) -> list[Share]:
    """Every test on the same samples."""
    found = []
    for kind, detectors, runs, tail in (
        ("columns", COLUMNS, effort.columns, ()),
        ("rows", ROWS, effort.rows, (DIMENSION,)),
    ):
        for change in CHANGES:
            for n in effort.sizes:
                found += _shares(kind, detectors, change, n, runs, tail)
        tell(f"power of tests of {kind}")
    return found


def _shares(
    kind: str, detectors: Sequence[BatchDetector], change: str, n: int, runs: int, tail: tuple[int, ...]
) -> list[Share]:
    counts = dict.fromkeys((each.spec.name for each in detectors), 0)
    for run in range(runs):
        rng = np.random.default_rng((n, run, len(tail)))
        reference, window = rng.normal(0, 1, (REFERENCE, *tail)), CHANGES[change](rng, (n, *tail))
        for detector in detectors:
            made = type(detector)(**{**detector.parameters(), **_seeded(detector, run)})
            p_value = made.fit(reference).test(window).p_value
            counts[detector.spec.name] += p_value is not None and p_value < ALPHA
    return [
        Share(detector=name, kind=kind, change=change, n=n, runs=runs, found=found)
        for name, found in counts.items()
    ]


def _seeded(detector: BatchDetector, run: int) -> dict[str, Any]:
    """Permutations of their own in each run, where a test draws any."""
    return {"seed": run} if "seed" in detector.spec.params else {}


def recorded(shares: Sequence[Share]) -> list[dict[str, Any]]:
    """As JSON takes it."""
    return [{**dataclasses.asdict(each), "interval": each.interval} for each in shares]
