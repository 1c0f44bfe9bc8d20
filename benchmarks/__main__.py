"""`make bench`: start, memory and pages of Kedge beside `mlflow server`, and the demo's duration; writes results/loop.md.

Medians of several runs with their range; on a shared machine the ratio of two things measured in turn says more than either.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from benchmarks.processes import free_port, proportional_mib, resident_mib, started, stopped

RESULTS = Path(__file__).parent / "results" / "loop.md"
PAGES = (
    "/",
    "/runs",
    "/models",
    "/models/flights",
    "/datasets/flights",
    "/pipelines",
    "/endpoints/flights",
    "/monitors",
    "/monitors/flights-drift",
    "/monitors/flights-performance",
    "/monitors/flights-errors",
    "/alerts",
)
PAGE_ROUNDS = 20


def kedge(home: Path) -> tuple[list[str], str]:
    """`kedge up` on free ports, and its address."""
    port, serving = free_port(), free_port()
    command = [sys.executable, "-m", "kedge.app.main", "up", "--home", str(home), "--port", str(port)]
    return [*command, "--serving-port", str(serving)], f"http://127.0.0.1:{port}"


def mlflow_server(home: Path) -> tuple[list[str], str]:
    """`mlflow server` with its defaults, and its address."""
    port = free_port()
    home.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "mlflow", "server", "--port", str(port)]
    command += [
        "--backend-store-uri",
        f"sqlite:///{home}/mlflow.db",
        "--artifacts-destination",
        f"{home}/artifacts",
    ]
    return command, f"http://127.0.0.1:{port}"


def spread(values: list[float], form: str = "{:.2f}") -> str:
    """Median and range."""
    return (
        f"{form.format(statistics.median(values))} ({form.format(min(values))} to {form.format(max(values))})"
    )


def start_and_weight(
    make: Callable[[Path], tuple[list[str], str]], folder: Path, rounds: int
) -> tuple[list[float], list[float], list[float], list[float]]:
    """Seconds to answer, MiB of everything, MiB of the web process, seconds to stop; the first start is not counted."""
    seconds, total, web, stop = [], [], [], []
    for number in range(rounds + 1):
        command, url = make(folder)
        process, took = started(command, f"{url}/health")
        time.sleep(2)
        state = folder / "state.json"
        own = json.loads(state.read_bytes())["children"]["web"]["pid"] if state.exists() else process.pid
        weights = proportional_mib(process.pid), resident_mib(own)
        ended = stopped(process)
        if number:
            seconds.append(took)
            total.append(weights[0])
            web.append(weights[1])
            stop.append(ended)
    return seconds, total, web, stop


def pages(home: Path) -> list[tuple[str, list[float]]]:
    """Milliseconds of every page, on the data that the demo left."""
    command, url = kedge(home)
    process, _ = started(command, f"{url}/health")
    rows = []
    for path in PAGES:
        times = []
        for _ in range(PAGE_ROUNDS):
            begun = time.perf_counter()
            urllib.request.urlopen(url + path, timeout=20).read()
            times.append(1000 * (time.perf_counter() - begun))
        rows.append((path, times))
    stopped(process)
    return rows


def demo(home: Path, *arguments: str) -> tuple[float, str]:
    """Seconds of `kedge demo`, and its table as JSON."""
    port, serving = free_port(), free_port()
    command = [sys.executable, "-m", "kedge.app.main", "demo", "--json", "--home", str(home), *arguments]
    begun = time.perf_counter()
    done = subprocess.run(
        [*command, "--port", str(port), "--serving-port", str(serving)],
        capture_output=True,
        text=True,
        check=True,
    )
    return time.perf_counter() - begun, done.stdout


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    folder = Path(tempfile.mkdtemp(prefix="kedge-bench-"))
    fast_s, _ = demo(folder / "fast", "--fast")
    full_s, table = demo(folder / "full")
    ours = start_and_weight(kedge, folder / "kedge", rounds)
    theirs = start_and_weight(mlflow_server, folder / "mlflow", rounds)
    timed = pages(folder / "full")
    lines = [
        "# The loop: start, memory, pages, demo",
        "",
        (
            f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
            f"Kedge {version('kedge')}, MLflow {version('mlflow')}; medians of {rounds} starts (range)."
        ),
        "",
        "| | Kedge (web + serving + worker) | `mlflow server` (4 workers) |",
        "|---|---|---|",
        f"| seconds until /health answers | {spread(ours[0])} | {spread(theirs[0])} |",
        f"| MiB of all processes (PSS) | {spread(ours[1], '{:.0f}')} | {spread(theirs[1], '{:.0f}')} |",
        f"| MiB of the web process (RSS) | {spread(ours[2], '{:.0f}')} | - |",
        f"| seconds to stop | {spread(ours[3])} | {spread(theirs[3])} |",
        "",
        f"`kedge demo --fast`: {fast_s:.0f} s; `kedge demo`: {full_s:.0f} s (one run each, platform start included).",
        "",
        f"| page, after the full demo | ms ({PAGE_ROUNDS} times) |",
        "|---|---|",
        *(f"| {path} | {spread(times, '{:.1f}')} |" for path, times in timed),
        "",
        "| month | rows | drift share | AUC | Brier | model | alerts | retrained | promoted |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in json.loads(table)["months"]:
        share = "reference" if row["drift_share"] is None else f"{row['drift_share']:.2f}"
        words = ["yes" if row[key] else "" for key in ("retrained", "promoted")]
        cells = [row["month"], f"{row['rows']:,}", share, f"{row['auc']:.3f}", f"{row['brier']:.3f}"]
        lines.append(
            "| " + " | ".join([*cells, f"v{row['model_version']}", str(row["alerts"]), *words]) + " |"
        )
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text("\n".join(lines) + "\n")
    shutil.rmtree(folder, ignore_errors=True)
    print(RESULTS.read_text())


if __name__ == "__main__":
    main()
