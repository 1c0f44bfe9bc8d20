"""Ids and names."""

import time
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kedge.core.ids import is_id, is_name, new_id


def test_ids_are_uuids_of_version_7_that_differ():
    ids = [new_id() for _ in range(2000)]
    assert len(set(ids)) == len(ids)
    for text in ids:
        parsed = uuid.UUID(text)
        assert (parsed.version, parsed.variant) == (7, uuid.RFC_4122)
        assert is_id(text)


@pytest.mark.parametrize(
    "times_ms",
    [[1, 2, 10**12], [5] * 1000, [10**12, 5, 10**12 + 1]],
    ids=["later", "within a millisecond", "clock set back"],
)
def test_ids_sort_by_the_order_of_their_making(monkeypatch, times_ms):
    times = iter(times_ms)
    monkeypatch.setattr("kedge.core.ids._newest", [0])
    monkeypatch.setattr("kedge.core.ids.time.time_ns", lambda: next(times) * 1_000_000)
    ids = [new_id() for _ in times_ms]
    assert ids == sorted(set(ids))


def test_forked_processes_part_though_the_clock_stands(monkeypatch):
    made = []
    for _ in range(2):  # both go on from what one process had made
        monkeypatch.setattr("kedge.core.ids._newest", [1 << 110])
        monkeypatch.setattr("kedge.core.ids.time.time_ns", lambda: 5_000_000)
        made += [new_id() for _ in range(100)]
    assert len(set(made)) == 200


def test_an_id_tells_when_it_was_made(monkeypatch):
    monkeypatch.setattr("kedge.core.ids._newest", [0])
    before_ms = time.time_ns() // 1_000_000
    made_ms = int(new_id()[:12], 16)
    assert before_ms <= made_ms <= time.time_ns() // 1_000_000


@pytest.mark.parametrize("text", ["", "g" * 32, "A" * 32, "0" * 31, "0" * 33, "0" * 32 + "\n"])
def test_what_is_no_id(text):
    assert not is_id(text)


@pytest.mark.parametrize("text", ["a", "2013-01", "flights.v2", "a_b", "x" * 128])
def test_names(text):
    assert is_name(text)


@pytest.mark.parametrize(
    "text", ["", ".", "..", "-a", "a.", "a/b", "a b", "ä", "x" * 129, "a\n", "a\0", "%2e"]
)
def test_what_is_no_name(text):
    assert not is_name(text)


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=20))
def test_a_name_is_safe_in_paths_and_addresses(text):
    if is_name(text):
        assert text.isascii()
        assert not set(text) & set("/\\?#%&:@ \n\0")
        assert text not in (".", "..")
