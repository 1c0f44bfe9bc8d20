"""MMD with 100 permutations; run as `python -m benchmarks.drift.mmd kedge|alibi N BANDWIDTH` it is one measurement.

Each is a process of its own, so that the peak of its memory is told; ours and theirs take turns.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from benchmarks.drift.samples import Floats, clouds
from benchmarks.drift.timing import Comparison, Quantity

SMALL, LARGE = 2_000, 20_000
BANDWIDTHS = (3.0, 0.0)
"""0 lets the library take the median distance."""


def compared(
    alibi: str, environment: Mapping[str, str], rounds: int
) -> tuple[dict[str, str], list[Comparison]]:
    """Alibi Detect's versions, and ours and theirs for each bandwidth."""
    found, versions = [], {}
    for bandwidth in BANDWIDTHS:
        ours, theirs = [], []
        for _ in range(rounds):
            ours.append(measured(sys.executable, {}, "kedge", SMALL, bandwidth))
            theirs.append(measured(alibi, environment, "alibi", SMALL, bandwidth))
        versions = theirs[0]["versions"]
        found.append(
            Comparison(
                key=f"alibi/{'median' if bandwidth == 0 else 'fixed'}",
                title=f"MMD, 100 permutations, {SMALL:,} + {SMALL:,} x 10, {_named(bandwidth)}",
                rival="Alibi Detect",
                ours=tuple(each["seconds"] for each in ours),
                theirs=tuple(each["seconds"] for each in theirs),
                note=(
                    f"squared MMD {ours[0]['statistic']:.3e} and {theirs[0]['statistic']:.3e}, "
                    f"{max(each['mib'] for each in ours):.0f} and {max(each['mib'] for each in theirs):.0f} MiB"
                ),
            )
        )
    return versions, found


def large(n: int, rounds: int) -> list[Quantity]:
    """Seconds and the peak of memory of ours alone at `n` rows."""
    found = []
    for bandwidth in BANDWIDTHS:
        runs = [measured(sys.executable, {}, "kedge", n, bandwidth) for _ in range(rounds)]
        kind = "median" if bandwidth == 0 else "fixed"
        title = f"MMD, 100 permutations, {n:,} + {n:,} x 10, {_named(bandwidth)}"
        for key, unit in (("seconds", "s"), ("mib", "MiB")):
            values = tuple(float(each[key]) for each in runs)
            found.append(Quantity(key=f"mmd/{kind}/{key}", title=title, unit=unit, found=values))
    return found


def _named(bandwidth: float) -> str:
    return f"bandwidth {bandwidth:g}" if bandwidth else "bandwidth the median distance"


def measured(
    python: str, environment: Mapping[str, str], library: str, n: int, bandwidth: float
) -> dict[str, Any]:
    """Seconds, peak MiB of the process, and the answer."""
    command = [python, "-W", "ignore", "-m", "benchmarks.drift.mmd", library, str(n), str(bandwidth)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env=dict(environment) if environment else None
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _kedge(reference: Floats, window: Floats, bandwidth: float) -> tuple[float, float, float]:
    from kedge.drift import MMD

    detector = MMD(bandwidth=bandwidth or None)
    detector.fit(reference[:50]).test(window[:50])
    begun = time.perf_counter()
    found = MMD(bandwidth=bandwidth or None).fit(reference).test(window)
    return time.perf_counter() - begun, float(found.statistic), float(found.p_value or 0.0)


def _alibi(reference: Floats, window: Floats, bandwidth: float) -> tuple[float, float, float]:
    import numpy as np
    from alibi_detect.cd import MMDDrift

    sigma: dict[str, Any] = {}
    if bandwidth:
        sigma = {"sigma": np.array([bandwidth]), "configure_kernel_from_x_ref": False}
    one, other = reference.astype(np.float32), window.astype(np.float32)
    # PyTorch's first product starts its threads.
    MMDDrift(one[:50], backend="pytorch", n_permutations=2, **sigma).predict(other[:50])
    begun = time.perf_counter()
    detector = MMDDrift(one, backend="pytorch", n_permutations=100, **sigma)
    found = detector.predict(other)["data"]
    return time.perf_counter() - begun, float(found["distance"]), float(found["p_val"])


def main() -> None:
    """Measure once and print as JSON."""
    library, n, bandwidth = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    reference, window = clouds(n)
    kinds = {"kedge": (_kedge, ("numpy",)), "alibi": (_alibi, ("alibi-detect", "numpy", "torch"))}
    side, packages = kinds[library]
    seconds, statistic, p_value = side(reference, window, bandwidth)
    found = {
        "seconds": seconds,
        "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "statistic": statistic,
        "p_value": p_value,
        "versions": {name: version(name) for name in packages},
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
