"""Ids and names."""

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


def test_ids_sort_by_the_time_of_their_making(monkeypatch):
    times = iter([1_000_000_000, 2_000_000_000, 10**18])
    monkeypatch.setattr("kedge.core.ids.time.time_ns", lambda: next(times))
    ids = [new_id() for _ in range(3)]
    assert ids == sorted(ids)


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
