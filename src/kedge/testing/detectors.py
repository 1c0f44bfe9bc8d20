"""Checks that every detector must pass, as plain functions, usable with or without pytest.

`yield_checks(cls)` gives `(name, check)` pairs; `check_detector(cls)` runs them all. A check raises AssertionError.
"""

import json
import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from kedge.drift import (
    BatchDetector,
    Choice,
    DataError,
    Interval,
    ParameterError,
    StateError,
    StreamingDetector,
)
from kedge.drift.errors import NotFittedError

Check = Callable[[], None]
Detector = type[StreamingDetector] | type[BatchDetector]
Expected = TypeVar("Expected", bound=Exception)
Floats = npt.NDArray[np.float64]
SEED = 20130101


def yield_checks(cls: Detector) -> Iterator[tuple[str, Check]]:
    """All checks that apply to the class, with readable names."""
    checks: list[Callable[[Any], None]] = [
        parameters_are_stored_as_given,
        bad_parameters_are_refused_by_name,
        documentation_is_complete,
        repr_is_its_constructor,
    ]
    checks += STREAMING if issubclass(cls, StreamingDetector) else BATCH
    for check in checks:
        yield check.__name__, partial(check, cls)


def check_detector(cls: Detector) -> None:
    """Run every check; the first that fails raises."""
    for _, check in yield_checks(cls):
        check()


def raises(kind: type[Expected], action: Callable[[], Any]) -> Expected:
    """The exception of that kind which the action raises."""
    try:
        action()
    except kind as error:
        return error
    raise AssertionError(f"expected {kind.__name__}, nothing was raised")


# Structure -----------------------------------------------------------------------------------------------------------


def parameters_are_stored_as_given(cls: Any) -> None:
    given = cls().parameters()
    again = cls(**given).parameters()
    assert given == again
    assert set(given) == set(cls.spec.params)


def bad_parameters_are_refused_by_name(cls: Any) -> None:
    for name, constraint in cls.spec.params.items():
        for bad in _bad_values(constraint):
            error = raises(ParameterError, partial(cls, **{name: bad}))
            assert name in str(error), f"the message does not name {name}: {error}"
            assert isinstance(error, ValueError)


def _bad_values(constraint: Interval | Choice) -> list[Any]:
    if isinstance(constraint, Choice):
        return ["no such option", None, 3.5]
    bad: list[Any] = [math.nan, "3", None, True]
    bad.append(
        constraint.low - 1 if constraint.closed in ("both", "left") else constraint.kind(constraint.low)
    )
    if math.isfinite(constraint.high):
        bad.append(
            constraint.high + 1
            if constraint.closed in ("both", "right")
            else constraint.kind(constraint.high)
        )
    if constraint.kind is int:
        bad.append(1.5)
    return bad


def documentation_is_complete(cls: Any) -> None:
    text = cls.__doc__ or ""
    for section in ("Parameters\n", "Examples\n", "References\n"):
        assert section in text, f"{cls.__name__} documents no {section.strip()}"
    for name in cls.spec.params:
        assert f"{name} : " in text, f"{cls.__name__} does not document {name}"


def repr_is_its_constructor(cls: Any) -> None:
    made = cls()
    assert eval(repr(made), {cls.__name__: cls}).parameters() == made.parameters()  # noqa: S307 - our own text


# Streaming -----------------------------------------------------------------------------------------------------------


