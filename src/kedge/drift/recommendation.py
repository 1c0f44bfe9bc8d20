"""Which detectors for data like these, and why."""

import dataclasses
import math
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from kedge.drift.batch.base import BatchDetector
from kedge.drift.batch.chi_square import ChiSquare
from kedge.drift.batch.kolmogorov_smirnov import KolmogorovSmirnov
from kedge.drift.batch.population_stability_index import PopulationStabilityIndex
from kedge.drift.calibration import calibrate
from kedge.drift.errors import CalibrationError, DataError, ParameterError
from kedge.drift.spec import Interval
from kedge.drift.streaming.adwin import ADWIN
from kedge.drift.streaming.base import StreamingDetector
from kedge.drift.streaming.cvm_online import CVMOnline
from kedge.drift.streaming.fet_online import FETOnline
from kedge.drift.streaming.lsdd_online import LSDDOnline
from kedge.drift.streaming.mmd_online import MMDOnline
from kedge.drift.streaming.online import ROUNDS
from kedge.drift.streaming.page_hinkley import PageHinkley

_DEPENDENT = 0.2
_HEAVY = 10.0
_FEW_KINDS = 20
_SIGNIFICANT_TRIFLES = 10_000
_LEAST = 50


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
) -> tuple[Recommendation, ...]:
    """Which detectors, with which parameters, suit data like the reference; the most suitable first.

    Parameters
    ----------
    reference : array of shape (n,) or (n, d), n >= 50
        Data without drift; text or objects are categories.
    mode : "streaming" or "batch"
        Value by value, or window by window.
    arl0 : float > 1
        For streams: wanted mean number of values to a false alarm. Larger values alarm later.
    false_alarm_rate : float in (0, 1)
        For windows: wanted share of false alarms; for streams, of values, so the inverse of `arl0`. Give one of both.
    seed : int >= 0, default 0
        Of the simulations.

    Returns
    -------
    tuple of Recommendation

    Raises
    ------
    ParameterError
        Not exactly one of `arl0` and `false_alarm_rate` is given, or one is out of its range.
    DataError
        The reference is too short (for vectors, for so long a run time), or no detector reads it in this mode.

    Examples
    --------
    >>> import numpy as np
    >>> reference = np.random.default_rng(1).normal(0, 1, 500)
    >>> first, *_ = recommend(reference, mode="batch", false_alarm_rate=0.01)
    >>> first.detector, first.reasons[0]  # doctest: +NORMALIZE_WHITESPACE
    (KolmogorovSmirnov(alpha=0.01, method='auto', missing='raise'),
     'sees any change of a distribution of numbers, without bins to choose')
    """
    if (arl0 is None) == (false_alarm_rate is None):
        raise ParameterError("recommend", "arl0", arl0, "given, or else false_alarm_rate")
    rate = 1 / arl0 if arl0 else float(false_alarm_rate or 0)
    if not Interval(float, 0, 1, "neither").admits(rate):
        raise ParameterError("recommend", "false_alarm_rate", rate, "float in (0, 1)")
    values = np.asarray(reference)
    if values.ndim not in (1, 2) or len(values) < _LEAST:
        raise DataError(f"recommend: a reference of at least {_LEAST} values, got shape {values.shape}")
    if mode == "batch":
        return _batch(values, rate)
    if mode != "streaming":
        raise ParameterError("recommend", "mode", mode, 'one of "streaming", "batch"')
    if values.dtype.kind not in "biuf":
        raise DataError(
            "recommend: no streaming detector reads categories; stream the shares of one, as 0 and 1"
        )
    numbers = values.astype(np.float64)
    traits = _Traits(numbers, _correlation(numbers), _kurtosis(numbers), 1 / rate, seed)
    if values.ndim == 2:
        return _vectors(traits)
    return _binary(traits) if np.isin(numbers, (0, 1)).all() else _numbers(traits)


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


# Windows -------------------------------------------------------------------------------------------------------------


def _batch(values: npt.NDArray[Any], rate: float) -> tuple[Recommendation, ...]:
    if values.ndim == 2:
        raise DataError(
            "recommend: for windows, ask for one column at a time, and correct over the columns (holm)"
        )
    level = f"alarms on {rate:.3g} of the windows without drift"
    n, kinds = len(values), len(np.unique(values))
    index = "measures how large a change is, whatever the number of values: above 0.2 is a shift by custom"
    uncontrolled = "does not control false alarms: calibrate sets its threshold for a size of window"
    if values.dtype.kind not in "iuf":
        return (
            _made(ChiSquare(rate), values, f"compares the shares of {kinds} categories", level),
            _made(PopulationStabilityIndex(binning="categories"), values, index, uncontrolled),
        )
    distribution = _made(
        KolmogorovSmirnov(rate),
        values,
        "sees any change of a distribution of numbers, without bins to choose",
        level if kinds > _FEW_KINDS else f"only {kinds} different values: alarms more rarely than {rate:.3g}",
    )
    effect = _made(PopulationStabilityIndex(), values, index, uncontrolled)
    if n > _SIGNIFICANT_TRIFLES:
        trifles = f"with {n} values, trifles are significant: an effect size comes first"
        return (Recommendation(detector=effect.detector, reasons=(*effect.reasons, trifles)), distribution)
    return (distribution, effect)


def _made(detector: BatchDetector, values: npt.NDArray[Any], *reasons: str) -> Recommendation:
    return Recommendation(detector=detector.fit(values), reasons=reasons)


# Streams -------------------------------------------------------------------------------------------------------------


def _numbers(traits: _Traits) -> tuple[Recommendation, ...]:
    spread = float(traits.values.std()) or 1.0
    jump = PageHinkley(delta=spread / 8, threshold=10 * spread, alpha=1.0)
    found = _calibrated(
        traits,
        jump,
        f"sees shifts of the mean by a quarter of the deviation ({spread / 4:.3g}) or more soonest",
    )
    found += _calibrated(traits, ADWIN(), "sees changes of the mean of unknown size, and tells since when")
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
    return (
        *exact,
        *_calibrated(traits, ADWIN(), "sees changes of the share of unknown size, and tells since when"),
    )


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
    return (
        Recommendation(detector=made, reasons=(reason, measured, *(dependence if traits.block > 1 else ()))),
    )


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
