"""The same table gives the same bytes; what is read is what was written."""

import io
import subprocess
import sys

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kedge.core.errors import Invalid
from kedge.data.tables import columns_of, parquet_rows, read_files, read_local, to_parquet

TYPES = {
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.int8(): st.integers(-128, 127),
    pa.float64(): st.floats(),
    pa.bool_(): st.booleans(),
    pa.string(): st.text(max_size=8),
    pa.timestamp("ns", "Europe/Berlin"): st.integers(-(2**62), 2**62),
    pa.list_(pa.int32()): st.lists(st.integers(0, 9), max_size=3),
    pa.large_list(pa.struct({"x": pa.list_(pa.string())})): st.just([{"x": ["a", None]}]),
}


@st.composite
def tables(draw):
    count = draw(st.integers(0, 12))
    names = draw(st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=4, unique=True))
    columns = []
    for _ in names:
        kind = draw(st.sampled_from(list(TYPES)))
        values = draw(st.lists(st.none() | TYPES[kind], min_size=count, max_size=count))
        columns.append(
            pa.array(values, pa.int64()).cast(kind) if pa.types.is_timestamp(kind) else pa.array(values, kind)
        )
    return pa.table(columns, names=names)


@settings(max_examples=60, deadline=None)
@given(tables(), st.data())
def test_the_same_table_gives_the_same_bytes(table, data):
    cut = data.draw(st.integers(0, table.num_rows))
    chunked = pa.concat_tables([table.slice(0, cut), table.slice(cut)])
    marked = pa.table(
        table.columns,
        schema=pa.schema(
            [field.with_metadata({"PARQUET:field_id": "7"}) for field in table.schema], {"pandas": "{}"}
        ),
    )
    assert to_parquet(table) == to_parquet(chunked) == to_parquet(marked)


@settings(max_examples=60, deadline=None)
@given(tables())
def test_what_is_read_is_what_was_written(table):
    content = to_parquet(table)
    back = pq.read_table(io.BytesIO(content))
    assert back.schema.equals(table.schema)
    assert repr(back.to_pydict()) == repr(table.to_pydict())  # by repr, since NaN is not NaN
    assert to_parquet(back) == content  # so that adding what was checked out is the same version


def test_other_values_give_other_bytes():
    assert to_parquet(pa.table({"a": [1, 2]})) != to_parquet(pa.table({"a": [2, 1]}))
    assert to_parquet(pa.table({"a": [1]})) != to_parquet(pa.table({"a": pa.array([1], pa.int32())}))
    assert to_parquet(pa.table({"a": [1]})) != to_parquet(pa.table({"b": [1]}))


@pytest.mark.acceptance
def test_another_process_gives_the_same_bytes():
    code = (
        "import sys, pyarrow as pa; from kedge.data.tables import to_parquet\n"
        "table = pa.table({'a': list(range(5000)), 's': [str(i % 7) for i in range(5000)]})\n"
        "sys.stdout.buffer.write(to_parquet(table))"
    )
    outputs = {
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout for _ in range(2)
    }
    table = pa.table({"a": list(range(5000)), "s": [str(i % 7) for i in range(5000)]})
    assert outputs == {to_parquet(table)}


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        (pa.table({}), "without columns"),
        (pa.table([[1], [2]], names=["a", "a"]), "two columns 'a'"),
        (
            pa.table(
                {"u": pa.UnionArray.from_sparse(pa.array([0], pa.int8()), [pa.array([1]), pa.array(["x"])])}
            ),
            "cannot be written",
        ),
    ],
)
def test_a_table_that_cannot_be_kept_is_refused(table, complaint):
    with pytest.raises(Invalid, match=complaint):
        to_parquet(table)


def written(folder, **named):
    paths = []
    for name, table in named.items():
        paths.append(folder / f"{name}.parquet")
        pq.write_table(table, paths[-1])
    return paths


def test_files_are_read_one_after_the_other(tmp_path):
    one = pa.table({"a": [1, 2], "b.c": ["x", "y"]})
    other = pa.table({"a": pa.array([3], pa.int32()), "new": [True]})
    paths = written(tmp_path, one=one, other=other)
    joined = read_files(paths)
    assert joined.to_pydict() == {"a": [1, 2, 3], "b.c": ["x", "y", None], "new": [None, None, True]}
    assert joined.schema.field("a").type == pa.int64()
    assert read_files(paths[:1], ["b.c", "a"]).to_pydict() == {"b.c": ["x", "y"], "a": [1, 2]}
    by_column = {name: values.to_pylist() for name, values in columns_of(paths)}
    assert {name: sorted(map(str, values)) for name, values in by_column.items()} == {
        name: sorted(map(str, joined.column(name).to_pylist())) for name in joined.column_names
    }
    assert [parquet_rows(path) for path in paths] == [2, 1]


def test_a_folder_named_like_a_value_makes_no_column(tmp_path):
    (tmp_path / "year=2013").mkdir()
    [path] = written(tmp_path / "year=2013", part=pa.table({"a": [1]}))
    assert read_files([path]).column_names == ["a"]
    assert read_local(path).column_names == ["a"]


def test_a_missing_column_is_named_and_so_are_the_others(tmp_path):
    paths = written(tmp_path, one=pa.table({"a": [1], "b": [2]}))
    with pytest.raises(Invalid, match=r"no column 'z'; there are a, b"):
        read_files(paths, ["a", "z"])


def test_files_that_do_not_fit_together_are_refused(tmp_path):
    paths = written(tmp_path, one=pa.table({"a": [1]}), other=pa.table({"a": ["x"]}))
    for read in (read_files, lambda paths: list(columns_of(paths))):
        with pytest.raises(Invalid, match="do not fit together"):
            read(paths)


def test_local_files(tmp_path):
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", None]})
    frame.to_csv(tmp_path / "t.CSV", index=False)
    frame.to_parquet(tmp_path / "t.parquet", index=False)
    for name in ("t.CSV", "t.parquet"):
        assert read_local(tmp_path / name).column("a").to_pylist() == [1, 2]


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("t.parquet", b"no parquet", "cannot be read as Parquet"),
        ("t.csv", b"a,b\n1\n2,3,4\n", "cannot be read as CSV"),
        ("t.csv", b"", "cannot be read as CSV"),
        ("t.xlsx", b"", "neither .parquet nor .csv"),
        ("missing.csv", None, "there is no file or folder"),
    ],
)
def test_what_cannot_be_read_is_refused(tmp_path, name, content, complaint):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(Invalid, match=complaint) as raised:
        read_local(tmp_path / name)
    assert name in raised.value.message
