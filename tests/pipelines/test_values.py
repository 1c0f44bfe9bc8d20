"""Outputs by type: what comes back is what was returned."""

import datetime as dt
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from kedge.core.errors import Invalid
from kedge.pipelines.values import load, store
from kedge.storage.objects import FolderObjects


@pytest.fixture
def objects(tmp_path: Path) -> FolderObjects:
    return FolderObjects(tmp_path)


@pytest.mark.parametrize(
    "value",
    [None, True, 0, -1, 2**52, 1.5, -0.0, "", "ä\n\0", [], [1, "a", None], {}, {"a": {"b": [1.0, False]}}],
)
def test_plain_values_are_json(objects: FolderObjects, value: object) -> None:
    output = store(value, objects, "s")
    assert output.format == "json"
    assert repr(load(output, objects)) == repr(value)
    assert output.size_bytes == objects.size_bytes(output.object_id)


@pytest.mark.parametrize(
    "value",
    [
        (1, 2), {1, 2}, {1: "a"}, 2**60, math.inf, b"bytes", "\ud800", {"\ud800": 1}, [(1,)],
        dt.date(2013, 1, 1), pd.Series([1, 2]), np.array([{"a": 1}], dtype=object),
    ],
)  # fmt: skip
def test_what_json_would_change_is_pickled(objects: FolderObjects, value: object) -> None:
    output = store(value, objects, "s")
    assert output.format == "pickle"
    assert repr(load(output, objects)) == repr(value)


def test_nan_stays_nan(objects: FolderObjects) -> None:
    assert math.isnan(load(store(math.nan, objects, "s"), objects))


def test_numpys_numbers_among_metrics_are_pythons(objects: FolderObjects) -> None:
    output = store({"auc": np.float64(0.75), "n": [np.int64(3)], "ok": np.bool_(True)}, objects, "s")
    assert (output.format, output.summary) == ("json", '{"auc":0.75,"n":[3],"ok":true}')


@pytest.mark.parametrize(
    "array", [np.arange(6.0).reshape(2, 3), np.array(["a", "bc"]), np.zeros((0, 2), "i4")]
)
def test_arrays_are_npy(objects: FolderObjects, array: np.ndarray) -> None:
    output = store(array, objects, "s")
    back = load(output, objects)
    assert output.format == "npy"
    assert (back.dtype, back.shape, back.tolist()) == (array.dtype, array.shape, array.tolist())


def test_frames_are_parquet_and_come_back_equal(objects: FolderObjects) -> None:
    frame = pd.DataFrame(
        {"x": [1.5, None], "c": pd.Categorical(["a", "b"]), "t": pd.to_datetime(["2013-01-01", None])},
        index=pd.Index([7, 9], name="id"),
    )
    output = store(frame, objects, "s")
    assert (output.format, output.summary) == ("parquet", "table, 2 rows x 4 columns")
    pd.testing.assert_frame_equal(load(output, objects), frame)


def test_an_arrow_table_stays_one_even_when_it_came_from_pandas(objects: FolderObjects) -> None:
    table = pa.Table.from_pandas(pd.DataFrame({"x": [1, 2]}))
    back = load(store(table, objects, "s"), objects)
    assert isinstance(back, pa.Table)
    assert back.equals(table, check_metadata=True)


@pytest.mark.parametrize(
    "frame",
    [pd.DataFrame({"mixed": [1, "a"]}), pd.DataFrame([[1, 2]], columns=["same", "same"])],
    ids=["mixed", "doubled names"],
)
def test_a_frame_that_arrow_refuses_is_pickled(objects: FolderObjects, frame: pd.DataFrame) -> None:
    output = store(frame, objects, "s")
    assert output.format == "pickle"
    pd.testing.assert_frame_equal(load(output, objects), frame)


def test_what_cannot_be_stored_names_the_step(objects: FolderObjects) -> None:
    with pytest.raises(Invalid, match="step 'open_it' returned a generator"):
        store((n for n in range(3)), objects, "open_it")


def objects_of(*values: object) -> pd.DataFrame:
    return pd.DataFrame({"o": pd.Series(list(values), dtype=object)})


