"""`python -m benchmarks.drift_mmd`: MMD with 100 permutations, ten columns; writes results/drift_mmd.md.

Each measurement is a process of its own, so that the peak of its memory is told. With `--peer PYTHON`, an interpreter that
has Alibi Detect, the same rows are given to it in turn.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

RESULTS = Path(__file__).parent / "results" / "drift_mmd.md"
DRAW = """
import json, resource, sys, time
import numpy as np
n, bandwidth = int(sys.argv[1]), float(sys.argv[2]) or None
rng = np.random.default_rng(1)
reference, window = rng.normal(0, 1, (n, 10)), rng.normal(0.02, 1, (n, 10))
"""
OURS = """
from kedge.drift import MMD
MMD(bandwidth=bandwidth).fit(reference[:50]).test(window[:50])
begun = time.perf_counter()
found = MMD(bandwidth=bandwidth).fit(reference).test(window)
took = time.perf_counter() - begun
answer = found.statistic, found.p_value
"""
THEIRS = """
import torch
from alibi_detect.cd import MMDDrift
sigma = {} if bandwidth is None else {"sigma": np.array([bandwidth]), "configure_kernel_from_x_ref": False}
reference, window = reference.astype(np.float32), window.astype(np.float32)
begun = time.perf_counter()
found = MMDDrift(reference, backend="pytorch", n_permutations=100, **sigma).predict(window)["data"]
took = time.perf_counter() - begun
answer = float(found["distance"]), float(found["p_val"])
"""
TELL = "print(json.dumps([took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, *answer]))"


def measured(python: str, script: str, n: int, bandwidth: float, rounds: int) -> tuple[str, str, str]:
    """Seconds (median and range), peak MiB, and the answer."""
    found = []
    for _ in range(rounds):
        done = subprocess.run(
            [python, "-W", "ignore", "-c", DRAW + script + TELL, str(n), str(bandwidth)],
            capture_output=True,
            text=True,
            check=True,
        )
        found.append(json.loads(done.stdout.splitlines()[-1]))
    seconds = [each[0] for each in found]
    spread = f"{statistics.median(seconds):.2f} ({min(seconds):.2f} to {max(seconds):.2f})"
    return spread, f"{max(each[1] for each in found):.0f}", f"{found[0][2]:.3e}, p = {found[0][3]:.3f}"


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peer", help="interpreter that has Alibi Detect")
    given = parser.parse_args()
    lines = [
        "# MMD with 100 permutations, ten columns",
        "",
        (
            f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
            f"NumPy {version('numpy')}; medians of {given.rounds} processes (range), memory is the whole process's peak."
        ),
        "",
        "| rows | bandwidth | library | seconds | MiB | squared MMD |",
        "|---|---|---|---|---|---|",
    ]
    for n, bandwidth in ((2000, 3.0), (2000, 0.0), (20_000, 3.0), (20_000, 0.0)):
        kinds = [("Kedge", sys.executable, OURS)]
        if given.peer and n <= 2000:
            kinds.append(("Alibi Detect", given.peer, THEIRS))
        for library, python, script in kinds:
            cells = measured(python, script, n, bandwidth, given.rounds)
            name = f"{bandwidth:g}" if bandwidth else "median distance"
            lines.append(f"| {n:,} + {n:,} | {name} | {library} | " + " | ".join(cells) + " |")
    RESULTS.write_text("\n".join(lines) + "\n")
    print(RESULTS.read_text())


if __name__ == "__main__":
    main()
