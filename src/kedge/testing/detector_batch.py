"""Checks of batch detectors: behaviour, results, state, samples that are none."""

import copy
import json
import math
import pickle
import random
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np

from kedge.drift import BatchDetector, DataError, NotFittedError, StateError, TestResult
from kedge.testing.detector_cases import Case, holed, raises, samples, two_values


def a_large_difference_is_found(case: Case) -> None:
    reference, window = samples(case, 1.5)
    assert case.make().fit(reference).test(window).drift is True


def a_constant_that_moves_is_found(case: Case) -> None:
    before, after = two_values(case)
    detector = case.make().fit([before] * 200)
    assert detector.test([after] * 200).drift is True, "a constant became another and nothing was found"
    same = detector.test([before] * 50)
    assert same.drift is False
    assert math.isfinite(same.statistic)


def a_rare_value_that_becomes_common_is_found(case: Case) -> None:
    usual, rare = two_values(case)
    detector = case.make().fit([usual] * 190 + [rare] * 10)
    assert detector.test([usual] * 20 + [rare] * 180).drift is True


def the_same_sample_does_not_drift(case: Case) -> None:
    reference, _ = samples(case, 0)
    assert case.make().fit(reference).test(reference).drift is False


def the_same_sample_is_at_no_distance(case: Case) -> None:
    reference, _ = samples(case, 0)
    result = case.make().fit(reference).test(reference)
    assert abs(result.statistic) < 1e-9
    assert result.p_value is None or result.p_value > 0.99


def order_does_not_matter(case: Case) -> None:
    reference, window = samples(case, 0.3)
    mixed = np.random.default_rng(1).permutation(window)
    detector = case.make().fit(reference)
    assert detector.test(window) == detector.test(mixed)
    assert case.make().fit(reference[::-1]).test(window) == detector.test(window)


def a_test_changes_nothing(case: Case) -> None:
    reference, window = samples(case, 0.3)
    reference_before, window_before = reference.copy(), window.copy()
    detector = case.make().fit(reference)
    state, first = detector.state(), detector.test(window)
    detector.test(reference)
    assert detector.test(window) == first
    assert detector.state() == state
    assert (reference == reference_before).all()
    assert (window == window_before).all()
    reference[:] = reference[0]
    assert detector.test(window) == first, "the detector kept the caller's array"


