"""Load from outside: `wrk`, a process of its own, or MLflow's own client in a process of its own."""

import json
import math
import subprocess
import sys
import time
from pathlib import Path

import msgspec

from benchmarks.tracking.operations import Operation

SCRIPT = Path(__file__).parent / "template.lua"
FEW_REQUESTS = 50
"""Below it, the requests that the end cuts off count: the rate is then taken from the mean duration."""
AT_LEAST_EACH = 3
LONGEST_S = 90
TIMEOUT_S = 120


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """One server, one operation, one round."""

    requests: int
    per_s: float
    p50_ms: float
    p99_ms: float
    fault: str = ""
    """Why the numbers do not count; empty when every answer was 2xx."""


def sampled(url: str, operation: Operation, run: str, number: int) -> tuple[float, str]:
    """Ask once: seconds that it took, and what is wrong with the answer (empty: nothing)."""
    import httpx

    headers = {"Content-Type": "application/json"}
    body = _filled(operation.body, run, number) if operation.method != "GET" else ""
    path = _filled(operation.path, run, number)
    begun = time.perf_counter()
    try:
        reply = httpx.request(
            operation.method, url + path, content=body.encode(), headers=headers, timeout=TIMEOUT_S
        )
    except httpx.HTTPError as error:
        return time.perf_counter() - begun, f"{type(error).__name__}: {error}"
    took_s = time.perf_counter() - begun
    if reply.status_code != 200:
        return took_s, f"status {reply.status_code}: {reply.text[:200]}"
    return took_s, operation.check(json.loads(reply.content))


def _filled(template: str, run: str, number: int) -> str:
    return template.replace("{n}", str(number)).replace("{run}", run)


def lasting_s(operation: Operation, seconds: int, one_s: float) -> int:
    """How long to load a server whose one answer takes `one_s`: long enough for some of every connection."""
    return min(LONGEST_S, max(seconds, math.ceil(AT_LEAST_EACH * operation.connections * one_s)))


def loaded(
    url: str, operation: Operation, runs: list[str], first: int, seconds: int, folder: Path
) -> Measured:
    """Load a server with one operation."""
    if operation.client:
        return _by_client(url, runs[0], operation, first, seconds)
    files = []
    for name, text in (("path", operation.path), ("body", operation.body), ("runs", "\n".join(runs))):
        files.append(folder / f"wrk-{name}")
        files[-1].write_text(text)
    command = ["wrk", "-t1", f"-c{operation.connections}", f"-d{seconds}s", "--timeout", f"{TIMEOUT_S}s"]
    command += ["-s", str(SCRIPT), url, "--", operation.method, *map(str, files), str(first)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    line = next((each for each in done.stdout.splitlines() if each.startswith("measured ")), "")
    if not line:
        return unmeasured(f"wrk ended with {done.returncode}: {(done.stderr or done.stdout)[-200:]}")
    found = json.loads(line.removeprefix("measured "))
    if not found["requests"]:
        return unmeasured(f"no answer in {seconds} s")
    fault = ""
    if found["refused"] or found["broken"]:
        fault = f"{found['refused']} of {found['requests']} refused, {found['broken']} broken connections"
    per_s = found["requests"] / found["duration_us"] * 1e6
    if found["requests"] < FEW_REQUESTS * operation.connections:
        per_s = operation.connections / found["mean_us"] * 1e6
    return Measured(
        requests=found["requests"],
        per_s=per_s,
        p50_ms=found["p50_us"] / 1000,
        p99_ms=found["p99_us"] / 1000,
        fault=fault,
    )


def _by_client(url: str, run: str, operation: Operation, first: int, seconds: int) -> Measured:
    command = [
        sys.executable,
        "-m",
        "benchmarks.tracking.client",
        url,
        run,
        operation.key,
        str(first),
        str(seconds),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return unmeasured(f"the client ended with {done.returncode}: {done.stderr[-300:]}")
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=Measured)


def unmeasured(why: str) -> Measured:
    """A round that failed, and why."""
    return Measured(requests=0, per_s=math.nan, p50_ms=math.nan, p99_ms=math.nan, fault=why)
