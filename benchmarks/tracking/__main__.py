"""`make bench-tracking`: load Kedge and `mlflow server` in turn, and write benchmarks/results/tracking*.md.

Every server has its own copy of the same data and stays up; a round loads each with an operation before the next
operation, so that what else the machine does hits all of them. No two are under load at once.
"""

import argparse
import contextlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

from benchmarks.tracking.backends import Backend, Postgres, Sqlite, installed_binaries, running_cluster
from benchmarks.tracking.data import Size, read_runs
from benchmarks.tracking.load import Measured, lasting_s, loaded, sampled, unmeasured
from benchmarks.tracking.operations import Operation, operations
from benchmarks.tracking.report import Results, Start, rendered
from benchmarks.tracking.servers import NAMES, Server

ROOT = Path(__file__).parent.parent
FULL = Size(10_000, 100_000)
QUICK = Size(300, 3_000)
START = "start"
NUMBERS_A_ROUND = 10_000_000
IDLE_S = 3.0


def main() -> None:
    """Measure and write."""
    options = _options()
    size = Size(options.runs, options.points)
    known = operations(size)
    _check_names(options, known)
    chosen = [each for each in known if not options.only or each.key in options.only]
    _install(options.backend)
    begun = time.perf_counter()
    results = Results(backend="", is_postgres=options.backend == "postgres", about=_about(options))
    try:
        _run(options, size, chosen, results)
    except KeyboardInterrupt:
        sys.exit("stopped")
    except RuntimeError as error:
        sys.exit(f"bench: {error}")
    text = rendered(
        results, known, options.servers, f"Measured in {(time.perf_counter() - begun) / 60:.0f} minutes."
    )
    if options.output:
        options.output.parent.mkdir(exist_ok=True)
        options.output.write_text(text)
    print(text)


def _run(options: argparse.Namespace, size: Size, chosen: Sequence[Operation], results: Results) -> None:
    """Start the servers, measure, and end them whatever happens."""
    ending = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for number in ending:
        signal.signal(number, signal.default_int_handler)
    with contextlib.ExitStack() as stack:
        try:
            servers = _servers(stack, options, size, results)
            if not options.only or START in options.only:
                _measure_starts(servers, results, options.starts)
            for server in servers:
                start = _start(server)
                results.starts.setdefault(server.key, [start])
            _measure(servers, chosen, results, options, size)
        finally:
            for number in ending:  # a second Ctrl-C must not leave servers behind
                signal.signal(number, signal.SIG_IGN)
    for number in ending:
        signal.signal(number, signal.SIG_DFL)


def told(line: str) -> None:
    """Say what is going on."""
    print(f"bench: {line}", file=sys.stderr, flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tracking", description=__doc__)
    parser.add_argument("--backend", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument(
        "--quick", action="store_true", help="seconds instead of minutes: little data, one round"
    )
    parser.add_argument(
        "--only", action="append", metavar="OPERATION", help="may be given several times; 'start' too"
    )
    parser.add_argument("--servers", default=",".join(NAMES), help=f"some of {','.join(NAMES)}")
    parser.add_argument("--seconds", type=int, help="of load for each server, operation and round (4)")
    parser.add_argument("--rounds", type=int, help="medians are taken over these (5)")
    parser.add_argument(
        "--starts",
        type=int,
        help="counted starts of each server, one at a time (3); 0: the one that is then loaded",
    )
    parser.add_argument("--runs", type=int, help="that are searched (10000)")
    parser.add_argument("--points", type=int, help="of the long metric (100000)")
    parser.add_argument(
        "--cache", type=Path, default=ROOT / "cache", help="a folder on the disk that is measured"
    )
    parser.add_argument("--output", type=Path, help="written besides being printed")
    options = parser.parse_args()
    quick = options.quick
    for name, usual, short in (("seconds", 4, 1), ("rounds", 5, 1), ("starts", 3, 0)):
        if getattr(options, name) is None:
            setattr(options, name, short if quick else usual)
    options.runs = options.runs or (QUICK if quick else FULL).runs
    options.points = options.points or (QUICK if quick else FULL).points
    options.servers = options.servers.split(",")
    options.cache = options.cache.resolve()
    if options.output is None and not quick and not options.only and options.servers == list(NAMES):
        tail = ("" if options.backend == "sqlite" else "-postgres") + _tail(options.runs)
        options.output = ROOT / "results" / f"tracking{tail}.md"
    return options


def _tail(runs: int) -> str:
    return "" if runs == FULL.runs else f"-{runs}"


def _check_names(options: argparse.Namespace, known: Sequence[Operation]) -> None:
    keys = [START, *(each.key for each in known)]
    for given, allowed in ((options.only or [], keys), (options.servers, list(NAMES))):
        unknown = [name for name in given if name not in allowed]
        if unknown:
            sys.exit(f"unknown: {', '.join(unknown)}; known: {', '.join(allowed)}")


def _about(options: argparse.Namespace) -> str:
    return (
        f"{options.runs:,} runs of 20 metrics, 20 params and 6 tags, one metric of {options.points:,} points, analyzed (which MLflow "
        "by itself never does on SQLite). "
        f"Medians of {options.rounds} rounds (range); every round loads each server in turn for {options.seconds} s "
        "or longer, until every connection had at least three answers. Ratios are of the same round. A cell says "
        "`failed` where an answer was not 2xx or not what was asked for, or an acknowledged write is not in the database."
    )


def _install(backend: str) -> None:
    wanted = [] if shutil.which("wrk") else ["wrk"]
    wanted += ["postgresql"] if backend == "postgres" and not installed_binaries() else []
    if wanted:
        subprocess.run([ROOT.parent / "scripts" / "system-packages", *wanted], check=True)


def _servers(
    stack: contextlib.ExitStack, options: argparse.Namespace, size: Size, results: Results
) -> list[Server]:
    options.cache.mkdir(parents=True, exist_ok=True)
    # Beside the seed, on the same disk: a temporary folder is often in memory, where fsync costs nothing.
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=options.cache))
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    revision = f"mlflow-{version('mlflow')}"
    told("making the data, or finding it in the cache")
    backend: Backend
    if options.backend == "postgres":
        cluster = stack.enter_context(running_cluster(options.cache / "postgres"))
        postgres = Postgres(cluster, revision, size)
        stack.callback(postgres.drop, options.servers)
        backend = postgres
    else:
        backend = Sqlite(options.cache, revision, size)
    results.backend = backend.title
    servers = []
    for key in options.servers:
        servers.append(Server(key, folder, backend))
        stack.callback(servers[-1].stop)
    return servers


