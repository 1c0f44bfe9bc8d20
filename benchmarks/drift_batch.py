"""`python -m benchmarks.drift_batch`: univariate tests of 100,000 x 50 beside SciPy and Evidently; writes results/drift_batch.md.

Medians of several runs with their range, both sides in turn. Evidently needs an older pandas than the rest: give the Python of
an environment that has it as `--evidently PYTHON`, and it is run there on the same numbers, timed inside.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

import numpy as np
from scipy import stats

from kedge.drift import (
    AndersonDarling,
    BatchDetector,
    CramerVonMises,
    EnergyDistance,
    Hellinger,
    JensenShannon,
    KolmogorovSmirnov,
    KullbackLeibler,
    MannWhitney,
    Wasserstein,
    test_columns,
)

RESULTS = Path(__file__).parent / "results" / "drift_batch.md"
SEED = 20130101
SIX: tuple[BatchDetector, ...] = (
    KolmogorovSmirnov(),
    CramerVonMises(),
    AndersonDarling(),
    MannWhitney(),
    Wasserstein(norm="none"),
    EnergyDistance(norm="none"),
)
EVIDENTLY = """
import json, sys, time, warnings
warnings.simplefilter("ignore")
import numpy as np, pandas as pd
from evidently import Report
from evidently.presets import DataDriftPreset
rows, columns, seed, rounds, method = json.loads(sys.argv[1])
rng = np.random.default_rng(seed)
frames = [pd.DataFrame(rng.normal(shift, 1, (rows, columns))).add_prefix("c") for shift in (0, 0.05)]
seconds = []
for _ in range(rounds):
    begun = time.perf_counter()
    Report([DataDriftPreset(**({} if method is None else {"method": method}))]).run(frames[1].copy(), frames[0].copy())
    seconds.append(time.perf_counter() - begun)
print(json.dumps(seconds))
"""
METHODS: dict[str, tuple[str | None, BatchDetector | None]] = {
    "default": (None, None),
    "ks": ("ks", KolmogorovSmirnov()),
    "wasserstein": ("wasserstein", Wasserstein()),
    "hellinger": ("hellinger", Hellinger()),
    "jensenshannon": ("jensenshannon", JensenShannon()),
    "kl_div": ("kl_div", KullbackLeibler()),
}


def scipy_six(reference: np.ndarray, window: np.ndarray) -> None:
    """The six tests of SciPy on one column."""
    stats.ks_2samp(reference, window)
    stats.cramervonmises_2samp(reference, window)
    stats.anderson_ksamp([reference, window], variant="midrank")
    stats.mannwhitneyu(reference, window)
    stats.wasserstein_distance(reference, window)
    stats.energy_distance(reference, window)


def timed(rounds: int, *sides: Callable[[], object]) -> list[list[float]]:
    """Seconds of each side, in turn; a first round is not counted."""
    seconds: list[list[float]] = [[] for _ in sides]
    for number in range(rounds + 1):
        for side, found in zip(sides, seconds, strict=True):
            begun = time.perf_counter()
            side()
            if number:
                found.append(time.perf_counter() - begun)
    return seconds


def spread(values: list[float]) -> str:
    """Median and range."""
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def evidently(python: str, rows: int, columns: int, rounds: int, method: str | None) -> list[float]:
    """Seconds of Evidently's preset in its own environment."""
    arguments = json.dumps([rows, columns, SEED, rounds, method])
    done = subprocess.run([python, "-c", EVIDENTLY, arguments], capture_output=True, text=True, check=True)
    return list(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--columns", type=int, default=50)
    parser.add_argument(
        "--evidently", help="the Python of an environment with evidently 0.7.23 and pandas below 3"
    )
    parser.add_argument("--methods", default="default,ks", help=f"of {', '.join(METHODS)}")
    given = parser.parse_args()
    rows, columns, rounds = given.rows, given.columns, given.rounds
    rng = np.random.default_rng(SEED)
    before, after = (rng.normal(shift, 1, (rows, columns)) for shift in (0, 0.05))
    warnings.simplefilter("ignore")  # SciPy caps its p-values aloud

    def sort() -> None:
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            list(pool.map(np.sort, [*before.T, *after.T]))

    def scipy() -> None:
        for one, other in zip(before.T, after.T, strict=True):
            scipy_six(np.ascontiguousarray(one), np.ascontiguousarray(other))

    def ours(
        detectors: BatchDetector | tuple[BatchDetector, ...] | None, threads: int = 0
    ) -> Callable[[], object]:
        return lambda: test_columns(before, after, detectors=detectors, threads=threads)

    six, alone, theirs, floor = timed(rounds, ours(SIX), ours(SIX, 1), scipy, sort)
    print(six, alone, theirs, floor, flush=True)
    lines = [
        f"# Univariate tests of {rows:,} x {columns} against as many",
        "",
        (
            f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
            f"Kedge {version('kedge')}, NumPy {np.__version__}, SciPy {version('scipy')}; seconds, medians of {rounds} "
            "runs (range)."
        ),
        "",
        "Kolmogorov-Smirnov, Cramer-von Mises, Anderson-Darling, Mann-Whitney, Wasserstein and energy distance, all six:",
        "",
        "| | s | ratio |",
        "|---|---|---|",
    ]
    base = statistics.median(six)
    for name, seconds in (
        ("SciPy, column by column", theirs),
        ("Kedge, `test_columns`, one thread", alone),
        (f"Kedge, `test_columns`, {os.cpu_count()} threads", six),
        ("the floor: sorting every column once, as many threads", floor),
    ):
        lines.append(f"| {name} | {spread(seconds)} | {statistics.median(seconds) / base:.2f} |")
    if given.evidently:
        lines += ["", "One test a column, beside Evidently 0.7.23's `DataDriftPreset`:", ""]
        lines += ["| test | Evidently, s | Kedge, s | ratio |", "|---|---|---|---|"]
        for name in given.methods.split(","):
            method, detector = METHODS[name]
            other = evidently(given.evidently, rows, columns, rounds, method)
            (mine,) = timed(rounds, ours(detector))
            ratio = statistics.median(other) / statistics.median(mine)
            print(name, other, mine, flush=True)
            lines.append(f"| {name} | {spread(other)} | {spread(mine)} | {ratio:.0f} |")
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text("\n".join(lines) + "\n")
    print(RESULTS.read_text())


if __name__ == "__main__":
    main()
