"""MLflow's own client, one thread, logging metrics as fast as it is answered; prints what it measured as JSON."""

import os
import statistics
import sys
import time

import msgspec

from benchmarks.tracking.load import Measured


def main() -> None:
    """Arguments: address, run, key of the metric, first step, seconds."""
    url, run, key, first, seconds = sys.argv[1:]
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    from mlflow import MlflowClient

    client = MlflowClient(url)
    client.log_metric(run, key, 0.5, step=int(first))  # opens the connection
    times, step, begun = [], int(first), time.perf_counter()
    while time.perf_counter() - begun < float(seconds):
        step += 1
        before = time.perf_counter()
        client.log_metric(run, key, 0.5, step=step)
        times.append(time.perf_counter() - before)
    took_s = time.perf_counter() - begun
    measured = Measured(
        requests=len(times) + 1,
        per_s=len(times) / took_s,
        p50_ms=1000 * statistics.median(times),
        p99_ms=1000 * sorted(times)[int(0.99 * (len(times) - 1))],
    )
    print(msgspec.json.encode(measured).decode())


if __name__ == "__main__":
    main()
