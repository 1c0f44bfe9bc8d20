"""How late and how often do streaming detectors alarm, all set to the same average run length to a false alarm (ARL0)?"""

import dataclasses
import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks.drift.concepts import (
    GENERATORS,
    SHAPES,
    Floats,
    Generator,
    Stream,
    error_stream,
    steady_errors,
    value_stream,
)
from kedge.drift import (
    ADWIN,
    BOCD,
    CUSUM,
    DDM,
    ECDDWT,
    EDDM,
    FHDDM,
    HDDMA,
    HDDMW,
    KSWIN,
    RDDM,
    STEPD,
    CalibrationError,
    GeometricMovingAverage,
    IncrementalKolmogorovSmirnov,
    PageHinkley,
    StreamingDetector,
    calibrate,
)

SEED = 11
SHIFT = 1.0
"""Of the normal values, in their deviation."""
OF_ERRORS: tuple[StreamingDetector, ...] = (
    ADWIN(),
    CUSUM(direction="up"),
    DDM(),
    ECDDWT(),
    EDDM(),
    FHDDM(),
    HDDMA(),
    HDDMW(),
    PageHinkley(direction="up"),
    RDDM(),
    STEPD(),
)
OF_VALUES: tuple[StreamingDetector, ...] = (
    ADWIN(),
    BOCD(max_runs=100),
    CUSUM(),
    CUSUM(standardize=True, threshold=5.0, delta=0.5),
    GeometricMovingAverage(),
    IncrementalKolmogorovSmirnov(window=100, reference_size=500),
    KSWIN(),
    PageHinkley(),
)
SLOW = (BOCD, KSWIN)
"""Calibrated on fewer streams."""
SET_BY: dict[type[StreamingDetector], str] = {BOCD: "hazard"}
"""Where another parameter than the threshold is the one to set: of 5,000 values without a change few make a change probable."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Effort:
    """How much to simulate."""

    arl0: float
    streams: int
    """Of each generator and shape."""
    calibration_runs: int
    pool: int
    steady: int
    """Values without drift for the measured run length."""


QUICK = Effort(arl0=500, streams=3, calibration_runs=20, pool=1000, steady=20_000)
FULL = Effort(arl0=5000, streams=30, calibration_runs=60, pool=5000, steady=500_000)


@dataclasses.dataclass(kw_only=True)
class Tally:
    """Of one detector, one source and one shape of drift."""

    detector: str
    source: str
    shape: str
    delays: list[int] = dataclasses.field(default_factory=list)
    changes: int = 0
    restricted: int = 0
    """Delays, and for missed changes the whole stretch."""
    false: int = 0
    """Alarms before the first change."""
    before: int = 0
    extra: int = 0
    """Alarms after the first of a change."""

    def add(self, stream: Stream, alarms: Sequence[int]) -> None:
        """Count one stream's alarms."""
        start = stream.changes[0][0]
        self.before += start
        self.false += sum(alarm < start for alarm in alarms)
        for begin, end in stream.changes:
            found = [alarm for alarm in alarms if begin <= alarm < end]
            delay = found[0] - begin + 1 if found else end - begin
            self.delays += [delay] if found else []
            self.changes += 1
            self.restricted += delay
            self.extra += max(0, len(found) - 1)

    @property
    def f1(self) -> float:
        """Of alarms: the first after a change is right, every other is false."""
        right = len(self.delays)
        return 2 * right / (2 * right + self.false + self.extra + self.changes - right)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Setting:
    """How a detector was set for a source, and the false alarms on values that it was not set by."""

    detector: str
    source: str
    parameter: str
    value: float
    alarms: int
    steady: int
    note: str = ""

    @property
    def run_length(self) -> float:
        """Values to a false alarm."""
        return self.steady / self.alarms if self.alarms else math.inf


@dataclasses.dataclass(frozen=True)
class Every:
    """A dummy that alarms at every k-th value: what a measure says of it, it says of nothing."""

    k: int

    def alarms(self, n: int) -> list[int]:
        """Where in n values."""
        return list(range(self.k - 1, n, self.k))


def name_of(detector: StreamingDetector) -> str:
    """As the tables call it."""
    standard = isinstance(detector, CUSUM) and detector.standardize
    return detector.spec.name + (", standardised" if standard else "")


