"""Thresholds by simulation: how strict must a detector be, on data like the reference, to alarm as rarely as wanted?"""

import dataclasses
import math
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from kedge.drift.batch.base import BatchDetector
from kedge.drift.errors import CalibrationError, DataError, ParameterError
from kedge.drift.spec import Interval
from kedge.drift.streaming.base import StreamingDetector
from kedge.drift.streaming.referenced import ReferencedDetector

Detector = TypeVar("Detector", bound=StreamingDetector | BatchDetector)
Array = npt.NDArray[Any]

_HORIZON = 5
"""Streams are followed for so many wanted run lengths: 1 in 150 exponential run lengths is longer."""

_PIECE = 65_536
_SEARCH, _CHECK = 0, 1


@dataclasses.dataclass(frozen=True, kw_only=True)
class CalibrationReport:
    """What a calibration chose and how it fared on streams that it did not choose by.

    `achieved` is the average run length to a false alarm (in values; of a batch detector, in windows), between `low` and
    `high` with 95 % confidence. `runs` streams were followed, or windows tested, with `alarms` false alarms.
    """

    detector: str
    parameter: str
    value: float
    arl0: float
    achieved: float
    low: float
    high: float
    runs: int
    alarms: int
    seed: int


@dataclasses.dataclass(frozen=True)
class _Trial:
    """The detector to calibrate, and the data to draw from."""

    detector: Any
    parameter: str
    reference: Array
    arl0: float
    runs: int
    block: int
    seed: int

    def make(self, value: float) -> Any:
        return type(self.detector)(**{**self.detector.parameters(), self.parameter: value})


def calibrate(
    detector: Detector,
    reference: npt.ArrayLike,
    *,
    arl0: float,
    seed: int,
    runs: int | None = None,
    window: int | None = None,
    block: int = 1,
    parameter: str = "",
) -> tuple[Detector, CalibrationReport]:
    """How strict must this detector be so that, on data like the reference, `arl0` values pass to a false alarm?

    Streams are drawn from the reference with replacement, and the parameter is bisected until their average run length is
    the wanted one. A detector with a reference of its own gets, in each run, another redrawn reference, so that it does
    not know its streams better than it will know yours. Of a batch detector, windows are drawn, and the parameter is a
    quantile of their statistics or p-values.

    Parameters
    ----------
    detector : StreamingDetector or BatchDetector
        Its class and other parameters are kept; it is not changed.
    reference : array of shape (n,) or (n, d)
        Data without drift. False alarms rarer than these data can tell are extrapolated: have more than a few hundred.
    arl0 : float > 1
        Wanted mean number of values (batch: windows) to a false alarm. Larger values alarm later, and take longer to
        simulate.
    seed : int >= 0
        The same seed gives the same result.
    runs : int >= 20, default 200 streams, or 20 `arl0` windows between 400 and 4000
        Larger values calibrate more exactly: the error of 200 streams is about 7 %.
    window : int >= 1
        For batch detectors: values in a window.
    block : int >= 1, default 1
        Draw so many neighbours together: for data whose values depend on those before them. Larger values keep longer
        dependence and draw fewer different streams.
    parameter : str, default the spec's `threshold`
        What to set. Which way that alarms more rarely is the spec's `stricter`; of another parameter it is taken to be
        upwards where that has no end, else downwards.

    Returns
    -------
    tuple
        A new detector (fitted to the reference, where it has one) and a CalibrationReport.

    Raises
    ------
    CalibrationError
        No value of the parameter gives this run length.
    ParameterError
        The detector has no such parameter, or an argument is out of its range.
    DataError
        The reference is empty, or the detector refuses it.

    Examples
    --------
    >>> import numpy as np
    >>> from kedge.drift.streaming.page_hinkley import PageHinkley
    >>> reference = np.random.default_rng(1).normal(0, 1, 1000)
    >>> detector, report = calibrate(PageHinkley(delta=0.25), reference, arl0=500, seed=1)
    >>> round(detector.threshold), report.low < 500 < report.high
    (9, True)

    References
    ----------
    Page (1954), Continuous inspection schemes, for the average run length; Efron and Tibshirani (1993), An Introduction to
    the Bootstrap, chapter 8.6 for blocks.
    """
    batch = isinstance(detector, BatchDetector)
    name = parameter or detector.spec.threshold
    values = np.asarray(reference)
    if runs is None:
        runs = int(min(max(20 * arl0, 400), 4000)) if batch else 200
    _require(detector, values, arl0=arl0, seed=seed, runs=runs, block=block, parameter=name)
    trial = _Trial(detector, name, values, float(arl0), runs, block, seed)
    if batch:
        if window is None or not 1 <= window < len(values):
            raise ParameterError("calibrate", "window", window, f"int in [1, {len(values)})")
        return _calibrate_batch(trial, window)
    return _calibrate_stream(trial)


