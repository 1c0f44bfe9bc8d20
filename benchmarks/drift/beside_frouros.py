"""`python -m benchmarks.drift.beside_frouros ROUNDS VALUES`: Frouros and Kedge in one process, in Frouros's environment."""

import dataclasses
import json
import sys
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np

from benchmarks.drift.samples import Floats, errors, normals
from benchmarks.drift.timing import Comparison, alternated, record
from kedge.drift import (
    BOCD,
    CUSUM,
    DDM,
    EDDM,
    HDDMA,
    HDDMW,
    GeometricMovingAverage,
    IncrementalKolmogorovSmirnov,
    PageHinkley,
    StreamingDetector,
)
from kedge.drift.streaming import incremental_kolmogorov_smirnov

REFERENCE, WINDOW = 1000, 100
SURE = 1 - 1e-15
"""A threshold that BOCD never reaches, for Frouros's goes on after an alarm too."""


@dataclasses.dataclass(frozen=True)
class Pair:
    """The same detector twice, theirs by its name."""

    key: str
    ours: Callable[[], StreamingDetector]
    theirs: str
    sample: Callable[[int], Floats]


PAIRS = (
    Pair("page-hinkley", lambda: PageHinkley(direction="up"), "PageHinkley", normals),
    Pair("ddm", DDM, "DDM", errors),
    Pair("eddm", EDDM, "EDDM", errors),
    Pair("hddm-a", HDDMA, "HDDMA", errors),
    Pair("hddm-w", HDDMW, "HDDMW", errors),
    Pair("cusum", lambda: CUSUM(direction="up"), "CUSUM", normals),
    Pair("gma", lambda: GeometricMovingAverage(direction="up"), "GeometricMovingAverage", normals),
)


def compared(rounds: int, n: int) -> list[Comparison]:
    """The detectors that are O(1), the incremental Kolmogorov-Smirnov test, and BOCD."""
    from frouros.detectors import concept_drift

    found = []
    for pair in PAIRS:
        xs = pair.sample(n)
        listed, theirs = xs.tolist(), getattr(concept_drift, pair.theirs)
        sides = {"ours": _array(pair, xs), "theirs": _loop(theirs, listed)}
        seconds = alternated(rounds, sides)
        found.append(
            Comparison(key=f"frouros/{pair.key}", title=pair.theirs, rival="Frouros", values=n, **seconds)
        )
    return [*found, smirnov(rounds, n), bocd(rounds, 1000)]


def _array(pair: Pair, xs: Floats) -> Callable[[], object]:
    return lambda: pair.ours().update_many(xs)


def _loop(kind: Any, xs: list[float]) -> Callable[[], object]:
    def loop() -> int:
        detector, alarms = kind(), 0
        for x in xs:
            detector.update(value=x)
            if detector.drift:
                alarms += 1
                detector.reset()  # which Frouros leaves to the caller
        return alarms

    return loop


def smirnov(rounds: int, n: int) -> Comparison:
    """Statistic and p-value after every value, the reference given; our p-values are computed anew in each run."""
    from frouros.detectors.data_drift import IncrementalKSTest

    rng = np.random.default_rng(7)
    reference, xs = rng.normal(0, 1, REFERENCE), rng.normal(0, 1, n)
    listed = xs.tolist()

    def ours() -> tuple[Floats, Floats]:
        incremental_kolmogorov_smirnov._p_value.cache_clear()  # noqa: SLF001
        detector = IncrementalKolmogorovSmirnov(1e-300, window=WINDOW).fit(reference)
        statistics = detector.update_many(xs, statistics=True).statistics
        assert statistics is not None
        return statistics[WINDOW - 1 :], detector.p_values(statistics[WINDOW - 1 :])

    def theirs() -> tuple[list[float], list[float]]:
        detector = IncrementalKSTest(window_size=WINDOW)
        detector.fit(X=reference)
        results = [detector.update(value=x)[0] for x in listed][WINDOW - 1 :]
        return [each.statistic for each in results], [each.p_value for each in results]

    gaps = [
        float(np.max(np.abs(np.subtract(one, other)))) for one, other in zip(ours(), theirs(), strict=True)
    ]
    seconds = alternated(rounds, {"ours": ours, "theirs": theirs})
    return Comparison(
        key="frouros/iks",
        title=f"incremental KS, statistic and p-value, window {WINDOW}, reference {REFERENCE:,}",
        rival="Frouros",
        values=n,
        note=f"statistics within {gaps[0]:.0e}, p-values within {gaps[1]:.0e}",
        **seconds,
    )


def bocd(rounds: int, n: int) -> Comparison:
    """Frouros's model: known variance 1, prior N(0, 1), hazard 0.01. It keeps a matrix of n x n, so n is small."""
    from frouros.detectors import concept_drift

    xs = np.random.default_rng(7).normal(0, 1, n)
    xs[-20:] += (
        1.0  # a change, but not one that leaves the earlier run lengths without a chance: that would alarm
    )
    listed = xs.tolist()

    def ours() -> BOCD:
        detector = BOCD(0.01, variance=1.0, burn_in=0, prior_strength=1.0, threshold=SURE, max_runs=2 * n)
        detector.update_many(xs)
        return detector

    def theirs() -> Any:
        detector = concept_drift.BOCD()
        for x in listed:
            detector.update(value=x)
        return detector

    lengths, chances = ours().run_lengths()
    every = np.zeros(n + 1)
    every[lengths.astype(np.int64)] = chances
    gap = float(np.max(np.abs(every - np.exp(theirs().log_r[n, : n + 1]))))
    seconds = alternated(rounds, {"ours": ours, "theirs": theirs})
    return Comparison(
        key="frouros/bocd",
        title=f"BOCD, {n:,} values",
        rival="Frouros",
        values=n,
        note=f"chances of all run lengths within {gap:.0e}",
        **seconds,
    )


def main() -> None:
    """Measure and print as JSON."""
    rounds, n = (int(each) for each in sys.argv[1:3])
    versions = {name: version(name) for name in ("frouros", "numpy", "numba", "scipy")}
    print(json.dumps({"versions": versions, "found": [record(each) for each in compared(rounds, n)]}))


if __name__ == "__main__":
    main()
