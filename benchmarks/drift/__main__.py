"""`make bench-drift`: measure the drift library and write benchmarks/results/drift.md, its plots, and the raw numbers beside.

Both sides of a comparison get the same numbers in one process, in turn. Libraries that want other versions than Kedge's
environment have environments of their own: `--peers` makes those that are missing, and `--frouros PYTHON` and its like
name one. What has neither is left out and named as not measured.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from benchmarks.drift import alone, beside_river, beside_scipy, mmd, peers, power, quality, sections
from benchmarks.drift.report import Results, raw, rendered
from benchmarks.drift.timing import Comparison, Quantity

RESULTS = Path(__file__).parent.parent / "results"
PARTS = ("river", "frouros", "alibi", "evidently", "scipy", "alone", "large", "quality", "power")


def main() -> None:
    """Measure and write."""
    options = _options()
    results = Results(about=_about(options))
    begun = time.perf_counter()
    for part in options.only:
        told(part)
        MEASURES[part](options, results)
    results.minutes = (time.perf_counter() - begun) / 60
    text = rendered(results)
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(text)
        options.output.with_suffix(".json").write_bytes(raw(results))
        sections.written(options.output.parent / "drift", results.pictures)
    print(text)


def told(line: str) -> None:
    """Say what is going on."""
    print(f"bench: {line}", file=sys.stderr, flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.drift", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="a minute or two: fewer values, two rounds, nothing written"
    )
    parser.add_argument("--rounds", type=int, help="medians are taken over these (5; of long runs 3)")
    parser.add_argument("--only", help=f"some of {','.join(PARTS)}")
    parser.add_argument(
        "--peers", action="store_true", help="make the environments of other libraries where they are missing"
    )
    for peer in peers.PEERS:
        parser.add_argument(
            f"--{peer.key}", metavar="PYTHON", help=f"an environment with {', '.join(peer.wanted)}"
        )
    parser.add_argument("--output", type=Path, help="the page; the raw numbers go beside it")
    options = parser.parse_args()
    if options.output is None and not options.quick and not options.only:
        options.output = RESULTS / "drift.md"
    options.rounds = options.rounds or (2 if options.quick else 5)
    options.only = options.only.split(",") if options.only else list(PARTS)
    unknown = [each for each in options.only if each not in PARTS]
    if unknown:
        sys.exit(f"unknown: {', '.join(unknown)}; known: {', '.join(PARTS)}")
    return options


def _about(options: argparse.Namespace) -> str:
    return (
        f"Medians of {options.rounds} rounds, of {_few(options)} where one takes seconds (range); both sides in turn on the "
        "same numbers, in one process except MMD, whose processes take turns. Ratios are of the same round; `met` judges "
        "their median."
    )


def _few(options: argparse.Namespace) -> int:
    return min(options.rounds, 1 if options.quick else 3)


def _river(options: argparse.Namespace, results: Results) -> None:
    results.speed += beside_river.compared(options.rounds, options.quick)


def _frouros(options: argparse.Namespace, results: Results) -> None:
    n = 5_000 if options.quick else 20_000
    _beside(options, results, "frouros", lambda python: _asked(results, python, "frouros", _few(options), n))


def _evidently(options: argparse.Namespace, results: Results) -> None:
    size = (10_000, 10) if options.quick else (100_000, 50)
    _beside(
        options,
        results,
        "evidently",
        lambda python: _asked(results, python, "evidently", _few(options), *size),
    )


def _alibi(options: argparse.Namespace, results: Results) -> None:
    def measure(python: str) -> None:
        versions, found = mmd.compared(python, peers.environment(), _few(options))
        results.versions["alibi"] = versions
        results.speed += found

    _beside(options, results, "alibi", measure)


def _asked(results: Results, python: str, key: str, *arguments: int) -> None:
    answer = peers.asked(python, f"beside_{key}", *arguments)
    results.versions[key] = answer["versions"]
    results.speed += msgspec.convert(answer["found"], list[Comparison])


def _beside(options: argparse.Namespace, results: Results, key: str, measure: Callable[[str], None]) -> None:
    peer = next(each for each in peers.PEERS if each.key == key)
    given = getattr(options, key)
    if given is None and not options.peers:
        results.missing[f"beside {peer.title}"] = f"neither --peers nor --{key} PYTHON was given"
        return
    try:
        measure(given or peers.built(peer))
    except peers.Missing as error:
        results.missing[f"beside {peer.title}"] = str(error)


def _scipy(options: argparse.Namespace, results: Results) -> None:
    size = (10_000, 10) if options.quick else (100_000, 50)
    _shared(results, beside_scipy.compared(_few(options), *size))


def _alone(options: argparse.Namespace, results: Results) -> None:
    _shared(results, alone.measured(options.rounds, options.quick))


def _large(options: argparse.Namespace, results: Results) -> None:
    results.quantities += mmd.large(mmd.SMALL if options.quick else mmd.LARGE, 1)


def _quality(options: argparse.Namespace, results: Results) -> None:
    effort = quality.QUICK if options.quick else quality.FULL
    settings, tallies = quality.measured(effort, told)
    results.sections += sections.delays(effort, settings, tallies)
    results.pictures |= sections.delay_plots(tallies)
    results.raw |= quality.recorded(settings, tallies)


def _power(options: argparse.Namespace, results: Results) -> None:
    shares = power.measured(power.QUICK if options.quick else power.FULL, told)
    results.sections += sections.powers(shares)
    results.pictures |= sections.power_plots(shares)
    results.raw["power"] = power.recorded(shares)


def _shared(results: Results, found: list[Comparison | Quantity]) -> None:
    for each in found:
        if isinstance(each, Comparison):
            results.speed.append(each)
        else:
            results.quantities.append(each)


MEASURES: dict[str, Callable[[argparse.Namespace, Results], None]] = {
    "river": _river,
    "frouros": _frouros,
    "alibi": _alibi,
    "evidently": _evidently,
    "scipy": _scipy,
    "alone": _alone,
    "large": _large,
    "quality": _quality,
    "power": _power,
}

if __name__ == "__main__":
    main()
