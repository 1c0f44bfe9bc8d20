"""Checks of streaming detectors: state, ways of feeding, behaviour."""

import copy
import datetime as dt
import json
import math
import pickle
import random
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from kedge.drift import DataError, Interval, StateError, StreamingDetector
from kedge.testing.detector_cases import (
    SEED,
    WIDTH,
    Case,
    Floats,
    clear_shift,
    constant,
    constants,
    noisy_stream,
    raises,
)

_MUCH = 64.0


def _feed(detector: StreamingDetector, values: Floats) -> tuple[list[int], list[int]]:
    said = [detector.update(value) for value in values.tolist()]
    return tuple([i for i, each in enumerate(said) if each == state] for state in ("drift", "warning"))  # type: ignore[return-value]


def _found(detector: StreamingDetector, values: npt.ArrayLike) -> tuple[list[int], list[int]]:
    result = detector.update_many(values)
    return result.drifts.tolist(), result.warnings.tolist()


# Behaviour -----------------------------------------------------------------------------------------------------------


def a_clear_shift_is_found_in_its_direction_only(case: Case) -> None:
    answers_to = case.params.get("direction", case.spec.direction)
    for direction in ("up", "down"):
        drifts, _ = _found(case.make(), clear_shift(case, direction))
        if answers_to in (direction, "both"):
            assert drifts, f"no alarm on a clear shift {direction}"
            assert drifts[0] >= 1000, f"an alarm at {drifts[0]}, before the shift {direction} at 1000"
            assert drifts[0] < 1200, f"the shift {direction} at 1000 is found at {drifts[0]} only"
        else:
            assert not drifts, f"an alarm on a shift {direction}"


def nothing_is_found_in_a_constant(case: Case) -> None:
    for level in constants(case):
        drifts, _ = _found(case.make(), constant(case, level, 2000))
        assert not drifts, f"an alarm on the constant {level}"


def nothing_is_found_before_the_warm_up(case: Case) -> None:
    detector = case.make()
    silent = case.spec.warmup(detector.parameters())
    values = clear_shift(case, "up", silent // 2 + 1)[:silent]
    assert _found(detector, values) == ([], []), f"an alarm among the first {silent} values"


def the_statistic_is_told_and_passes_its_level_at_alarms(case: Case) -> None:
    detector = case.make()
    documented = " ".join((case.cls.__doc__ or "").split())
    assert case.cls.measures, "the class does not say what its statistic measures"
    assert case.cls.measures in documented, "the documentation does not say what the statistic is"
    result = detector.update_many(noisy_stream(case), statistics=True)
    level = detector.alarm_level
    if not math.isnan(level) and result.drifts.size:
        at_alarms = result.statistics[result.drifts]
        assert (at_alarms <= level).all() or (at_alarms >= level * (1 - 1e-12)).all()


def warnings_are_only_of_those_that_warn(case: Case) -> None:
    _, warnings = _found(case.make(), noisy_stream(case))
    assert case.spec.warns or not warnings


def a_stricter_threshold_alarms_no_more_often(case: Case) -> None:
    spec = case.spec
    if not spec.threshold:
        return
    rule = spec.params[spec.threshold]
    assert isinstance(rule, Interval), "a threshold is a number"
    given = rule.odds(float(case.make().parameters()[spec.threshold]))
    strict = rule.at(given * (_MUCH if spec.stricter == "larger" else 1 / _MUCH))
    makers = case.make, partial(case.make, **{spec.threshold: strict})
    told = f"{spec.threshold}={strict:g}, which is said to be stricter,"
    steady = noisy_stream(case, 6000)[
        :2000
    ]  # after true changes a stricter one may see what the other has forgotten
    before, after = (_found(make(), steady)[0] for make in makers)
    assert len(after) <= len(before), f"{told} alarms {len(after)} times, not {len(before)}"
    before, after = (_found(make(), noisy_stream(case))[0] for make in makers)
    assert not after or after[0] >= before[0], f"{told} alarms at {after[0]}, not at {before[0]}"


# Ways of feeding -----------------------------------------------------------------------------------------------------


def one_by_one_equals_the_array(case: Case) -> None:
    values, single, whole = noisy_stream(case), case.make(), case.make()
    assert _feed(single, values) == _found(whole, values)
    assert single.state() == whole.state()


def statistics_are_those_of_single_values(case: Case) -> None:
    values, single = noisy_stream(case, 600), case.make()
    expected = []
    for value in values.tolist():
        single.update(value)
        expected.append(single.statistic)
    found = case.make().update_many(values, statistics=True).statistics
    assert found.tolist() == expected
    assert case.make().update_many(values).statistics is None


def any_cut_gives_the_same(case: Case) -> None:
    values, whole = noisy_stream(case), case.make()
    expected = _found(whole, values)[0]
    rng = np.random.default_rng(SEED)
    for _ in range(5):
        detector, found, begin = case.make(), [], 0
        for end in [*sorted(rng.integers(0, len(values), 6).tolist()), len(values)]:
            found += [begin + index for index in _found(detector, values[begin:end])[0]]
            begin = end
        assert found == expected
        assert detector.state() == whole.state()


def types_of_input_agree(case: Case) -> None:
    values = np.round(noisy_stream(case, 900) * 4)
    largest = {"binary": 1.0, "outcome": 3.0}.get(case.takes)
    if largest:
        values = np.clip(values, 0, largest)
    read_only = values.copy()
    read_only.flags.writeable = False
    expected = _found(case.make(), values)
    others = (
        values.astype(np.float32),
        values.astype(np.int64),
        values.tolist(),
        np.repeat(values, 2, axis=0)[::2],
        np.asfortranarray(np.stack([values, values]))[1],
        read_only,
    )
    for other in others:
        assert _found(case.make(), other) == expected
    ones = values > 0
    assert _found(case.make(), ones) == _found(case.make(), ones.astype(np.float64))


def input_is_not_touched_nor_kept(case: Case) -> None:
    values = noisy_stream(case, 600)
    original, detector = values.copy(), case.make()
    detector.update_many(values)
    assert (values == original).all(), "the caller's array was changed"
    state = detector.state()
    values[:] = 1.0
    assert detector.state() == state, "the detector kept the caller's array"


def threads_do_not_disturb_each_other(case: Case) -> None:
    streams = [np.roll(noisy_stream(case), 100 * k, axis=0) for k in range(4)]
    alone = [_found(case.make(), stream) for stream in streams]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda stream: _found(case.make(), stream), streams)) == alone


