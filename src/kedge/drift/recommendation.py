"""Which detectors for data like these, and why."""

import dataclasses
import math
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from kedge.drift.batch.base import BatchDetector
from kedge.drift.batch.categories import clean_categories
from kedge.drift.calibration import calibrate
from kedge.drift.errors import CalibrationError, DataError, ParameterError
from kedge.drift.recommendation_windows import for_column, for_rows
from kedge.drift.spec import Choice, Interval
from kedge.drift.streaming.adwin import ADWIN
from kedge.drift.streaming.base import StreamingDetector
from kedge.drift.streaming.cvm_online import CVMOnline
from kedge.drift.streaming.ddm import DDM
from kedge.drift.streaming.ecdd_wt import ECDDWT
from kedge.drift.streaming.fet_online import FETOnline
from kedge.drift.streaming.fhddm import FHDDM
from kedge.drift.streaming.hddm_a import HDDMA
from kedge.drift.streaming.hddm_w import HDDMW
from kedge.drift.streaming.lsdd_online import LSDDOnline
from kedge.drift.streaming.mmd_online import MMDOnline
from kedge.drift.streaming.online import ROUNDS
from kedge.drift.streaming.page_hinkley import PageHinkley
from kedge.drift.streaming.stepd import STEPD
from kedge.drift.streaming.values import as_floats

_DEPENDENT = 0.2
_HEAVY = 10.0
_LEAST = 50
_ROUNDING = 1e-12
_LIMIT_OF_ECDD = 400