def _require(detector: Any, values: Array, **given: Any) -> None:
    rules = {
        "arl0": Interval(float, 1, math.inf, "neither"),
        "seed": Interval(int, 0, 2**63),
        "runs": Interval(int, 20, 10**6),
        "block": Interval(int, 1, max(len(values), 1) if values.ndim else 1),
    }
    for name, rule in rules.items():
        if not rule.admits(given[name]):
            raise ParameterError("calibrate", name, given[name], str(rule))
    interval = detector.spec.params.get(given["parameter"])
    if not isinstance(interval, Interval) or interval.kind is not float or math.isinf(interval.low):
        rule_text = f"a number among the parameters of {detector.spec.name} that sets its false alarms"
        raise ParameterError("calibrate", "parameter", given["parameter"], rule_text)
    if values.ndim not in (1, 2) or not len(values):
        raise DataError(f"calibrate: the reference must have shape (n,) or (n, d), got {values.shape}")


# Streams -------------------------------------------------------------------------------------------------------------


def _calibrate_stream(trial: _Trial) -> tuple[Any, CalibrationReport]:
    if trial.detector.missing == "skip":
        values = trial.reference.astype(np.float64)
        finite = np.isfinite(values).reshape(len(values), -1).all(axis=1)
        trial = dataclasses.replace(trial, reference=values[finite])
    value = _search(trial, lambda value: _rate(*_follow(trial, value, _SEARCH)))
    time, alarms = _follow(trial, value, _CHECK)
    low, high = _exponential_interval(time, alarms)
    made = trial.make(value)
    if isinstance(made, ReferencedDetector):
        made.fit(trial.reference)
    return made, _report(trial, value, (_rate(time, alarms), low, high), alarms)


def _follow(trial: _Trial, value: float, purpose: int) -> tuple[int, int]:
    """Values seen, and alarms, over all streams, each followed to its first alarm or the horizon."""
    time = alarms = 0
    horizon = math.ceil(_HORIZON * trial.arl0)
    for run in range(trial.runs):
        rng = np.random.default_rng((trial.seed, purpose, run))
        detector = trial.make(value)
        if isinstance(detector, ReferencedDetector):
            detector.fit(_redrawn(trial, rng, len(trial.reference)))
        seen, found = _first_alarm(detector, _pieces(trial, rng, horizon))
        time, alarms = time + seen, alarms + found
    return time, alarms


def _first_alarm(detector: StreamingDetector, pieces: Iterator[Array]) -> tuple[int, int]:
    seen = 0
    for piece in pieces:
        drifts = detector.update_many(piece).drifts
        if drifts.size:
            return seen + int(drifts[0]) + 1, 1
        seen += len(piece)
    return seen, 0


def _pieces(trial: _Trial, rng: np.random.Generator, horizon: int) -> Iterator[Array]:
    size = min(math.ceil(trial.arl0), _PIECE)
    for begin in range(0, horizon, size):
        yield _redrawn(trial, rng, min(size, horizon - begin))


