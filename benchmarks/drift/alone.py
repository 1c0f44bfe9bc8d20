"""What is measured of Kedge alone: import and compilation in new processes, threads, and BOCD beside its full recursion."""

import json
import math
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from benchmarks.drift.samples import SEED, Floats
from benchmarks.drift.timing import Comparison, Quantity, alternated
from kedge.drift import ADWIN, BOCD, PageHinkley, StreamingDetector

STREAMS = 8
SURE = 1 - 1e-15
"""A threshold that BOCD does not reach here: the full recursion has no alarms."""
IMPORT = """
import json, time
begun = time.perf_counter()
import kedge.drift
imported = time.perf_counter()
kedge.drift.PageHinkley().update_many([0.0])
print(json.dumps([imported - begun, time.perf_counter() - imported]))
"""


def measured(rounds: int, quick: bool) -> list[Quantity | Comparison]:
    """All of it."""
    return [*starts(rounds), *threads(rounds, quick), *full_recursion(300 if quick else 1000)]


def starts(rounds: int) -> list[Quantity]:
    """Import in a new process, and its first value: compiled there, or found compiled."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "NUMBA_CACHE_DIR": folder}
        first = _started(environment)
        others = [_started(environment) for _ in range(rounds)]
    imports, values = zip(*others, strict=True)
    kernel = "the first Page-Hinkley value of a process"
    return [
        Quantity(key="import", title="import kedge.drift in a new process", unit="s", found=imports),
        Quantity(key="kernel/first", title=f"{kernel}, kernel not compiled yet", unit="s", found=(first[1],)),
        Quantity(key="kernel/cached", title=f"{kernel}, kernel compiled before", unit="s", found=values),
    ]


def _started(environment: dict[str, str]) -> tuple[float, float]:
    done = subprocess.run(
        [sys.executable, "-c", IMPORT], capture_output=True, text=True, check=True, env=environment
    )
    imported, first = json.loads(done.stdout)
    return imported, first


def threads(rounds: int, quick: bool) -> list[Comparison]:
    """Eight streams by one thread and by two."""
    n = 100_000 if quick else 1_000_000
    streams = np.random.default_rng(SEED).normal(0, 1, (STREAMS, n))
    found = []
    for kind in (ADWIN, PageHinkley):

        def one(xs: Floats, kind: type[StreamingDetector] = kind) -> object:
            return kind().update_many(xs)

        with ThreadPoolExecutor(2) as pool:
            sides = {
                "ours": lambda: list(pool.map(one, streams)),
                "theirs": lambda: [one(xs) for xs in streams],
            }
            seconds = alternated(rounds, sides)
        title = f"{kind.__name__}, {STREAMS} streams of {n:,}, two threads"
        key = f"threads/{kind.spec.name}"
        found.append(Comparison(key=key, title=title, rival="Kedge, one thread", **seconds))
    return found


def full_recursion(n: int) -> list[Quantity]:
    """The largest difference of a run length's chance from the recursion that drops none, and what the state weighs."""
    xs = np.random.default_rng(SEED).normal(0, 1, n)
    xs[-20:] += (
        1.0  # a change, but not one that leaves the earlier run lengths without a chance: that would alarm
    )
    every = _recursion(xs, 0.01)
    found = []
    for key, most in (("exact", n + 10), ("bounded", n // 2)):
        detector = BOCD(0.01, variance=1.0, burn_in=0, prior_strength=1.0, threshold=SURE, max_runs=most)
        detector.update_many(xs)
        lengths, chances = detector.run_lengths()
        ours = np.zeros(n + 1)
        ours[lengths.astype(np.int64)] = chances
        gap = float(np.max(np.abs(ours - every)))
        title = f"BOCD, {n:,} values, at most {most:,} run lengths: chances beside the full recursion's"
        note = f"{len(lengths)} of {n + 1:,} run lengths kept"
        found.append(Quantity(key=f"bocd/{key}", title=title, unit="", found=(gap,), note=note))
    sizes = []
    detector = BOCD()
    for _ in range(3):
        detector.update_many(np.random.default_rng(SEED).normal(0, 1, 20 * n))
        sizes.append(float(detector._state.nbytes))  # noqa: SLF001
    title = f"BOCD, bytes kept after {20 * n:,}, {40 * n:,} and {60 * n:,} values"
    note = "the same each time" if len(set(sizes)) == 1 else "IT GROWS"
    return [*found, Quantity(key="bocd/bytes", title=title, unit="bytes", found=tuple(sizes), note=note)]


def _recursion(xs: Floats, hazard: float) -> Floats:
    """Adams and MacKay's equations for a known variance of 1 and the prior N(0, 1), every run length kept, in logarithms."""
    chances, totals = np.zeros(1), np.zeros(1)
    for t, x in enumerate(xs, start=1):
        strengths = 1.0 + np.arange(t)
        spread = 1.0 + 1.0 / strengths
        grown = chances - 0.5 * (np.log(2 * math.pi * spread) + (x - totals / strengths) ** 2 / spread)
        grown -= np.logaddexp.reduce(grown)
        chances = np.concatenate([[math.log(hazard)], grown + math.log1p(-hazard)])
        totals = np.concatenate([[0.0], totals + x])
    return np.exp(chances)