def _stream(n: int = 3000) -> Floats:
    rng = np.random.default_rng(SEED)
    values = rng.normal(0, 1, n)
    values[n // 3 :] += 3
    values[2 * n // 3 :] -= 6
    return values


def _feed(detector: StreamingDetector, values: Floats) -> list[int]:
    return [i for i, value in enumerate(values) if detector.update(float(value)) == "drift"]


def _found(detector: StreamingDetector, values: npt.ArrayLike) -> list[int]:
    return [int(index) for index in detector.update_many(values).drifts]


def a_large_shift_is_found(cls: Any) -> None:
    values = _stream()
    assert _found(cls(), values), "no alarm on shifts of 3 and 6 standard deviations"


def nothing_is_found_in_a_constant(cls: Any) -> None:
    for constant in (0.0, 1.0, -3.5, 1e9, 0.1):
        assert not _found(cls(), np.full(2000, constant)), f"an alarm on the constant {constant}"


def one_by_one_equals_the_array(cls: Any) -> None:
    values = _stream()
    assert _feed(cls(), values) == _found(cls(), values)


def any_cut_gives_the_same(cls: Any) -> None:
    values = _stream()
    whole = cls()
    expected = _found(whole, values)
    rng = np.random.default_rng(SEED)
    for _ in range(5):
        detector, found, begin = cls(), [], 0
        for end in [*sorted(rng.integers(0, values.size, 6)), values.size]:
            found += [begin + index for index in _found(detector, values[begin:end])]
            begin = int(end)
        assert found == expected
        assert detector.state() == whole.state()


def a_resumed_detector_is_the_uninterrupted(cls: Any) -> None:
    values = _stream()
    whole = cls()
    expected = _found(whole, values)
    for cut in (0, 1, 29, 30, 31, *expected[:2], *(index + 1 for index in expected[:2]), values.size - 1):
        first = cls()
        found = _found(first, values[:cut])
        second = cls.from_state(first.state(), **first.parameters())
        found += [cut + index for index in _found(second, values[cut:])]
        assert found == expected, f"interrupted at {cut}"
        assert second.state() == whole.state(), f"interrupted at {cut}"


def foreign_state_is_refused(cls: Any) -> None:
    state = cls().state()
    for bad in (b"", b"x" * len(state), state[:-1], state + b"\0" * 8):
        raises(StateError, partial(cls.from_state, bad))


def state_does_not_grow(cls: Any) -> None:
    detector = cls()
    detector.update_many(_stream(1000))
    before = len(detector.state())
    detector.update_many(np.tile(_stream(1000), 10))
    assert len(detector.state()) == before


def not_finite_is_refused_and_leaves_no_trace(cls: Any) -> None:
    detector = cls()
    detector.update_many(_stream(100))
    before = detector.state()
    for bad in (math.nan, math.inf, -math.inf):
        raises(DataError, partial(detector.update, bad))
        raises(DataError, partial(detector.update_many, [1.0, bad, 2.0]))
    raises(DataError, lambda: detector.update_many([[1.0], [2.0]]))
    assert detector.state() == before


def missing_values_can_be_skipped(cls: Any) -> None:
    values = _stream(1500)
    holed = np.insert(values, [0, 700, 1500], [math.nan, math.inf, math.nan])
    clean, skipping = cls(), cls(missing="skip")
    expected = clean.update_many(values, statistics=True)
    result = skipping.update_many(holed, statistics=True)
    assert result.n == holed.size
    kept = np.flatnonzero(np.isfinite(holed))
    assert [int(kept[index]) for index in expected.drifts] == [int(index) for index in result.drifts]
    assert result.statistics is not None
    assert np.isnan(result.statistics[[0, 701, 1502]]).all()


def input_is_not_touched_nor_kept(cls: Any) -> None:
    values = _stream(600)
    copy, detector = values.copy(), cls()
    values.flags.writeable = False
    detector.update_many(values)
    state = detector.state()
    values.flags.writeable = True
    assert (values == copy).all()
    values[:] = 99.0
    assert detector.state() == state


def types_of_input_agree(cls: Any) -> None:
    values = np.round(_stream(900) * 4)
    expected = _found(cls(), values)
    for other in (
        values.astype(np.float32),
        values.astype(np.int64),
        values.tolist(),
        np.repeat(values, 2)[::2],
    ):
        assert _found(cls(), other) == expected


def reset_is_new(cls: Any) -> None:
    detector = cls()
    detector.update_many(_stream())
    detector.reset()
    assert detector.state() == cls().state()


def answers_are_plain_values(cls: Any) -> None:
    detector = cls()
    assert detector.update(np.float64(1.0)) in ("normal", "drift")
    json.dumps([detector.update(2), detector.statistic])


STREAMING: list[Callable[[Any], None]] = [
    a_large_shift_is_found,
    nothing_is_found_in_a_constant,
    one_by_one_equals_the_array,
    any_cut_gives_the_same,
    a_resumed_detector_is_the_uninterrupted,
    foreign_state_is_refused,
    state_does_not_grow,
    not_finite_is_refused_and_leaves_no_trace,
    missing_values_can_be_skipped,
    input_is_not_touched_nor_kept,
    types_of_input_agree,
    reset_is_new,
    answers_are_plain_values,
]


# Batch ---------------------------------------------------------------------------------------------------------------


def _samples(cls: Any, shift: float, n: int = 800) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    rng = np.random.default_rng(SEED)
    reference, window = rng.normal(0, 1, n), rng.normal(shift, 1, n)
    if cls.spec.input == "categorical":
        names = np.array(["a", "b", "c", "d"])
        edges = [-1.0, 0.0, 1.0]
        return names[np.digitize(reference, edges)], names[np.digitize(window, edges)]
    return reference, window


def a_large_difference_is_found(cls: Any) -> None:
    reference, window = _samples(cls, 1.5)
    assert cls().fit(reference).test(window).drift is True


def the_same_sample_does_not_drift(cls: Any) -> None:
    reference, _ = _samples(cls, 0)
    result = cls().fit(reference).test(reference)
    assert result.drift is False
    assert abs(result.statistic) < 1e-9
    assert result.p_value is None or result.p_value > 0.99


def order_does_not_matter(cls: Any) -> None:
    reference, window = _samples(cls, 0.3)
    mixed = np.random.default_rng(1).permutation(window)
    detector = cls().fit(reference)
    assert detector.test(window) == detector.test(mixed)
    assert cls().fit(reference[::-1]).test(window) == detector.test(window)


def a_test_changes_nothing(cls: Any) -> None:
    reference, window = _samples(cls, 0.3)
    detector = cls().fit(reference)
    first = detector.test(window)
    detector.test(reference)
    reference_copy, window_copy = reference.copy(), window.copy()
    assert detector.test(window) == first
    assert (reference == reference_copy).all()
    assert (window == window_copy).all()
    reference[:] = reference[0]
    assert detector.test(window) == first, "the detector kept the caller's array"


def sizes_are_told(cls: Any) -> None:
    reference, window = _samples(cls, 0.3)
    result = cls().fit(reference).test(window[:500])
    assert (result.n_reference, result.n) == (800, 500)
    if result.counts:
        assert sum(result.counts) == 500
        assert sum(result.reference_counts) == 800


def bad_samples_are_refused(cls: Any) -> None:
    reference, window = _samples(cls, 0)
    raises(NotFittedError, lambda: cls().test(window))
    raises(DataError, lambda: cls().fit(reference[:0]))
    detector = cls().fit(reference)
    raises(DataError, lambda: detector.test(window[:0]))
    raises(DataError, lambda: detector.test(window.reshape(2, -1)))
    raises(DataError, lambda: detector.test([1.0, math.nan]))


def results_are_plain_values(cls: Any) -> None:
    reference, window = _samples(cls, 0.3)
    result = cls().fit(reference).test(window)
    assert type(result.drift) is bool
    json.dumps([result.statistic, result.threshold, result.p_value, result.bins, result.counts])


def one_value_is_enough(cls: Any) -> None:
    reference, window = _samples(cls, 0)
    assert math.isfinite(cls().fit(reference).test(window[:1]).statistic)
    assert math.isfinite(cls().fit(reference[:1]).test(window).statistic)


BATCH: list[Callable[[Any], None]] = [
    a_large_difference_is_found,
    the_same_sample_does_not_drift,
    order_does_not_matter,
    a_test_changes_nothing,
    sizes_are_told,
    bad_samples_are_refused,
    results_are_plain_values,
    one_value_is_enough,
]