def fitting_anew_forgets(case: Case) -> None:
    reference, _ = samples(case, 0.3)
    assert (
        case.make().fit(reference[: case.n // 2]).fit(reference).state() == case.make().fit(reference).state()
    )


def threads_may_share_a_detector(case: Case) -> None:
    reference, window = samples(case, 0.3)
    detector = case.make().fit(reference)
    windows = [np.roll(window, case.n // 8 * k, axis=0)[: 5 * case.n // 8] for k in range(4)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(detector.test, windows)) == [detector.test(each) for each in windows]


def sizes_and_counts_are_told(case: Case) -> None:
    reference, window = samples(case, 0.3)
    part = 5 * case.n // 8
    result = case.make().fit(reference).test(window[:part])
    assert (result.n_reference, result.n) == (case.n, part)
    assert (result.detector, result.drift) == (case.spec.name, _drift(result))
    if case.of_rows:  # bins are of one column
        return
    assert sum(result.counts) == part, "the counts for showing are not of all values"
    assert sum(result.reference_counts) == case.n
    assert len(result.counts) == len(result.reference_counts)
    if all(isinstance(each, str) for each in result.bins):
        assert len(result.bins) == len(result.counts)
    else:
        assert len(result.bins) == len(result.counts) + 1
        assert (np.diff(np.array(result.bins, np.float64)) > 0).all()
    assert list(result.bins) == sorted(result.bins)


def _drift(result: TestResult) -> bool:
    if result.p_value is None:
        return result.statistic >= result.threshold
    return result.p_value < result.threshold


def results_are_plain_values(case: Case) -> None:
    reference, window = samples(case, 0.3)
    result = case.make().fit(reference).test(window)
    assert type(result.drift) is bool
    assert type(result.statistic) is float
    assert type(result.threshold) is float
    assert result.p_value is None or (type(result.p_value) is float and 0 <= result.p_value <= 1)
    told = [
        result.statistic,
        result.threshold,
        result.p_value,
        result.bins,
        result.counts,
        result.reference_counts,
    ]
    json.dumps(told, allow_nan=False)


def a_resumed_detector_is_the_fitted(case: Case) -> None:
    reference, window = samples(case, 0.3)
    detector = case.make().fit(reference)
    expected = detector.test(window)
    for other in (
        case.cls.from_state(detector.state()),
        case.cls.from_state(detector.state(), **detector.parameters()),
        pickle.loads(pickle.dumps(detector)),  # noqa: S301 - our own bytes
        copy.deepcopy(detector),
    ):
        assert other.test(window) == expected
        assert other.state() == detector.state()
        assert repr(other) == repr(detector)


def foreign_state_is_refused(case: Case) -> None:
    state = case.make().fit(samples(case, 0)[0]).state()
    changed = bytearray(state)
    changed[len(state) // 2] ^= 1
    for bad in (b"", b"x" * len(state), state[:-1], state + b"\0" * 8, bytes(changed)):
        raises(StateError, partial(case.cls.from_state, bad))
    raises(StateError, partial(case.cls.from_state, state, missing="other"))
    raises(NotFittedError, case.make().state)


def no_global_randomness_is_used(case: Case) -> None:
    reference, window = samples(case, 0.3)
    before = random.getstate(), repr(np.random.get_state())  # noqa: NPY002 - the global one is what is watched
    case.make().fit(reference).test(window)
    assert (random.getstate(), repr(np.random.get_state())) == before  # noqa: NPY002


def bad_samples_are_refused(case: Case) -> None:
    reference, window = samples(case, 0)
    raises(NotFittedError, lambda: case.make().test(window))
    raises(DataError, lambda: case.make().fit(reference[:0]))
    detector: BatchDetector = case.make().fit(reference)
    state = detector.state()
    raises(DataError, lambda: detector.test(window[:0]))
    raises(DataError, lambda: detector.test(window.reshape(2, -1, *window.shape[1:])))
    if case.of_rows:
        narrow = window[:, :2]
        if case.takes == "probabilities":
            narrow = narrow / narrow.sum(axis=1, keepdims=True)
        error = raises(DataError, lambda: detector.test(narrow))
        assert "columns" in str(error)
        for bad_rows in (window[:, 0], window[:, :0], [[1.0, 2.0], [3.0]], [["a", "b", "c"]] * 50):
            raises(DataError, partial(detector.test, bad_rows))
    for bad in (math.nan, math.inf):
        sample: list[Any] = [two_values(case)[0]] * 50
        sample[1:3] = [[bad, *sample[0][1:]]] if case.of_rows else [bad, bad]
        raises(DataError, partial(detector.test, sample))
        raises(DataError, partial(detector.fit, sample))
        if not case.of_rows:
            raises(DataError, partial(detector.fit, np.array([1.0, bad])))
    assert detector.state() == state


def missing_values_can_be_skipped(case: Case) -> None:
    reference, window = samples(case, 0.3)
    detector = case.make(missing="skip").fit(holed(case, reference))
    assert detector.test(holed(case, window)) == case.make().fit(reference).test(window)
    raises(DataError, lambda: detector.test(np.full_like(window, math.nan, np.float64)))


def the_fewest_values_are_enough(case: Case) -> None:
    reference, window = samples(case, 0)
    least = getattr(case.cls, "least", 1)
    few = slice(0, least)
    for first, second in ((reference, window[few]), (reference[few], window), (reference[few], window[few])):
        result = case.make().fit(first).test(second)
        assert math.isfinite(result.statistic)
        assert result.p_value is None or math.isfinite(result.p_value)
    if least > 1:
        for call in (case.make().fit(reference).test, case.make().fit):
            error = raises(DataError, partial(call, reference[: least - 1]))
            assert f"at least {least}" in str(error)


BATCH = (
    a_large_difference_is_found,
    a_constant_that_moves_is_found,
    a_rare_value_that_becomes_common_is_found,
    the_same_sample_does_not_drift,
    the_same_sample_is_at_no_distance,
    order_does_not_matter,
    a_test_changes_nothing,
    fitting_anew_forgets,
    threads_may_share_a_detector,
    sizes_and_counts_are_told,
    results_are_plain_values,
    a_resumed_detector_is_the_fitted,
    foreign_state_is_refused,
    no_global_randomness_is_used,
    bad_samples_are_refused,
    missing_values_can_be_skipped,
    the_fewest_values_are_enough,
)
