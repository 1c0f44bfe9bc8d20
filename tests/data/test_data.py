"""Profiles, deterministic Parquet, paths, differences, checks: the pure part of data and validation."""

import math
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kedge.core.datasets import ColumnProfile, DatasetFile, DatasetVersion
from kedge.core.errors import GateFailed, Invalid
from kedge.core.reports import Report
from kedge.data.diff import diff
from kedge.data.paths import checked, inside
from kedge.data.profile import profile
from kedge.data.tables import read_files, read_local, to_parquet
from kedge.validation.checks import at_least, at_most, check, require, verdict

NUMBERS = st.lists(st.none() | st.floats(width=64), max_size=60)


@given(NUMBERS)
def test_histograms_count_every_finite_value(values) -> None:
    (column,) = profile(pa.table({"x": pa.array(values, pa.float64())}))
    finite = [v for v in values if v is not None and math.isfinite(v)]
    assert sum(column.counts) == len(finite)
    assert column.nulls == len(values) - len(finite)
    assert len(column.bins) == (len(column.counts) + 1 if finite else 0)
    if finite:
        assert (column.minimum, column.maximum) == (min(finite), max(finite))


@given(st.lists(st.none() | st.sampled_from(["a", "b", "ü", ""]), max_size=40))
def test_categories_are_counted(values) -> None:
    (column,) = profile(pa.table({"x": pa.array(values, pa.string())}))
    assert sum(count for _, count in column.top) + column.nulls == len(values)


def test_kinds_of_columns() -> None:
    import datetime as dt

    table = pa.table(
        {
            "time": pa.array([dt.date(2013, 1, 1), None], pa.date32()),
            "flag": [True, False],
            "list": [[1], [2]],
            "word": pa.array(["x", "y"]).dictionary_encode(),
            "none": pa.nulls(2),
        }
    )
    columns = {column.name: column for column in profile(table)}
    assert columns["time"].minimum == "2013-01-01"
    assert columns["flag"].distinct == 2
    assert columns["list"].type == "list<element: int64>" or columns["list"].type.startswith("list")
    assert columns["word"].distinct == 2
    assert columns["none"].nulls == 2


def test_the_same_table_gives_the_same_bytes() -> None:
    table = pa.table({"a": [1, 2, 3], "b": ["x", None, "z"]})
    again = pa.concat_tables([table.slice(0, 1), table.slice(1)]).replace_schema_metadata(
        {"made": "by pandas"}
    )
    assert to_parquet(table) == to_parquet(again)
    assert to_parquet(table) != to_parquet(table.slice(1))


def test_reading_tells_what_is_wrong(tmp_path: Path) -> None:
    good = tmp_path / "a.parquet"
    good.write_bytes(to_parquet(pa.table({"a": [1]})))
    other = tmp_path / "b.parquet"
    other.write_bytes(to_parquet(pa.table({"a": ["x"]})))
    broken = tmp_path / "c.parquet"
    broken.write_bytes(b"no parquet")
    with pytest.raises(Invalid, match="no column 'z'"):
        read_files([good], ["z"])
    with pytest.raises(Invalid, match="do not fit together"):
        read_files([good, other])
    with pytest.raises(Invalid, match=r"c\.parquet"):
        read_files([broken])
    (tmp_path / "x.txt").touch()
    with pytest.raises(Invalid, match=r"neither \.parquet nor \.csv"):
        read_local(Path(__file__))


@pytest.mark.parametrize("good", ["a", "a/b.parquet", "ä ö.csv", "a..b", ".hidden"])
def test_plain_paths_pass(good: str) -> None:
    assert str(checked(good)) == good


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "/",
        "/etc/passwd",
        "..",
        "../x",
        "a/../../x",
        "a/..",
        "./a",
        "a//b",
        "a/",
        "a\\b",
        "C:\\x",
        "c:x",
        "a\0b",
        "a\nb",
        "x" * 2000,
    ],
)
def test_paths_that_lead_out_or_are_no_paths(bad: str, tmp_path: Path) -> None:
    with pytest.raises(Invalid):
        checked(bad)
    with pytest.raises(Invalid):
        inside(tmp_path, bad)


def test_a_link_that_leads_out_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").symlink_to("/etc")
    with pytest.raises(Invalid, match="leads out"):
        inside(tmp_path, "out/passwd")


def version(number: int, files: dict[str, str], columns: dict[str, str]) -> DatasetVersion:
    return DatasetVersion(
        id=f"id{number}",
        dataset="d",
        number=number,
        content_id="c",
        created_ms=0,
        rows=10 * number,
        size_bytes=100 * number,
        files=tuple(
            DatasetFile(path=path, object_id=object_id, size_bytes=1) for path, object_id in files.items()
        ),
        columns=tuple(ColumnProfile(name=name, type=kind) for name, kind in columns.items()),
    )


def test_a_difference_names_what_changed() -> None:
    old = version(1, {"same": "1", "gone": "2", "changed": "3"}, {"a": "int64", "b": "string"})
    new = version(2, {"same": "1", "changed": "4", "added": "5"}, {"a": "double", "c": "string"})
    found = diff(old, new)
    assert (found.rows, found.size_bytes) == (10, 100)
    assert (found.files_added, found.files_removed, found.files_changed) == (
        ("added",),
        ("gone",),
        ("changed",),
    )
    assert (found.columns_added, found.columns_removed, found.columns_retyped) == (("c",), ("b",), ("a",))


def test_checks_and_gates() -> None:
    good, bad = at_least("auc", 0.7, 0.7), at_most("error", 0.2, 0.1)
    assert good.passed
    assert not bad.passed
    assert not at_least("auc", math.nan, 0).passed
    assert not at_most("auc", math.nan, 1).passed
    assert verdict([good, check("own", 1, "is one", True)])
    assert not verdict([good, bad])
    with pytest.raises(Invalid, match="at least one check"):
        verdict([])
    report = Report(id="r", gate="g", subject="model", created_ms=0, passed=False, checks=(good, bad))
    with pytest.raises(GateFailed, match=r"error is 0\.2, must be <= 0\.1") as caught:
        require(report)
    assert "auc" not in str(caught.value)
