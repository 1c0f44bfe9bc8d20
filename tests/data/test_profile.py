"""Profiles say what a column holds, for every kind of column."""

import decimal
import math

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kedge.core.datasets import ColumnProfile
from kedge.data.profile import BINS, LONGEST_VALUE, TOP, profile

FINITE = st.floats(allow_nan=False, allow_infinity=False)


def one(values):
    return profile(pa.table({"c": values}))[0]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.none() | st.floats() | st.sampled_from([0.0, 5e-324, 1.0, 1.0 + 2**-52]), max_size=30))
def test_numbers(values):
    found = one(pa.array(values, pa.float64()))
    finite = [value for value in values if value is not None and math.isfinite(value)]
    assert found.nulls == len(values) - len(finite)
    assert found.distinct == len(set(finite))
    if not finite:
        assert (found.bins, found.counts, found.minimum) == ((), (), None)
        return
    assert (found.minimum, found.maximum) == (min(finite), max(finite))
    assert sum(found.counts) == len(finite)
    assert len(found.bins) == len(found.counts) + 1 <= BINS + 1 <= 41
    assert (found.bins[0], found.bins[-1]) == (min(finite), max(finite))
    assert list(found.bins) == sorted(found.bins)
    for low, high, count in zip(found.bins[:-1], found.bins[1:], found.counts, strict=True):
        if high != found.bins[-1]:
            assert count == sum(low <= value < high for value in finite)
    if found.mean is not None:
        assert found.mean == pytest.approx(
            math.fsum(value / len(finite) for value in finite), abs=1e-300, rel=1e-6
        ) or abs(found.mean) <= max(map(abs, finite))
    assert msgspec.json.decode(msgspec.json.encode(found), type=ColumnProfile) == found


@settings(max_examples=100, deadline=None)
@given(st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), max_size=20))
def test_whole_numbers_of_any_size(values):
    found = one(pa.array(values, pa.int64()))
    known = [value for value in values if value is not None]
    assert found.nulls == len(values) - len(known)
    assert sum(found.counts) == len(known)
    if known:
        assert found.minimum == pytest.approx(min(known))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.none() | st.text(max_size=3), max_size=60))
def test_text(values):
    found = one(pa.array(values, pa.string()))
    known = [value for value in values if value is not None]
    assert found.nulls == len(values) - len(known)
    assert found.distinct == len(set(known))
    counts = sorted(((known.count(v), v) for v in set(known)), key=lambda pair: (-pair[0], pair[1].encode()))
    assert found.top == tuple((value, count) for count, value in counts[:TOP])
    assert one(pa.array(values, pa.string()).dictionary_encode()).top == found.top


def test_long_text_is_cut():
    [(shown, count)] = one(["x" * 100_000]).top
    assert (len(shown), count, shown[-1]) == (LONGEST_VALUE, 1, "…")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pa.array([True, None, True, False]), (1, 2, None, (("true", 2), ("false", 1)))),
        (pa.array([decimal.Decimal("1.5"), None]), (1, 1, 1.5, ())),
        (pa.array([1.5], pa.float16()), (0, 1, 1.5, ())),
        (pa.array([1, 0, None], pa.date32()), (1, 2, "1970-01-01", ())),
        (pa.array([7], pa.timestamp("ns", "Europe/Berlin")), (0, 1, "1970-01-01 00:00:00.000000007", ())),
        (pa.array([None, None], pa.timestamp("s")), (2, 0, None, ())),
        (pa.array([2, 2, 1]).dictionary_encode(), (0, 2, None, (("2", 2), ("1", 1)))),
        (pa.array([[1], None]), (1, None, None, ())),
        (pa.nulls(2), (2, None, None, ())),
        (pa.array([b"\xff"]), (0, None, None, ())),
        (pa.array([1], pa.duration("s")), (0, None, None, ())),
        (pa.array([], pa.string()), (0, 0, None, ())),
        (pa.array([], pa.dictionary(pa.int8(), pa.string())), (0, 0, None, ())),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else "",
)
def test_kinds(values, expected):
    found = one(values)
    assert (found.nulls, found.distinct, found.minimum, found.top) == expected
    assert found.type == str(values.type)


def test_times_beyond_what_python_can_say():
    found = one(pa.array([0, 2**62], pa.int64()).cast(pa.timestamp("s")))
    assert found.minimum == "1970-01-01 00:00:00"
    assert isinstance(found.maximum, str)


def test_a_column_each_in_order():
    table = pa.table({"b": [1], "a": ["x"], "": [None]})
    assert [column.name for column in profile(table)] == ["b", "a", ""]
    assert profile(pa.table({})) == ()


@given(st.lists(FINITE, min_size=1, max_size=20), st.randoms())
@settings(max_examples=50, deadline=None)
def test_order_does_not_matter(values, random):
    shuffled = values[:]
    random.shuffle(shuffled)
    before, after = one(pa.array(values, pa.float64())), one(pa.array(shuffled, pa.float64()))
    assert (before.bins, before.counts, before.distinct) == (after.bins, after.counts, after.distinct)
