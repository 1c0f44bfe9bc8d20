"""`kedge drift` without a server: list; run, for every kind of streaming detector; test, with any batch detectors."""

import json
import os
import pty
import re
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import typer
from typer.testing import CliRunner

from kedge.app.commands import drift
from kedge.core.errors import Invalid, MissingExtra, NotFound
from kedge.drift import ALL, PageHinkley


@pytest.fixture
def run():
    cli = typer.Typer()
    drift.register(cli)

    def invoke(*arguments):
        result = CliRunner().invoke(cli, ["drift", *map(str, arguments)])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        invoke.status = result.exit_code
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


def test_the_list_says_where_a_detector_is_taken(run) -> None:
    for name, where in (
        ("ADWIN", "drift run, stream monitors"),
        ("KSWIN", "drift run"),
        ("CramerVonMises", "drift test, drift monitors"),
        ("MMD", "drift test"),
    ):
        (line,) = [line for line in run("list", name).splitlines() if " for " in line]
        assert line.split("│")[2].strip() == where


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


def test_a_stream_of_text_is_refused_in_words_of_streams(run, tmp_path) -> None:
    pq.write_table(pa.table({"carrier": ["AA", "UA"]}), tmp_path / "text.parquet")
    with pytest.raises(
        Invalid, match=r"holds string values, not numbers .*a streaming detector reads numbers"
    ):
        run("run", tmp_path / "text.parquet", "--column", "carrier", "--detector", "ADWIN")


@pytest.mark.parametrize(("ending", "magic"), [("png", b"\x89PNG"), ("svg", b"<?xml")])
def test_a_plot(run, stream, tmp_path, ending, magic) -> None:
    pytest.importorskip("matplotlib")
    target = tmp_path / f"out.{ending}"
    run("run", stream, "--column", "a", "--detector", "ADWIN", "--plot", target)
    assert target.read_bytes().startswith(magic)


def test_a_plot_says_what_it_shows(run, stream, tmp_path) -> None:
    pytest.importorskip("matplotlib")
    target = tmp_path / "out.svg"
    drawn = {}
    for detector, column in (("DDM", "late"), ("PageHinkley", "a"), ("ADWIN", "a")):
        run("run", stream, "--column", column, "--detector", detector, "--plot", target)
        # Matplotlib writes each text, drawn as outlines, into a comment beside them.
        drawn[detector] = re.findall(r"<!-- (.*?) -->", target.read_text())
    assert {"late, mean of the last 100", "alarm", "warning", "row"} <= set(drawn["DDM"])
    assert "the error rate and its deviation" in drawn["DDM"]
    assert "alarm level" not in drawn["DDM"]
    assert {"alarm level", "a", "alarm"} <= set(drawn["PageHinkley"])
    assert "warning" not in drawn["PageHinkley"]
    run("run", stream, "--column", "a", "--column", "b", "--detector", "mmdonline", "--plot", target)
    assert {"a", "b", "a, b"} <= set(re.findall(r"<!-- (.*?) -->", target.read_text()))


def test_parameters_are_numbers_as_python_writes_them(run, stream) -> None:
    arguments = ("run", stream, "--column", "a", "--detector", "adwin", "--json", "--param")
    expected = run(*arguments, "delta=0.25")
    for text in (".25", "2.5e-1", "+.25"):
        assert run(*arguments, f"delta={text}") == expected
    assert run(*arguments, "clock=1_0") == run(*arguments, "clock=10")
    for text in ("nan", "inf", "a"):
        with pytest.raises(Invalid, match="delta must be"):
            run(*arguments, f"delta={text}")


def test_rows_without_a_value_can_be_skipped(run, tmp_path) -> None:
    values = np.random.default_rng(1).normal(np.repeat([0, 3], 700), 1)
    values[[5, 900]] = np.nan
    pq.write_table(pa.table({"a": values, "b": values > 1}), tmp_path / "holed.parquet")
    arguments = ("run", tmp_path / "holed.parquet", "--column", "a", "--detector", "ph", "--json")
    with pytest.raises(Invalid, match=r"2 rows without a finite number .*--param missing=skip"):
        run(*arguments)
    found = json.loads(run(*arguments, "--param", "missing=skip"))
    expected = PageHinkley(missing="skip").update_many(values).drifts.tolist()
    assert [alarm["row"] for alarm in found["alarms"]] == expected
    assert found["rows"] == 1400


def test_short_names_and_near_ones(run, stream) -> None:
    run_ph = run("run", stream, "--column", "a", "--detector", "ph")
    assert run_ph == run("run", stream, "--column", "a", "--detector", "page-hinkley")
    assert json.loads(run("list", "ks", "--json"))[0]["name"] == "KolmogorovSmirnov"
    assert json.loads(run("list", "psi", "--json"))[0]["name"] == "PopulationStabilityIndex"
    with pytest.raises(Invalid, match="did you mean ADWIN"):
        run("run", stream, "--column", "a", "--detector", "adwn")
    with pytest.raises(Invalid, match=r"KolmogorovSmirnov compares windows .*drift test --detectors"):
        run("run", stream, "--column", "a", "--detector", "ks")
    with pytest.raises(NotFound, match="did you mean KSWIN"):
        run("list", "kswn")