def measured(effort: Effort, tell: Callable[[str], None]) -> tuple[list[Setting], list[Tally]]:
    """Every detector of errors on every generator, and every detector of values on normal values."""
    settings: list[Setting] = []
    tallies: list[Tally] = []
    for generator in GENERATORS:
        begun = time.perf_counter()
        reference, fresh = (_joined(generator, effort, seed) for seed in (50_000, 60_000))
        streams = {
            shape: [error_stream(generator, shape, seed, effort.pool) for seed in range(effort.streams)]
            for shape in generator.shapes
        }
        _source(generator.name, OF_ERRORS, (reference, fresh), streams, effort, settings, tallies)
        tell(f"{generator.name}: {time.perf_counter() - begun:.0f} s")
    begun = time.perf_counter()
    reference, fresh = (np.random.default_rng(seed).normal(0, 1, 20_000) for seed in (1, 2))
    streams = {
        shape: [value_stream(shape, seed, SHIFT) for seed in range(effort.streams)] for shape in SHAPES
    }
    _source("normal", OF_VALUES, (reference, fresh), streams, effort, settings, tallies)
    tell(f"normal values: {time.perf_counter() - begun:.0f} s")
    return settings, tallies


def _joined(generator: Generator, effort: Effort, seed: int) -> Floats:
    """Errors without drift, of which calibration and check draw."""
    return np.concatenate(list(steady_errors(generator, 4, seed, effort.pool)))


def _source(
    source: str,
    detectors: Sequence[StreamingDetector],
    steady: tuple[Floats, Floats],
    streams: dict[str, list[Stream]],
    effort: Effort,
    settings: list[Setting],
    tallies: list[Tally],
) -> None:
    for detector in detectors:
        made, setting = _set(detector, source, steady, effort)
        settings.append(setting)
        for shape, each in streams.items():
            tallies.append(_tally(made, name_of(detector), source, shape, each))
    for k in (round(effort.arl0), 500):
        dummy = Every(k)
        for shape, each in streams.items():
            tally = Tally(detector=f"alarm every {k:,}", source=source, shape=shape)
            for stream in each:
                tally.add(stream, dummy.alarms(len(stream.values)))
            tallies.append(tally)


def _tally(
    detector: StreamingDetector, name: str, source: str, shape: str, streams: Sequence[Stream]
) -> Tally:
    tally = Tally(detector=name, source=source, shape=shape)
    for stream in streams:
        fresh = type(detector)(**detector.parameters())
        tally.add(stream, fresh.update_many(stream.values).drifts.tolist())
    return tally


def _set(
    detector: StreamingDetector, source: str, steady: tuple[Floats, Floats], effort: Effort
) -> tuple[StreamingDetector, Setting]:
    """The detector at the wanted run length, or as it comes where nothing sets it, and how it fares on fresh values."""
    parameter, note, made = SET_BY.get(type(detector), detector.spec.threshold), "", detector
    runs = min(effort.calibration_runs, 20) if isinstance(detector, SLOW) else effort.calibration_runs
    if not parameter:
        note = "has no threshold to set: as it comes"
    else:
        try:
            made, _ = calibrate(
                detector, steady[0], arl0=effort.arl0, seed=SEED, runs=runs, parameter=parameter
            )
        except CalibrationError:
            note = "no threshold gives this run length: as it comes"
    most = effort.steady // 5 if isinstance(detector, SLOW) else effort.steady
    rng = np.random.default_rng(SEED)
    alarms = 0
    # As `calibrate` does: each stream has a detector of its own, for one that has measured its stream well may never alarm.
    length = round(5 * effort.arl0)
    for _ in range(most // length):
        fresh = type(made)(**made.parameters())
        alarms += int(fresh.update_many(steady[1][rng.integers(0, len(steady[1]), length)]).drifts.size)
    value = float(getattr(made, parameter)) if parameter else math.nan
    setting = Setting(
        detector=name_of(detector),
        source=source,
        parameter=parameter,
        value=value,
        alarms=alarms,
        steady=most // length * length,
        note=note,
    )
    return made, setting


def recorded(settings: Sequence[Setting], tallies: Sequence[Tally]) -> dict[str, Any]:
    """As JSON takes it."""
    return {
        "settings": [
            {**dataclasses.asdict(each), "run_length": each.run_length if each.alarms else None}
            for each in settings
        ],
        "delays": [dataclasses.asdict(each) for each in tallies],
    }