@pytest.mark.parametrize(
    "frame",
    [
        objects_of(1, None), objects_of(1, 2), objects_of((1, 2), (3,)), objects_of([1], [2]), objects_of({"a": 1}, {"b": 2}),
        objects_of({}, {}), objects_of({1}, {2}), objects_of(True, None), objects_of(1.5, "a"),
        pd.DataFrame({"cut": pd.cut([1, 2, 3, 4], 2)}), pd.DataFrame([[1, 2]], columns=["a", 1]),
        pd.DataFrame({"a": [1]}, index=pd.Index([(1, 2)], dtype=object, tupleize_cols=False)),
    ],
    ids=["int or none", "ints", "tuples", "lists", "dicts", "empty dicts", "sets", "bool or none", "mixed", "cut", "names", "index"],
)  # fmt: skip
def test_a_frame_that_arrow_would_change_is_pickled(objects: FolderObjects, frame: pd.DataFrame) -> None:
    output = store(frame, objects, "s")
    back = load(output, objects)
    assert output.format == "pickle"
    pd.testing.assert_frame_equal(back, frame)
    assert [[type(each) for each in row] for row in back.to_numpy()] == [
        [type(each) for each in row] for row in frame.to_numpy()
    ]


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame(), pd.DataFrame([[1, 2]]), objects_of("a", None), objects_of(b"a", b"b"), objects_of(None, None),
        objects_of(dt.date(2013, 1, 1), None), pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", 1)])),
        pd.DataFrame({"p": pd.period_range("2013-01", periods=2, freq="M")}),
        pd.DataFrame({"t": pd.to_datetime(["2013-01-01"]).tz_localize("Europe/Berlin")}),
        pd.DataFrame({"n": pd.array([1, None], dtype="Int64"), "d": pd.to_timedelta([1, 2], unit="s")}),
    ],
    ids=["empty", "numbered", "text", "bytes", "nones", "dates", "two levels", "periods", "zone", "nullable"],
)  # fmt: skip
def test_frames_of_many_kinds_are_parquet(objects: FolderObjects, frame: pd.DataFrame) -> None:
    output = store(frame, objects, "s")
    assert output.format == "parquet"
    pd.testing.assert_frame_equal(load(output, objects), frame)


def test_what_a_frame_carries_beside_its_columns_stays(objects: FolderObjects) -> None:
    frame = pd.DataFrame({"a": [1]})
    frame.attrs["unit"] = "minutes"
    output = store(frame, objects, "s")
    assert (output.format, load(output, objects).attrs) == ("parquet", {"unit": "minutes"})
    frame.attrs["unit"] = (1, 2)
    output = store(frame, objects, "s")
    assert (output.format, load(output, objects).attrs) == ("pickle", {"unit": (1, 2)})


@pytest.mark.parametrize(
    "table",
    [
        pa.table([[1], [2]], names=["same", "same"]),
        pa.table({"x": pa.array([(1, 2, 3)], pa.month_day_nano_interval())}),
        pa.table({"x": pa.array([{}])}),
        pa.table({"x": pa.array([5], pa.timestamp("s"))}),
        pa.table({"x": pa.array([5], pa.time32("s"))}),
        pa.table({"x": pa.array([86_400_000], pa.date64())}),
    ],
    ids=["doubled names", "interval", "empty struct", "seconds", "time of day", "date64"],
)
def test_a_table_that_parquet_cannot_hold_is_pickled(objects: FolderObjects, table: pa.Table) -> None:
    output = store(table, objects, "s")
    assert output.format == "pickle"
    assert load(output, objects).equals(table)


def test_the_types_of_a_table_stay(objects: FolderObjects) -> None:
    values = {
        "n": pa.array([1, None], pa.uint8()),
        "w": pa.array(["a", "b"]).dictionary_encode(),
        "l": pa.array(["a", None], pa.large_string()),
        "t": pa.array([1, 2], pa.timestamp("ns", "Europe/Berlin")),
        "s": pa.array([{"a": [1]}, None]),
        "d": pa.array([1, 2], pa.duration("us")),
    }
    output = store(pa.table(values), objects, "s")
    assert output.format == "parquet"
    back = load(output, objects)
    assert (back.schema, back.equals(pa.table(values))) == (pa.table(values).schema, True)


def test_arrays_that_are_more_than_numbers_stay_so(objects: FolderObjects) -> None:
    masked = load(store(np.ma.array([1, 2], mask=[False, True]), objects, "s"), objects)
    assert masked.tolist() == [1, None]
    named = load(store(np.array([1], np.dtype("i4", metadata={"unit": "m"})), objects, "s"), objects)
    assert named.dtype.metadata == {"unit": "m"}
    assert load(store(np.array(5), objects, "s"), objects).shape == ()


def test_a_list_that_holds_itself_comes_back_so(objects: FolderObjects) -> None:
    ring: list[object] = [1]
    ring.append(ring)
    back = load(store(ring, objects, "s"), objects)
    assert back[1] is back


class Shy:
    def __repr__(self) -> str:
        raise ZeroDivisionError


def test_a_value_whose_repr_fails_is_stored_all_the_same(objects: FolderObjects) -> None:
    output = store(Shy(), objects, "s")
    assert (output.format, output.summary) == ("pickle", "Shy")
