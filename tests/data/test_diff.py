"""Differences of versions and distances of columns."""

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from kedge.core.datasets import DatasetFile, DatasetVersion
from kedge.data.diff import diff, distance
from kedge.data.profile import profile


def version(number, files, table):
    return DatasetVersion(
        id=f"v{number}",
        dataset="d",
        number=number,
        content_id="c",
        created_ms=0,
        rows=table.num_rows,
        size_bytes=sum(map(len, files)),
        files=tuple(DatasetFile(path=p, object_id=o, size_bytes=1) for p, o in files.items()),
        columns=profile(table),
    )


def one(values):
    return profile(pa.table({"c": values}))[0]


def test_what_changed():
    old = version(
        1,
        {"a": "1", "b": "1", "gone": "1"},
        pa.table({"same": [1], "values": [1.0], "type": [1], "left": ["x"]}),
    )
    new = version(
        2,
        {"a": "1", "b": "2", "new": "1", "new2": "1"},
        pa.table({"same": [1, 1], "values": [1.0, 9.0], "type": ["1", "1"], "came": [1, 1]}).slice(0, 2),
    )
    found = diff(old, new)
    assert (found.old, found.new, found.rows) == ("v1", "v2", 1)
    assert (found.files_added, found.files_removed, found.files_changed) == (
        ("new", "new2"),
        ("gone",),
        ("b",),
    )
    assert (found.columns_added, found.columns_removed) == (("came",), ("left",))
    assert found.columns_retyped == ("type",)
    changed = {change.name: change for change in found.columns_changed}
    assert changed["values"].mean == (1.0, 5.0)
    assert changed["values"].maximum == (1.0, 9.0)
    assert changed["values"].distance == 0.5
    assert changed["type"].type == ("int64", "string")
    assert changed["type"].distance is None
    assert changed["same"].distance == 0.0
    assert "left" not in changed


def test_a_version_does_not_differ_from_itself():
    same = version(1, {"a": "1"}, pa.table({"x": [1.0, 2.0], "s": ["a", "b"]}))
    found = diff(same, same)
    assert (found.rows, found.size_bytes) == (0, 0)
    assert found.files_added == found.files_removed == found.files_changed == found.columns_changed == ()


@settings(max_examples=100, deadline=None)
@given(*[st.lists(st.floats(-100, 100), min_size=1, max_size=30)] * 2)
def test_distance_is_a_distance(xs, ys):
    x, y = one(pa.array(xs, pa.float64())), one(pa.array(ys, pa.float64()))
    assert distance(x, x) == 0
    assert 0 <= distance(x, y) <= 1
    assert distance(x, y) == pytest.approx(distance(y, x))


@pytest.mark.parametrize("shift", [0.0, 0.3, 1.0, 10.0])
def test_distance_of_numbers_is_near_that_of_kolmogorov_and_smirnov(shift):
    random = np.random.default_rng(7)
    xs, ys = random.normal(size=4000), random.normal(shift, size=4000)
    assert distance(one(xs), one(ys)) == pytest.approx(ks_2samp(xs, ys).statistic, abs=0.02)


def test_distance_of_text_is_that_of_the_shares():
    assert distance(one(["a", "b"]), one(["c"])) == 1
    assert distance(one(["a", "b"]), one(["a"])) == 0.5
    assert distance(one(["a", "b"]), one(["b", "a", "b", "a"])) == 0
    assert distance(one(["a"]), one([1])) is None


def test_the_web_process_may_use_it():
    code = "import sys, kedge.data.diff, kedge.data.paths; print({'numpy', 'pyarrow'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ([5.0], [5.0, 5.0], 0),
        ([5.0], [6.0], 1),
        ([0.0], [0.0, 1.0], 0.5),
        ([1.0], [0.0, 1.0], 0.5),
        ([9.0], [0.0, 1.0], 1),
        ([-1e308], [-1e308, 1e308], 0),  # too far apart for bins: all that can be said
    ],
)
def test_distance_to_a_single_value(old, new, expected):
    assert distance(one(old), one(new)) == expected == distance(one(new), one(old))