_ERRORS: tuple[tuple[StreamingDetector, str], ...] = (
    (DDM(), "sees the rate rise above its lowest, and warns before; grows deaf in a long concept"),
    (HDDMA(), "sees abrupt rises, by a bound that holds for any values from 0 to 1"),
    (HDDMW(), "sees gradual rises sooner, for recent errors weigh more"),
    (FHDDM(), "sees abrupt rises within the last 100 values"),
    (STEPD(), "tests the last 30 values against all before, and warns before"),
)
"""Detectors of concept drift for a stream of a model's errors, and what each is good at."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recommendation:
    """A detector, ready to use (fitted, where it has a reference), and the reasons for it and its parameters."""

    detector: StreamingDetector | BatchDetector
    reasons: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class _Traits:
    """What the reference is like."""

    values: npt.NDArray[Any]
    correlation: float
    kurtosis: float
    run_time: float
    seed: int
    missing: Literal["raise", "skip"]

    @property
    def block(self) -> int:
        """Neighbours to draw together so that most of the dependence stays."""
        if self.correlation <= _DEPENDENT:
            return 1
        length = math.ceil(5 / (1 - min(self.correlation, 0.99)))
        return max(min(length, len(self.values) // 10), 1)


def recommend(
    reference: npt.ArrayLike,
    *,
    mode: Literal["streaming", "batch"],
    arl0: float | None = None,
    false_alarm_rate: float | None = None,
    seed: int = 0,
    missing: Literal["raise", "skip"] = "raise",
) -> tuple[Recommendation, ...]:
    """Which detectors, with which parameters, suit data like the reference; the most suitable first.

    Parameters
    ----------
    reference : array of shape (n,) or (n, d), n >= 50
        Data without drift. Text is categories, as are booleans and at most 20 different numbers in windows, which is what
        `test_columns` takes them for. Rows are of numbers only.
    mode : "streaming" or "batch"
        Value by value, or window by window.
    arl0 : float > 1
        For streams: wanted mean number of values to a false alarm. Larger values alarm later.
    false_alarm_rate : float in (0, 1)
        For windows: wanted share of false alarms; for streams, of values, so the inverse of `arl0`. Give one of both.
    seed : int >= 0, default 0
        Of the simulations.
    missing : "raise" or "skip", default "raise"
        What NaN, infinities, None and masked values do, here and in the detectors recommended.

    Returns
    -------
    tuple of Recommendation

    Raises
    ------
    ParameterError
        Not exactly one of `arl0` and `false_alarm_rate` is given, or an argument is out of its range.
    DataError
        The reference is too short (for vectors, for so long a run time), constant, of categories that do not repeat, holds
        what is no number nor text or is missing, or no detector reads it in this mode.

    Examples
    --------
    >>> import numpy as np
    >>> reference = np.random.default_rng(1).normal(0, 1, 500)
    >>> first, *_ = recommend(reference, mode="batch", false_alarm_rate=0.01)
    >>> first.detector, first.reasons[0]  # doctest: +NORMALIZE_WHITESPACE
    (KolmogorovSmirnov(alpha=0.01, method='auto', missing='raise'),
     'sees any change of a distribution of numbers, without bins to choose')
    """
    rate = _rate(arl0, false_alarm_rate)
    for name, value, rule in (
        ("seed", seed, Interval(int, 0, 2**53)),
        ("mode", mode, Choice(("streaming", "batch"))),
        ("missing", missing, Choice(("raise", "skip"))),
    ):
        if not rule.admits(value):
            raise ParameterError("recommend", name, value, str(rule))
    values = _read(reference, missing)
    if mode == "batch":
        advice = for_rows(values, rate, missing) if values.ndim == 2 else for_column(values, rate, missing)
        return tuple(
            Recommendation(detector=detector.fit(values), reasons=reasons) for detector, reasons in advice
        )
    if values.dtype.kind == "O":
        raise DataError(
            "recommend: no streaming detector reads categories; stream the shares of one, as 0 and 1"
        )
    numbers = values.astype(np.float64)
    traits = _Traits(numbers, _correlation(numbers), _kurtosis(numbers), 1 / rate, seed, missing)
    if values.ndim == 2:
        return _vectors(traits)
    return _binary(traits) if np.isin(numbers, (0, 1)).all() else _numbers(traits)


def _rate(arl0: float | None, false_alarm_rate: float | None) -> float:
    if (arl0 is None) == (false_alarm_rate is None):
        raise ParameterError("recommend", "arl0", arl0, "given, or else false_alarm_rate, and not both")
    name, given, rule = (
        ("arl0", arl0, Interval(float, 1, math.inf, "neither"))
        if false_alarm_rate is None
        else ("false_alarm_rate", false_alarm_rate, Interval(float, 0, 1, "neither"))
    )
    if not rule.admits(given):
        raise ParameterError("recommend", name, given, str(rule))
    return 1 / arl0 if arl0 is not None else float(false_alarm_rate or 0)


def _read(reference: npt.ArrayLike, missing: Literal["raise", "skip"]) -> npt.NDArray[Any]:
    """Finite numbers, booleans, or categories as objects, enough of them and not all the same."""
    # Left to itself, NumPy would make text of [1, "a"].
    given: Any = np.asanyarray(reference, dtype=object if isinstance(reference, list | tuple) else None)
    if given.ndim == 1 and _is_text(given):
        values: npt.NDArray[Any] = clean_categories(np.asarray(given), "reference", "recommend", missing)
    else:
        values = _finite(as_floats(given, "recommend"), missing)
        if given.dtype.kind == "b" or (given.dtype.kind == "O" and _are_booleans(given)):
            values = values.astype(bool)
    if values.ndim not in (1, 2) or len(values) < _LEAST or not values[0:1].size:
        raise DataError(f"recommend: a reference of at least {_LEAST} values, got shape {values.shape}")
    if _is_constant(values):
        raise DataError(
            f"recommend: the reference is constant, {values[0]}: it does not tell what is usual and what is drift"
        )
    return values


def _is_text(values: npt.NDArray[Any]) -> bool:
    if values.dtype.kind == "O":
        return any(isinstance(each, str) for each in values.tolist())
    return values.dtype.kind in "UST"


def _are_booleans(values: npt.NDArray[Any]) -> bool:
    return all(isinstance(each, bool | np.bool_) for each in values.ravel().tolist())


def _finite(values: npt.NDArray[np.float64], missing: str) -> npt.NDArray[np.float64]:
    finite: npt.NDArray[Any] = np.isfinite(values)
    if values.ndim == 2:
        finite = np.all(finite, axis=1)
    if finite.all():
        return values
    if missing != "skip":
        first = int(np.argmin(finite))
        raise DataError(
            f"recommend: the reference holds {values[first].tolist()} at {first}; or give missing='skip'"
        )
    kept: npt.NDArray[np.float64] = values[finite]
    return kept


def _is_constant(values: npt.NDArray[Any]) -> bool:
    """Whether nothing, in no column, differs by more than rounding."""
    if values.dtype.kind == "O":
        return len(set(values.tolist())) == 1
    numbers = values.astype(np.float64)
    return bool(np.all(np.ptp(numbers, axis=0) <= _ROUNDING * np.abs(numbers).max(axis=0)))


def _correlation(values: npt.NDArray[np.float64]) -> float:
    """The largest correlation of a column with itself one value later."""
    columns = values.reshape(len(values), -1)
    centred = columns - columns.mean(axis=0)
    power = (centred**2).sum(axis=0)
    with_next = (centred[1:] * centred[:-1]).sum(axis=0)
    return float(np.max(np.where(power > 0, with_next / np.where(power > 0, power, 1.0), 0.0)))


def _kurtosis(values: npt.NDArray[np.float64]) -> float:
    centred = values - values.mean(axis=0)
    variance = (centred**2).mean(axis=0)
    fourth = (centred**4).mean(axis=0)
    return float(np.max(np.where(variance > 0, fourth / np.where(variance > 0, variance**2, 1.0), 0.0)))


# Streams -------------------------------------------------------------------------------------------------------------


_UNKNOWN = "sees changes of the {} of unknown size, and tells since when"


def _numbers(traits: _Traits) -> tuple[Recommendation, ...]:
    spread = float(traits.values.std()) or 1.0
    jump = PageHinkley(delta=spread / 8, threshold=10 * spread, alpha=1.0, missing=traits.missing)
    found = _calibrated(
        traits,
        jump,
        f"sees shifts of the mean by a quarter of the deviation ({spread / 4:.3g}) or more soonest",
    )
    found += _calibrated(traits, ADWIN(missing=traits.missing), _UNKNOWN.format("mean"))
    shape = _online(
        traits, CVMOnline, "sees changes of spread and shape too, and outliers count no more than ranks"
    )
    if traits.kurtosis > _HEAVY:
        heavy = f"heavy tails (kurtosis {traits.kurtosis:.3g}) disturb means: a test of ranks comes first"
        return (*(_with(each, heavy) for each in shape), *found)
    return (*found, *shape)


def _binary(traits: _Traits) -> tuple[Recommendation, ...]:
    share = float(traits.values.mean())
    exact = _online(
        traits, FETOnline, f"exact for shares of ones as small as {share:.3g}, with a window of a few dozen"
    )
    found = [*exact, *_calibrated(traits, ADWIN(missing=traits.missing), _UNKNOWN.format("share"))]
    for detector, good_at in _ERRORS:
        fresh = type(detector)(**{**detector.parameters(), "missing": traits.missing})
        found += _calibrated(traits, fresh, f"if ones are a model's errors: {good_at}")
    if _LIMIT_OF_ECDD / 2 <= traits.run_time <= _LIMIT_OF_ECDD * 2:
        limit = f"cannot be calibrated: its limit is for about {_LIMIT_OF_ECDD} values to a false alarm, whatever is wanted"
        seen = (
            "if ones are a model's errors: sees small and abrupt rises by a moving average, and warns before"
        )
        found.append(Recommendation(detector=ECDDWT(missing=traits.missing), reasons=(seen, limit)))
    return tuple(found)


def _vectors(traits: _Traits) -> tuple[Recommendation, ...]:
    d = traits.values.shape[1]
    broad = _online(traits, MMDOnline, f"sees changes of all {d} columns together, their dependence too")
    fine = _online(traits, LSDDOnline, "weighs where densities differ; best with few columns")
    if not broad:
        raise DataError(
            f"recommend: {len(traits.values)} vectors are too few for a run time of {traits.run_time:g}"
        )
    return (*fine, *broad) if d <= 2 else (*broad, *fine)


def _with(recommendation: Recommendation, *reasons: str) -> Recommendation:
    return dataclasses.replace(recommendation, reasons=(*recommendation.reasons, *reasons))


def _calibrated(traits: _Traits, detector: StreamingDetector, reason: str) -> tuple[Recommendation, ...]:
    try:
        made, report = calibrate(
            detector,
            traits.values,
            arl0=traits.run_time,
            seed=traits.seed,
            block=traits.block,
        )
    except CalibrationError as error:
        uncalibrated = f"as it comes, for it cannot be calibrated: {error}"
        return (Recommendation(detector=detector, reasons=(reason, uncalibrated)),)
    measured = (
        f"{report.parameter}={report.value:.4g} alarms falsely every {report.achieved:.0f} values "
        f"({report.low:.0f} to {report.high:.0f}) on data drawn from the reference"
    )
    dependence = (
        f"values depend on those before (correlation {traits.correlation:.2f}): drawn in blocks of {traits.block}",
    )
    missed = (f"in steps only: no value of {report.parameter} comes nearer to {traits.run_time:.0f}",)
    reasons = reason, measured, *(() if report.reached else missed), *(dependence if traits.block > 1 else ())
    return (Recommendation(detector=made, reasons=reasons),)


def _online(traits: _Traits, cls: Any, reason: str) -> tuple[Recommendation, ...]:
    """A test with a window, where the reference is long enough for its threshold."""
    n = len(traits.values)
    window = min(50, n // (2 * ROUNDS))
    needed = math.ceil(10 * traits.run_time / ((ROUNDS - 2) * window)) if window >= 2 else math.inf
    if needed > 100_000:
        return ()
    detector = cls(
        traits.run_time,
        window=window,
        reference_size=max(n, 16),
        simulations=max(5000, needed),
        seed=traits.seed,
        missing=traits.missing,
    )
    reasons = [
        reason,
        f"window={window}: the largest, up to 50, for which {n} values of reference are enough",
        f"the threshold is simulated for {traits.run_time:.0f} values to a false alarm",
    ]
    if traits.block > 1:
        reasons.append(
            f"values depend on those before (correlation {traits.correlation:.2f}), which this test does not know: "
            "it will alarm more often; feed it means of stretches"
        )
    return (Recommendation(detector=detector.fit(traits.values), reasons=tuple(reasons)),)
