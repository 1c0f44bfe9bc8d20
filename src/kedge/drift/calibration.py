"""Thresholds by simulation: how strict must a detector be, on data like the reference, to alarm as rarely as wanted?"""

import dataclasses
import math
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from kedge.drift.batch.base import BatchDetector
from kedge.drift.errors import CalibrationError, DataError, ParameterError
from kedge.drift.run_lengths import binomial_interval, exponential_interval, mean_run_length
from kedge.drift.spec import Interval
from kedge.drift.streaming.base import StreamingDetector
from kedge.drift.streaming.referenced import ReferencedDetector

Detector = TypeVar("Detector", bound=StreamingDetector | BatchDetector)
Array = npt.NDArray[Any]

_HORIZON = 5
"""Streams are followed for so many wanted run lengths: 1 in 150 exponential run lengths is longer."""

_PIECE = 65_536
_SEARCH, _CHECK = 0, 1

_CLOSE = 0.1
"""So near the wanted run length the streams of the search must come: farther off, the parameter takes effect in steps."""

_STALLED = 5
"""After so many steps of the search by a factor of 4 that change nothing, no further one will."""

_NEAR_STEPS = 4
"""After so many values tried the search looks at the far end first."""

_ENOUGH = 20
"""Streams after which the search leaves a value that alarms far too rarely: those that cost most time."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class CalibrationReport:
    """What a calibration chose and how it fared on streams that it did not choose by.

    `achieved` is the average run length to a false alarm (in values; of a batch detector, in windows), between `low` and
    `high` with 95 % confidence. `runs` streams were followed, or windows tested, with `alarms` false alarms.

    `reached` says whether the wanted run length was to be had: it is false where `arl0` lies outside `low` to `high` and the
    streams of the search came no nearer than a tenth either. So it is with a parameter that takes effect in steps (KSWIN's
    `alpha`, a p-value of few values): then the value is the nearest that there is, and `achieved` what it gives.
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
    reached: bool


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
        given = {**self.detector.parameters(), self.parameter: value}
        for lower, upper in getattr(self.detector, "ordered", ()):
            if self.parameter in (lower, upper) and given[lower] > given[upper]:
                other = upper if self.parameter == lower else lower
                given[other] = self._moved_along(other, value)
        return type(self.detector)(**given)

    def _moved_along(self, other: str, value: float) -> float:
        """The other parameter of an ordered pair, with its odds as many times those of the value as they were."""
        rules, before = self.detector.spec.params, self.detector.parameters()
        ratio = rules[other].odds(float(before[other])) / rules[other].odds(float(before[self.parameter]))
        moved: float = rules[other].at(ratio * rules[other].odds(value))
        return moved


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

    Where a level that warns would come to lie on the wrong side of the level that alarms, it is moved along, so that its
    odds (above 0: itself) stay as many times those of the other as they were. Read `reached` in the report: a parameter that
    takes effect in steps may miss the run length.

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
        No value of the parameter gives this run length; or, of a batch detector, all windows have the same statistic, or
        there are fewer than two `runs` to an `arl0`.
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
    value, searched = _search(trial, lambda value: mean_run_length(*_follow(trial, value, _SEARCH)))
    time, alarms = _follow(trial, value, _CHECK)
    low, high = exponential_interval(time, alarms)
    made = trial.make(value)
    if isinstance(made, ReferencedDetector):
        made.fit(trial.reference)
    return made, _report(trial, value, (mean_run_length(time, alarms), low, high), alarms, searched)


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
        if purpose == _SEARCH and run + 1 >= _ENOUGH and time > (3 * alarms + 12) * trial.arl0:
            break
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