def rows_of_another_length_are_refused(case: Case) -> None:
    if not case.of_rows:
        return
    detector = case.make()
    raises(DataError, partial(detector.update_many, np.zeros((3, 0))))
    raises(DataError, partial(detector.update, 1.0))
    detector.update_many(noisy_stream(case, 50))
    before = detector.state()
    raises(DataError, partial(detector.update_many, np.zeros((3, WIDTH + 1))))
    raises(DataError, partial(detector.update_many, np.zeros(WIDTH)))
    raises(DataError, partial(detector.update, [0.0] * (WIDTH - 1)))
    assert detector.state() == before


# State ---------------------------------------------------------------------------------------------------------------


def a_resumed_detector_is_the_uninterrupted(case: Case) -> None:
    values, whole = noisy_stream(case), case.make()
    expected = _found(whole, values)[0]
    warmup = case.spec.warmup(whole.parameters())
    cuts = {0, 1, warmup - 1, warmup, warmup + 1, len(values) // 2, len(values) - 1}
    cuts |= {index + step for index in expected[:2] for step in (0, 1, 2)}
    for cut in sorted(cuts & set(range(len(values)))):
        first = case.make()
        found = _found(first, values[:cut])[0]
        for second in (
            case.cls.from_state(first.state()),
            pickle.loads(pickle.dumps(first)),  # noqa: S301 - our own bytes
            copy.deepcopy(first),
        ):
            assert repr(second) == repr(first)
            rest = [cut + index for index in _found(second, values[cut:])[0]]
            assert found + rest == expected, f"interrupted at {cut}"
            assert second.state() == whole.state(), f"interrupted at {cut}"


def a_copy_is_independent(case: Case) -> None:
    detector = case.make()
    detector.update_many(noisy_stream(case, 500))
    before = detector.state()
    copy.deepcopy(detector).update_many(noisy_stream(case, 100))
    case.cls.from_state(before).update_many(noisy_stream(case, 100))
    assert detector.state() == before


def foreign_state_is_refused(case: Case) -> None:
    detector = case.make()
    detector.update_many(noisy_stream(case, 500))
    state = detector.state()
    changed = bytearray(state)
    changed[len(state) // 2] ^= 1
    for bad in (b"", b"x" * len(state), state[:-1], state + b"\0" * 8, bytes(changed)):
        raises(StateError, partial(case.cls.from_state, bad))
    error = raises(StateError, partial(case.cls.from_state, state, missing="other"))
    assert "missing" in str(error)


def state_stays_within_its_bound(case: Case) -> None:
    detector = case.make()
    bound = case.spec.state_bound_bytes({**detector.parameters(), **_dimension(case)})
    for _ in range(3):
        detector.update_many(np.concatenate([noisy_stream(case, 1000)] * 10))
        assert len(detector.state()) <= bound
    detector.reset()
    detector.update_many(constant(case, 0.0, 100_000))
    assert len(detector.state()) <= bound


def reset_is_new(case: Case) -> None:
    detector = case.make()
    detector.update_many(noisy_stream(case))
    detector.reset()
    assert detector.state() == case.make().state()
    assert math.isnan(detector.statistic)


def no_global_randomness_is_used(case: Case) -> None:
    before = random.getstate(), repr(np.random.get_state())  # noqa: NPY002 - the global one is what is watched
    _found(case.make(), noisy_stream(case))
    assert (random.getstate(), repr(np.random.get_state())) == before  # noqa: NPY002


def _dimension(case: Case) -> dict[str, int]:
    return {"dimension": WIDTH} if case.of_rows else {}


# Values that are none ------------------------------------------------------------------------------------------------


def not_finite_is_refused_and_leaves_no_trace(case: Case) -> None:
    detector = case.make()
    detector.update_many(noisy_stream(case, 100))
    before = detector.state()
    for bad in (math.nan, math.inf, -math.inf, 1e200, np.float32("nan")):
        value: Any = [1.0] * (WIDTH - 1) + [bad] if case.of_rows else bad
        raises(DataError, partial(detector.update, value))
        good = constant(case, 1.0, 1).tolist()
        raises(DataError, partial(detector.update_many, [*good, value, *good]))
    raises(DataError, lambda: detector.update_many([[1.0], [0.0]]))
    raises(DataError, lambda: detector.update_many(1.0))
    assert detector.state() == before


def missing_values_can_be_skipped(case: Case) -> None:
    values = noisy_stream(case, 1500)
    bad = np.array([math.nan, math.inf, math.nan])
    holed = np.insert(values, [0, 700, 1500], bad[:, np.newaxis] if case.of_rows else bad, axis=0)
    clean, skipping, single = case.make(), case.make(missing="skip"), case.make(missing="skip")
    expected = clean.update_many(values, statistics=True)
    result = skipping.update_many(holed, statistics=True)
    assert result.n == len(holed)
    kept = np.delete(np.arange(len(holed)), [0, 701, 1502])
    assert kept[expected.drifts].tolist() == result.drifts.tolist()
    assert np.isnan(result.statistics[[0, 701, 1502]]).all()
    assert _feed(single, holed)[0] == result.drifts.tolist()
    raises(DataError, lambda: skipping.update_many(constant(case, 1e200, 1)))


def what_is_no_number_is_refused(case: Case) -> None:
    detector = case.make()
    detector.update_many(noisy_stream(case, 100))
    before = detector.state()
    days = np.arange("2020-01-01", "2020-01-04", dtype="datetime64[D]")
    for bad in ("a", "1", b"1", 1j, days[0], days[1] - days[0], dt.date(2020, 1, 1), object()):
        value: Any = [bad] * WIDTH if case.of_rows else bad
        raises(DataError, partial(detector.update, value))
        raises(DataError, partial(detector.update_many, [value, value]))
        raises(DataError, partial(detector.update_many, np.array([value, value], object)))
    raises(DataError, partial(detector.update, [[1.0], [0.0, 1.0]]))
    raises(DataError, partial(detector.update_many, [[1.0], [0.0, 1.0]]))
    assert detector.state() == before


def none_and_masked_values_are_missing(case: Case) -> None:
    values = noisy_stream(case, 900)
    hidden = np.zeros(values.shape, bool)
    hidden[[0, 450]] = True
    masked, objects = np.ma.array(values, mask=hidden), values.astype(object)
    objects[hidden] = None
    raises(DataError, partial(case.make().update_many, masked))
    raises(DataError, partial(case.make().update, masked[0]))
    raises(DataError, partial(case.make().update, objects[0]))
    expected = case.make(missing="skip").update_many(np.where(hidden, np.nan, values), statistics=True)
    for holed in (masked, objects):
        found = case.make(missing="skip").update_many(holed, statistics=True)
        assert found.drifts.tolist() == expected.drifts.tolist()
        assert np.array_equal(found.statistics, expected.statistics, equal_nan=True)
        assert case.make(missing="skip").update(holed[0]) == "normal"


def answers_are_plain_values(case: Case) -> None:
    detector = case.make()
    for value in (np.float64(1.0), np.float32(0.0), np.int64(1), True, 0):
        given = [value] * WIDTH if case.of_rows else value
        assert type(detector.update(given)) is str
        assert type(detector.statistic) is float
        json.dumps([detector.update(given), detector.statistic], allow_nan=False)
    empty = detector.update_many([])
    assert (empty.n, empty.drifts.size, empty.warnings.size) == (0, 0, 0)
    assert empty.drifts.dtype == empty.warnings.dtype == np.int64


STREAMING = (
    a_clear_shift_is_found_in_its_direction_only,
    nothing_is_found_in_a_constant,
    nothing_is_found_before_the_warm_up,
    the_statistic_is_told_and_passes_its_level_at_alarms,
    warnings_are_only_of_those_that_warn,
    a_stricter_threshold_alarms_no_more_often,
    one_by_one_equals_the_array,
    statistics_are_those_of_single_values,
    any_cut_gives_the_same,
    types_of_input_agree,
    input_is_not_touched_nor_kept,
    threads_do_not_disturb_each_other,
    rows_of_another_length_are_refused,
    a_resumed_detector_is_the_uninterrupted,
    a_copy_is_independent,
    foreign_state_is_refused,
    state_stays_within_its_bound,
    reset_is_new,
    no_global_randomness_is_used,
    not_finite_is_refused_and_leaves_no_trace,
    missing_values_can_be_skipped,
    what_is_no_number_is_refused,
    none_and_masked_values_are_missing,
    answers_are_plain_values,
)
