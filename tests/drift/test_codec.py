"""States as bytes: what is written is read bit for bit, and nothing else is read."""

import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from kedge.drift import ADWIN, ChiSquare, StateError
from kedge.drift.codec import decode, encode


@given(arrays.arrays(np.float64, st.integers(0, 40), elements=st.floats() | st.just(0.0)))
def test_floats_come_back_bit_for_bit(values) -> None:
    _, found = decode("K", 1, encode("K", 1, {}, {"v": values}))
    assert found["v"].tobytes() == values.tobytes()


@given(
    st.lists(st.text()),
    arrays.arrays(np.int64, st.integers(0, 9)),
    st.floats(allow_nan=False, allow_infinity=False),
)
def test_texts_integers_and_parameters_come_back(texts, numbers, parameter) -> None:
    given_values = {"texts": tuple(texts), "numbers": numbers}
    parameters, found = decode("K", 1, encode("K", 1, {"p": parameter}, given_values))
    assert parameters == {"p": parameter}
    assert found["texts"] == tuple(texts)
    assert (found["numbers"] == numbers).all()


@given(st.binary(max_size=60))
def test_bytes_that_are_no_state_are_refused(data) -> None:
    for state in (data, _signed(data), _signed(b"KDRIFT2\n" + data)):
        with pytest.raises(StateError):
            decode("K", 1, state)


def test_forged_lengths_are_refused() -> None:
    honest = encode("K", 1, {}, {"v": np.ones(3)})
    forged = honest[:-4].replace(struct.pack("<Q", 3), struct.pack("<Q", 2**60))
    with pytest.raises(StateError, match="words"):
        decode("K", 1, _signed(forged))


def test_other_kinds_and_versions_are_refused() -> None:
    state = encode("K", 1, {}, {})
    with pytest.raises(StateError, match="version 2"):
        decode("K", 2, state)
    with pytest.raises(StateError, match="a state of ADWIN"):
        ChiSquare.from_state(ADWIN().state())


def test_parameters_that_the_class_does_not_take_are_refused() -> None:
    for parameters in ({"delta": 2.0}, {"unknown": 1}):
        with pytest.raises(StateError, match="parameters"):
            ADWIN.from_state(encode("ADWIN", 1, parameters, {"state": np.zeros(3)}))
    with pytest.raises(StateError, match="long"):
        ADWIN.from_state(encode("ADWIN", 1, ADWIN().parameters(), {"state": np.zeros(3)}))


def test_a_state_with_other_parameters_than_given_is_refused() -> None:
    state = ADWIN(delta=0.1).state()
    assert ADWIN.from_state(state).delta == 0.1
    assert ADWIN.from_state(state, delta=0.1).delta == 0.1
    with pytest.raises(StateError, match=r"delta"):
        ADWIN.from_state(state, delta=0.2)


def _signed(body: bytes) -> bytes:
    return body + struct.pack("<I", zlib.crc32(body))