def _redrawn(trial: _Trial, rng: np.random.Generator, n: int) -> Array:
    m, block = len(trial.reference), trial.block
    starts = rng.integers(0, m, -(-n // block))
    places = (starts[:, np.newaxis] + np.arange(block)) % m
    drawn: Array = trial.reference[places.ravel()[:n]]
    return drawn


def _search(trial: _Trial, run_length: Callable[[float], float]) -> float:
    """The parameter at which the run length is the wanted one, by bisection of the logarithm of its odds."""
    rule: Interval = trial.detector.spec.params[trial.parameter]
    strictness = _stricter(trial)
    value = rule.odds(float(getattr(trial.detector, trial.parameter))) or 1.0
    found = {value: run_length(rule.at(value))}
    step = strictness if found[value] < trial.arl0 else 1 / strictness
    for _ in range(60):
        last, value = value, value * step
        if not rule.admits(rule.at(value)) or rule.at(value) == rule.at(last):
            break
        found[value] = run_length(rule.at(value))
        if (found[value] < trial.arl0) != (found[last] < trial.arl0):
            return rule.at(
                _bisected(trial.arl0, (last, value), found, lambda odds: run_length(rule.at(odds)))
            )
    best = max(found.values()) if step == strictness else min(found.values())
    raise CalibrationError(
        f"{trial.detector.spec.name}: no {trial.parameter} gives an average run length of {trial.arl0:g}; "
        f"tried {rule.at(min(found)):.3g} to {rule.at(max(found)):.3g}, and came to {best:.4g}"
    )


def _stricter(trial: _Trial) -> float:
    """The factor of the odds by which to step to rarer alarms."""
    spec = trial.detector.spec
    if trial.parameter == spec.threshold:
        return 4.0 if spec.stricter == "larger" else 0.25
    # Of another parameter nothing is declared: mostly, a level between two ends is stricter when smaller.
    return 4.0 if math.isinf(spec.params[trial.parameter].high) else 0.25


def _bisected(
    wanted: float, ends: tuple[float, float], found: dict[float, float], run_length: Callable[[float], float]
) -> float:
    first, second = ends
    while abs(math.log(second / first)) > 0.005:
        middle = math.sqrt(first * second)
        found[middle] = run_length(middle)
        if (found[middle] < wanted) == (found[first] < wanted):
            first = middle
        else:
            second = middle
    return min((first, second), key=lambda value: abs(math.log(found[value] / wanted)))


# Windows -------------------------------------------------------------------------------------------------------------


def _calibrate_batch(trial: _Trial, window: int) -> tuple[Any, CalibrationReport]:
    made = trial.make(getattr(trial.detector, trial.parameter))
    measures = _measures(trial, made, window, _SEARCH)
    is_level = measures[1]
    if is_level:
        value = float(np.quantile(measures[0], 1 / trial.arl0, method="higher"))
    else:
        value = float(np.quantile(measures[0], 1 - 1 / trial.arl0, method="lower"))
        value = float(np.nextafter(value, np.inf))  # a statistic at the threshold is a drift
    if not trial.detector.spec.params[trial.parameter].admits(value):
        raise CalibrationError(f"{made.spec.name}: {trial.parameter} would have to be {value!r}")
    chosen = trial.make(value)
    checked = _measures(trial, chosen, window, _CHECK)[0]
    alarms = int(np.sum(checked < value if is_level else checked >= value))
    achieved = trial.runs / alarms if alarms else math.inf
    return chosen.fit(trial.reference), _report(
        trial, value, (achieved, *_binomial_interval(trial.runs, alarms)), alarms
    )


def _measures(
    trial: _Trial, detector: Any, window: int, purpose: int
) -> tuple[npt.NDArray[np.float64], bool]:
    """P-values, or else statistics, of windows without drift; and whether they are p-values."""
    found = []
    m = len(trial.reference)
    for run in range(trial.runs):
        rng = np.random.default_rng((trial.seed, purpose, run))
        if 2 * window <= m and trial.block == 1:  # parts of one sample, which share no value
            mixed = trial.reference[rng.permutation(m)]
            before, after = mixed[window:], mixed[:window]
        else:
            before, after = _redrawn(trial, rng, m), _redrawn(trial, rng, window)
        found.append(detector.fit(before).test(after))
    if found[0].p_value is None:
        return np.array([each.statistic for each in found]), False
    return np.array([each.p_value for each in found]), True


# Intervals -----------------------------------------------------------------------------------------------------------


def _report(
    trial: _Trial, value: float, achieved: tuple[float, float, float], alarms: int
) -> CalibrationReport:
    mean, low, high = achieved
    return CalibrationReport(
        detector=trial.detector.spec.name,
        parameter=trial.parameter,
        value=value,
        arl0=trial.arl0,
        achieved=mean,
        low=low,
        high=high,
        runs=trial.runs,
        alarms=alarms,
        seed=trial.seed,
    )


def _rate(time: int, alarms: int) -> float:
    """Mean time to an alarm where some streams ended without: all time over all alarms."""
    return time / alarms if alarms else 2.0 * time


def _exponential_interval(time: int, alarms: int) -> tuple[float, float]:
    from scipy import stats  # half a second to import, and only intervals need it

    low = 2 * time / stats.chi2.ppf(0.975, 2 * alarms + 2)
    return float(low), float(2 * time / stats.chi2.ppf(0.025, 2 * alarms)) if alarms else math.inf


def _binomial_interval(runs: int, alarms: int) -> tuple[float, float]:
    from scipy import stats

    most = stats.beta.ppf(0.975, alarms + 1, runs - alarms) if alarms < runs else 1.0
    least = stats.beta.ppf(0.025, alarms, runs - alarms + 1) if alarms else 0.0
    return float(1 / most), float(1 / least) if least else math.inf
