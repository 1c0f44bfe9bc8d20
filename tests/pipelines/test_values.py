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
