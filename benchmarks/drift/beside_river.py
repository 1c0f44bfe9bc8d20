"""River and Kedge in one process on the same values: on arrays, and one value a call."""

import dataclasses
from collections.abc import Callable
from typing import Any

from river import drift
from river.drift import binary

from benchmarks.drift.samples import Floats, errors, normals
from benchmarks.drift.timing import Comparison, alternated
from kedge.drift import ADWIN, DDM, EDDM, FHDDM, HDDMA, HDDMW, KSWIN, PageHinkley, StreamingDetector


@dataclasses.dataclass(frozen=True)
class Pair:
    """The same detector twice."""

    key: str
    title: str
    ours: Callable[[], StreamingDetector]
    theirs: Callable[[], Any]
    sample: Callable[[int], Floats]
    values: int = 200_000
    counts_right: bool = False
    """Whether theirs takes 1 for a right answer."""
    is_constant_time: bool = True


PAIRS = (
    Pair("page-hinkley", "Page-Hinkley", PageHinkley, drift.PageHinkley, normals),
    Pair("ddm", "DDM", DDM, binary.DDM, errors),
    Pair("eddm", "EDDM", EDDM, binary.EDDM, errors),
    Pair("hddm-a", "HDDM-A", HDDMA, binary.HDDMA, errors, 100_000),
    Pair("hddm-w", "HDDM-W", HDDMW, binary.HDDMW, errors, 100_000),
    Pair("fhddm", "FHDDM", FHDDM, binary.FHDDM, errors, counts_right=True),
    Pair(
        "adwin-32",
        "ADWIN, clock 32",
        lambda: ADWIN(preset="river"),
        drift.ADWIN,
        normals,
        400_000,
        False,
        False,
    ),
    Pair(
        "adwin-1",
        "ADWIN, clock 1",
        lambda: ADWIN(clock=1, preset="river"),
        lambda: drift.ADWIN(clock=1),
        normals,
        200_000,
        False,
        False,
    ),
    Pair(
        "kswin",
        "KSWIN, River's draws",
        lambda: KSWIN(preset="river", seed=42),
        lambda: drift.KSWIN(seed=42),
        normals,
        6_000,
        False,
        False,
    ),
)


def compared(rounds: int, quick: bool) -> list[Comparison]:
    """All pairs, on arrays and then one value a call."""
    found = []
    for pair in PAIRS:
        n = pair.values // 10 if quick else pair.values
        found += _pair(pair, pair.sample(n), rounds)
    return found


def _pair(pair: Pair, xs: Floats, rounds: int) -> list[Comparison]:
    ours = xs.tolist()
    theirs = [1 - int(x) for x in ours] if pair.counts_right else ours
    if pair.sample is errors and not pair.counts_right:
        theirs = [int(x) for x in ours]
    alarms = pair.ours().update_many(xs).drifts.tolist()
    note = "same alarms" if alarms == _their_alarms(pair, theirs) else "OTHER ALARMS"
    sides = {
        "array": lambda: pair.ours().update_many(xs),
        "river": lambda: _their_loop(pair, theirs),
        **({"one": lambda: _our_loop(pair, ours)} if pair.key != "kswin" else {}),
    }
    seconds = alternated(rounds, sides)
    named = {"rival": "River", "theirs": seconds["river"], "values": len(xs)}
    found = [Comparison(key=f"river/{pair.key}", title=pair.title, ours=seconds["array"], note=note, **named)]
    if "one" in seconds:
        kind = "" if pair.is_constant_time else " (not O(1))"
        title = f"{pair.title}{kind}, one value a call"
        key = f"one/{pair.key}" if pair.is_constant_time else f"logarithmic/{pair.key}"
        found.append(Comparison(key=key, title=title, ours=seconds["one"], **named))
    return found


def _their_alarms(pair: Pair, xs: list[Any]) -> list[int]:
    detector = pair.theirs()
    alarms = []
    for index, x in enumerate(xs):
        detector.update(x)
        if detector.drift_detected:
            alarms.append(index)
    return alarms


def _their_loop(pair: Pair, xs: list[Any]) -> int:
    detector = pair.theirs()
    update, alarms = detector.update, 0
    for x in xs:
        update(x)
        if detector.drift_detected:
            alarms += 1
    return alarms


def _our_loop(pair: Pair, xs: list[float]) -> int:
    update, alarms = pair.ours().update, 0
    for x in xs:
        if update(x) == "drift":
            alarms += 1
    return alarms
