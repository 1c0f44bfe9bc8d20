"""`kedge drift list` and `kedge drift run` for every kind of streaming detector, without a server."""

import json
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import typer
from typer.testing import CliRunner

from kedge.app.commands import drift
from kedge.core.errors import Invalid, MissingExtra
from kedge.drift import ALL, PageHinkley


@pytest.fixture
def run():
    cli = typer.Typer()
    drift.register(cli)

    def invoke(*arguments):
        result = CliRunner().invoke(cli, ["drift", *map(str, arguments)])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.stdout

    return invoke


@pytest.fixture
def stream(tmp_path):
    rng = np.random.default_rng(1)
    table = {"a": rng.normal(np.repeat([0, 3], 700), 1), "b": rng.normal(size=1400)}
    table["late"] = (table["a"] > 1).astype(int)
    pq.write_table(pa.table(table), tmp_path / "stream.parquet")
    pq.write_table(
        pa.table({name: values[:600] for name, values in table.items()}), tmp_path / "calm.parquet"
    )
    return tmp_path / "stream.parquet"


def test_all_detectors_are_listed_with_their_papers(run) -> None:
    listed = {record["name"]: record for record in json.loads(run("list", "--json"))}
    assert set(listed) == {cls.__name__ for cls in ALL}
    assert listed["ADWIN"]["paper"] == "Bifet and Gavaldà 2007"
    assert listed["StreamingEnsemble"]["parameters"][0]["default"][0].startswith("ADWIN(")
    assert "PageHinkley" in run("list")


def test_alarms_are_those_of_the_library(run, stream) -> None:
    found = json.loads(run("run", stream, "--column", "a", "--detector", "pagehinkley", "--json"))
    expected = PageHinkley().update_many(pq.read_table(stream)["a"].to_numpy()).drifts.tolist()
    assert [alarm["row"] for alarm in found["alarms"]] == expected
    assert expected
    assert f"{len(expected)} changes in 1400 rows" in run(
        "run", stream, "--column", "a", "--detector", "PageHinkley"
    )


def test_several_columns_are_vectors(run, stream) -> None:
    arguments = ("run", stream, "--column", "a", "--column", "b", "--param", "expected_run_time=5000")
    text = run(*arguments, "--detector", "MMDOnline")
    assert text.startswith("row 71")
    with pytest.raises(Invalid, match=r"takes real values, one column each"):
        run("run", stream, "--column", "a", "--column", "b", "--detector", "ADWIN")


def test_a_reference_file(run, stream) -> None:
    calm = stream.with_name("calm.parquet")
    arguments = ("run", stream, "--column", "late", "--detector", "FETOnline", "--json")
    found = json.loads(run(*arguments, "--param", "expected_run_time=5000", "--reference", calm))
    assert 700 <= found["alarms"][-1]["row"] < 1400
    with pytest.raises(Invalid, match=r"ADWIN takes no reference .*CVMOnline"):
        run("run", stream, "--column", "a", "--detector", "ADWIN", "--reference", calm)


def test_what_cannot_be_run_is_said(run, stream) -> None:
    for detector, param, match in (
        ("KolmogorovSmirnov", "alpha=0.1", "no streaming detector is called"),
        ("ADWIN", "deltas=1", r"no parameter 'deltas' \(it has delta"),
        ("FETOnline", "window=0", "window must be"),
        ("FETOnline", "window=20", "0 or 1"),
    ):
        with pytest.raises(Invalid, match=match):
            run("run", stream, "--column", "a", "--detector", detector, "--param", param)


@pytest.mark.parametrize(("ending", "magic"), [("png", b"\x89PNG"), ("svg", b"<?xml")])
def test_a_plot(run, stream, tmp_path, ending, magic) -> None:
    pytest.importorskip("matplotlib")
    target = tmp_path / f"out.{ending}"
    run("run", stream, "--column", "a", "--detector", "ADWIN", "--plot", target)
    assert target.read_bytes().startswith(magic)


def test_a_plot_that_cannot_be_drawn(run, stream, tmp_path, monkeypatch) -> None:
    arguments = ("run", stream, "--column", "a", "--detector", "ADWIN", "--plot")
    with pytest.raises(Invalid, match="png"):
        run(*arguments, tmp_path / "out.txt")
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtra, match=r"kedge\[mlflow\]"):
        run(*arguments, tmp_path / "out.png")