def _search(trial: _Trial, run_length: Callable[[float], float]) -> tuple[float, float]:
    """The parameter at which the run length is the wanted one, by bisection of the logarithm of its odds; and that length."""
    rule: Interval = trial.detector.spec.params[trial.parameter]
    strictness = _stricter(trial)
    value = rule.odds(float(getattr(trial.detector, trial.parameter))) or 1.0
    found = {value: run_length(rule.at(value))}
    step = strictness if found[value] < trial.arl0 else 1 / strictness
    unmoved = 0
    while unmoved < _STALLED and len(found) < 60:
        if len(found) == _NEAR_STEPS and step == strictness:
            far = _far(rule, value, step)
            found[far] = run_length(rule.at(far))
            if found[far] < trial.arl0:
                break  # the strictest is not strict enough: the steps up to it, each over all streams, can be spared
        last, value = value, value * step
        if not rule.admits(rule.at(value)) or rule.at(value) == rule.at(last):
            break
        found[value] = run_length(rule.at(value))
        if (found[value] < trial.arl0) != (found[last] < trial.arl0):
            odds = _bisected(trial.arl0, (last, value), found, lambda odds: run_length(rule.at(odds)))
            return rule.at(odds), found[odds]
        still = math.isclose(found[value], found[last], rel_tol=0.01)
        known = found[value] < _HORIZON * trial.arl0  # else hardly a stream has alarmed, at either value
        unmoved = unmoved + 1 if still and known else 0
    best = max(found.values()) if step == strictness else min(found.values())
    raise CalibrationError(
        f"{trial.detector.spec.name}: no {trial.parameter} gives an average run length of {trial.arl0:g}; "
        f"tried {rule.at(min(found)):.3g} to {rule.at(max(found)):.3g}, and came to {best:.4g}"
    )


def _far(rule: Interval, odds: float, step: float) -> float:
    """The farthest odds, up to 25 steps on, that still give an admitted value."""
    admitted = (each for each in range(25, 0, -1) if rule.admits(rule.at(odds * step**each)))
    return odds * step ** next(admitted, 0)


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
        if any(math.isclose(found[end], wanted, rel_tol=0.002) for end in (first, second)):
            break
        middle = math.sqrt(first * second)
        found[middle] = run_length(middle)
        if (found[middle] < wanted) == (found[first] < wanted):
            first = middle
        else:
            second = middle
    return min((first, second), key=lambda value: abs(math.log(found[value] / wanted)))


# Windows -------------------------------------------------------------------------------------------------------------


def _calibrate_batch(trial: _Trial, window: int) -> tuple[Any, CalibrationReport]:
    if trial.runs < 2 * trial.arl0:
        raise CalibrationError(
            f"{trial.detector.spec.name}: {trial.runs} windows do not tell what 1 in {trial.arl0:g} is: "
            f"give runs of at least {math.ceil(2 * trial.arl0)}, better ten times as many"
        )
    made = trial.make(getattr(trial.detector, trial.parameter))
    measures = _measures(trial, made, window, _SEARCH)
    found, is_level = measures
    if found.min() == found.max():
        raise CalibrationError(
            f"{made.spec.name}: all windows have the same {'p-value' if is_level else 'statistic'}, {found[0]:g}: "
            f"no {trial.parameter} gives one alarm in {trial.arl0:g}; is the reference constant?"
        )
    if is_level:
        value = float(np.quantile(found, 1 / trial.arl0, method="higher"))
    else:
        value = float(np.quantile(found, 1 - 1 / trial.arl0, method="lower"))
        value = float(np.nextafter(value, np.inf))  # a statistic at the threshold is a drift
    if not trial.detector.spec.params[trial.parameter].admits(value):
        raise CalibrationError(f"{made.spec.name}: {trial.parameter} would have to be {value!r}")
    chosen = trial.make(value)
    checked = _measures(trial, chosen, window, _CHECK)[0]
    alarms, before = (int(np.sum(each < value if is_level else each >= value)) for each in (checked, found))
    achieved, searched = (trial.runs / each if each else math.inf for each in (alarms, before))
    interval = binomial_interval(trial.runs, alarms)
    return chosen.fit(trial.reference), _report(trial, value, (achieved, *interval), alarms, searched)


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
    trial: _Trial, value: float, achieved: tuple[float, float, float], alarms: int, searched: float
) -> CalibrationReport:
    mean, low, high = achieved
    near = abs(searched / trial.arl0 - 1) <= _CLOSE if math.isfinite(searched) else False
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
        reached=near or low <= trial.arl0 <= high,
    )
