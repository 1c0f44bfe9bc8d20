"""From Arrow columns to what detectors take, and the histograms to show."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kedge.core.errors import Invalid
from kedge.monitoring import histograms
from kedge.monitoring.reference import thinned
from kedge.monitoring.values import MISSING, as_numbers, as_text, common_categories, kind_of

FINITE = st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=50)
TEXT = st.lists(st.none() | st.sampled_from(["AA", "UA", "B6", ""]), min_size=1, max_size=50)


@pytest.mark.parametrize(
    ("arrow_type", "kind"),
    [
        (pa.int64(), "numeric"),
        (pa.float32(), "numeric"),
        (pa.decimal128(10, 2), "numeric"),
        (pa.string(), "categorical"),
        (pa.large_string(), "categorical"),
        (pa.bool_(), "categorical"),
        (pa.dictionary(pa.int8(), pa.string()), "categorical"),
        (pa.timestamp("ms"), None),
        (pa.list_(pa.int64()), None),
    ],
)
def test_kinds(arrow_type, kind):
    assert kind_of(arrow_type) == kind


def test_numbers_leave_out_what_is_none():
    found = as_numbers("x", [pa.array([1, None, 3]), pa.array([np.nan, np.inf, 2.5]), pa.nulls(2)])
    assert found.values.tolist() == [1.0, 3.0, 2.5]
    assert found.missing == 5
    assert as_numbers("x", []).values.shape == (0,)


def test_text_where_numbers_belong_is_refused():
    with pytest.raises(Invalid, match="'carrier'"):
        as_numbers("carrier", [pa.array(["AA"])])


def test_one_category_whatever_type_it_is_logged_with():
    texts = as_text(
        [
            pa.array([3, 4]),
            pa.array([3.0, None]),
            pa.array(["3"]),
            pa.array(["3"]).dictionary_encode(),
            pa.nulls(1),
        ]
    )
    assert texts.to_pylist() == ["3", "4", "3", None, "3", "3", None]
    assert as_text([pa.array([True])]).to_pylist() == as_text([pa.array(["true"])]).to_pylist()


@given(TEXT, TEXT)
def test_common_categories_keep_every_row(reference, current):
    found = common_categories(pa.array(reference, pa.string()), pa.array(current, pa.string()))
    for codes, texts in ((found.reference, reference), (found.current, current)):
        assert [found.names[code] for code in codes] == [MISSING if text is None else text for text in texts]


@given(TEXT, TEXT)
def test_category_shares_add_up(reference, current):
    categories = common_categories(pa.array(reference, pa.string()), pa.array(current, pa.string()))
    overlay = histograms.of_categories(categories)
    assert len(overlay.bins) == len(overlay.reference) == len(overlay.current)
    assert sum(overlay.reference) == pytest.approx(1)
    assert sum(overlay.current) == pytest.approx(1)


def test_rare_categories_are_one_bin():
    names = [f"t{n:03d}" for n in range(100) for _ in range(n + 1)]
    overlay = histograms.of_categories(common_categories(pa.array(names), pa.array(names)))
    assert overlay.bins[0] == "t099"
    assert overlay.bins[-1] == histograms.OTHER
    assert len(overlay.bins) == 31
    assert sum(overlay.current) == pytest.approx(1)


@given(FINITE, FINITE)
def test_number_shares_add_up_and_edges_rise(reference, current):
    overlay = histograms.of_numbers(np.array(reference), np.array(current))
    assert len(overlay.bins) == len(overlay.reference) + 1 == len(overlay.current) + 1
    assert np.isfinite(overlay.bins).all()
    assert (np.diff(overlay.bins) > 0).all()
    assert sum(overlay.reference) == pytest.approx(1)
    assert sum(overlay.current) == pytest.approx(1)


@given(st.lists(st.integers(0, 7), max_size=8), st.integers(1, 5))
def test_thinning_does_not_depend_on_the_batches(sizes, every):
    whole = list(range(sum(sizes)))
    kept, row = [], 0
    for size in sizes:
        batch = pa.record_batch([pa.array(whole[row : row + size], pa.int64())], names=["x"])
        kept += thinned(batch, row, every).column("x").to_pylist()
        row += size
    assert kept == whole[::every]