def _measure_starts(servers: Sequence[Server], results: Results, starts: int) -> None:
    # The first start is not counted: it makes indexes, compiles, fills the page cache.
    for number in range(starts + 1 if starts else 0):
        for server in servers:
            start = _start(server)
            if number:
                results.starts.setdefault(server.key, []).append(start)
            server.stop()


def _start(server: Server) -> Start:
    health_s, tracking_s = server.start()
    server.settle()
    share = server.idle_share(IDLE_S)
    told(f"{server.title} tracks after {tracking_s:.2f} s and uses {100 * share:.0f} % of a core when idle")
    return Start(health_s=health_s, tracking_s=tracking_s, idle=server.weight(), idle_share=share)


def _measure(
    servers: Sequence[Server],
    chosen: Sequence[Operation],
    results: Results,
    options: argparse.Namespace,
    size: Size,
) -> None:
    seconds = dict(_looked_at(servers, chosen, results, options.seconds, size))
    for number in range(options.rounds):
        for operation in chosen:
            # Who is first in a round is last in another.
            turn = number % len(servers)
            for server in [*servers[turn:], *servers[:turn]]:
                lasting = seconds.get((operation.key, server.key))
                if lasting is None:
                    continue
                runs = [operation.run] if operation.client else read_runs(size)
                first = (number + 1) * NUMBERS_A_ROUND
                found = loaded(server.url, operation, runs, first, lasting, server.folder)
                results.measured[operation.key][server.key].append(found)
                server.rest()  # what the end of the load cut off is still being answered
                told(
                    f"round {number + 1}, {operation.key}, {server.title}: {found.per_s:.1f}/s, "
                    f"p50 {found.p50_ms:.2f} ms {found.fault}"
                )
    for server in servers:
        results.after[server.key] = server.weight()
        for operation in chosen:
            _count(server, operation, results)


def _looked_at(
    servers: Sequence[Server], chosen: Sequence[Operation], results: Results, seconds: int, size: Size
) -> Iterator[tuple[tuple[str, str], int]]:
    """Look at answers of every kind; how long each is then to be loaded."""
    run = read_runs(size)[0]
    for operation in chosen:
        results.measured[operation.key] = {server.key: [] for server in servers}
        for server in servers:
            looks = [sampled(server.url, operation, run, number) for number in (1, 2)]
            faults = [fault for _, fault in looks if fault]
            if faults:
                told(f"{operation.key}, {server.title}: {faults[0]}")
                results.measured[operation.key][server.key].append(unmeasured(faults[0]))
                continue
            one_s = min(took_s for took_s, _ in looks)
            yield (operation.key, server.key), lasting_s(operation, seconds, one_s)


def _count(server: Server, operation: Operation, results: Results) -> None:
    """Fail the operation when something acknowledged is not in the database."""
    found = results.measured[operation.key][server.key]
    if not operation.stored or any(each.fault for each in found):
        return
    acknowledged = operation.stored_each * sum(each.requests for each in found)
    stored = server.stored(operation.stored)
    if stored < acknowledged:
        lost: Measured = unmeasured(
            f"{acknowledged - stored} of {acknowledged} acknowledged rows are not stored"
        )
        told(f"{operation.key}, {server.title}: {lost.fault}")
        found.append(lost)


if __name__ == "__main__":
    main()