def test_a_plot_that_cannot_be_drawn(run, stream, tmp_path, monkeypatch) -> None:
    arguments = ("run", stream, "--column", "a", "--detector", "ADWIN", "--plot")
    with pytest.raises(Invalid, match="png"):
        run(*arguments, tmp_path / "out.txt")
    calm = stream.with_name("calm.parquet")
    for command in (arguments, ("test", stream, "--reference", calm, "--plot")):
        with pytest.raises(Invalid, match=r"there is no folder .*nodir \(make it first\)"):
            run(*command, tmp_path / "nodir" / "x.png")
    (tmp_path / "taken.png").mkdir()
    with pytest.raises(Invalid, match="cannot be written: Is a directory"):
        run(*arguments, tmp_path / "taken.png")
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtra, match=r"kedge\[mlflow\]"):
        run(*arguments, tmp_path / "out.png")


def test_two_files_by_any_detectors(run, stream) -> None:
    calm = stream.with_name("calm.parquet")
    arguments = ("test", stream, "--reference", calm, "--detectors", "ad,Hellinger,mmd")
    found = json.loads(run(*arguments, "--param", "MMD.permutations=40", "--param", "alpha=0.2", "--json"))
    assert found["drifted"] == ["a", "late"]
    by_name = {row["detector"]: row for row in found["results"]}
    assert by_name["MMD"]["column"] == "a, b, late"
    assert by_name["MMD"]["params"]["permutations"] == 40
    assert {by_name[name]["params"]["alpha"] for name in ("MMD", "AndersonDarling")} == {0.2}
    assert found["correction"] == "bh"
    text = run(*arguments, "--columns", "a,b", "--correction", "holm")
    assert text.endswith(
        "1 of 2 columns drift: a (a column drifts when all its detectors say so; "
        "p-values corrected over columns by Holm). Rows of a, b drift by MMD\n"
    )


def test_the_exit_status_tells_of_drift_only_when_asked(run, stream) -> None:
    calm = stream.with_name("calm.parquet")
    for judged, arguments, status in (
        (stream, (), 0),
        (stream, ("--fail-on-drift",), 1),
        (calm, ("--fail-on-drift",), 0),
        (stream, ("--fail-on-drift", "--detectors", "lsdd", "--json"), 1),
    ):
        said = run("test", judged, "--reference", calm, *arguments)
        assert run.status == status
        assert said  # the finding is told in either case


def test_what_was_not_compared_is_told(run, tmp_path) -> None:
    table = pa.table(
        {"x": pa.array([1.0, None, 2.0]), "when": pa.array([1, 2, 3], pa.date32()), "z": ["[b]"] * 3}
    )
    pq.write_table(table, tmp_path / "a.parquet")
    pq.write_table(table.append_column("new", pa.array([1, 2, 3])), tmp_path / "b.parquet")
    arguments = ("test", tmp_path / "b.parquet", "--reference", tmp_path / "a.parquet")
    text = run(*arguments, "--detectors", "ks,mwu,fisher", "--columns", "x", "--missing", "skip")
    assert "rows without a value: x, 1 in the reference and 1 in the other file" in text
    assert "not used: FisherExact" in text
    text = run(*arguments)
    assert "left out: when (it holds date32[day], which no detector reads)" in text
    assert f"left out: new (only in {tmp_path / 'b.parquet'})" in text
    assert "not used" not in text


def test_columns_of_two_files_are_drawn(run, stream, tmp_path) -> None:
    pytest.importorskip("matplotlib")
    calm = stream.with_name("calm.parquet")
    for path in (stream, calm):  # in a plot, $ begins no formula
        pq.write_table(
            pq.read_table(path).append_column("$x_$", pa.array(["$y_$"] * len(pq.read_table(path)))), path
        )
    run("test", stream, "--reference", calm, "--plot", tmp_path / "out.png", "--categorical", "late")
    assert (tmp_path / "out.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(Invalid, match="png"):
        run("test", stream, "--reference", calm, "--plot", tmp_path / "out.txt")


@pytest.mark.slow
def test_the_work_is_shown_on_a_terminal(stream) -> None:
    """And nowhere else: standard error of the other tests is empty."""
    parent, child = pty.openpty()
    command = [sys.executable, "-m", "kedge.app.main", "drift", "test", str(stream)]
    command += ["--reference", str(stream.with_name("calm.parquet")), "--detectors", "ks", "--json"]
    done = subprocess.run(command, stderr=child, stdout=subprocess.PIPE, check=True)
    os.close(child)
    shown = os.read(parent, 65536).decode()
    os.close(parent)
    assert "KolmogorovSmirnov" in shown
    assert json.loads(done.stdout)["drifted"] == ["a", "late"]
