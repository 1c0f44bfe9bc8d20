"""`kedge drift` on files and `kedge monitor` against a platform."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
import typer
from typer.testing import CliRunner

from kedge.app.commands import drift, monitor
from kedge.core.errors import Invalid, NotFound


@pytest.fixture
def run():
    cli = typer.Typer()
    drift.register(cli)
    monitor.register(cli)

    def invoke(*arguments):
        result = CliRunner().invoke(cli, [str(argument) for argument in arguments])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke


@pytest.fixture
def files(tmp_path):
    generator = np.random.default_rng(6)
    tables = {}
    for name, warm in (("january", 0.0), ("july", 15.0)):
        tables[name] = pa.table(
            {
                "temp": generator.normal(warm, 4, 800),
                "hour": generator.integers(0, 24, 800),
                "carrier": generator.choice(["AA", "UA"], 800),
                "when": pa.array(np.arange(800), pa.timestamp("ms")),
            }
        )
    pq.write_table(tables["january"], tmp_path / "january.parquet")
    pa_csv.write_csv(tables["july"], tmp_path / "july.csv")
    return tmp_path


def test_two_files_compared(run, files):
    arguments = ("drift", "test", "--reference", files / "january.parquet", files / "july.csv")
    found = json.loads(run(*arguments, "--json").stdout)
    assert found["drifted"] == ["temp"]
    assert found["drift_share"] == pytest.approx(1 / 3)
    assert {row["column"] for row in found["results"]} == {"temp", "hour", "carrier"}
    text = run(*arguments).stdout
    assert "1 of 3 columns drift: temp" in text


def test_chosen_detectors_and_columns(run, files):
    arguments = ("drift", "test", "--reference", files / "january.parquet", files / "july.csv", "--json")
    found = json.loads(run(*arguments, "--detectors", "KS", "--columns", "temp, hour").stdout)
    assert {(row["column"], row["detector"]) for row in found["results"]} == {
        (column, detector) for column in ("temp", "hour") for detector in ("KolmogorovSmirnov", "verdict")
    }
    assert {
        row["column"] for row in json.loads(run(*arguments, "--detectors", "chi2").stdout)["results"]
    } == {"carrier"}


def test_what_cannot_be_compared_is_said(run, files):
    with pytest.raises(NotFound, match=r"nothing\.parquet"):
        run("drift", "test", "--reference", files / "nothing.parquet", files / "july.csv")
    with pytest.raises(Invalid, match="its columns are temp, hour, carrier, when"):
        run(
            "drift",
            "test",
            "--reference",
            files / "january.parquet",
            files / "july.csv",
            "--columns",
            "speed",
        )
    with pytest.raises(Invalid, match="no detector is called 'magic'"):
        run(
            "drift",
            "test",
            "--reference",
            files / "january.parquet",
            files / "july.csv",
            "--detectors",
            "magic",
        )
    with pytest.raises(Invalid, match="'carrier' cannot be compared: it holds text"):
        run(
            "drift", "test", "--reference", files / "january.parquet", files / "july.csv",
            "--columns", "carrier", "--detectors", "ks",
        )  # fmt: skip


def test_a_stream_in_a_file(run, tmp_path):
    generator = np.random.default_rng(2)
    values = np.concatenate([generator.normal(0.2, 0.02, 300), generator.normal(0.6, 0.02, 300)])
    pa_csv.write_csv(pa.table({"error": values}), tmp_path / "days.csv")
    arguments = ("drift", "run", tmp_path / "days.csv", "--column", "error", "--json")
    found = json.loads(run(*arguments, "--detector", "PageHinkley", "--param", "threshold=1.0").stdout)
    assert found["rows"] == 600
    assert 300 <= found["alarms"][0]["row"] <= 310
    with pytest.raises(Invalid, match="name=value"):
        run(*arguments, "--detector", "ADWIN", "--param", "delta")
    with pytest.raises(Invalid, match="delta"):
        run(*arguments, "--detector", "ADWIN", "--param", "delta=-1")


def test_gaps_in_a_stream_are_refused(run, tmp_path):
    pq.write_table(pa.table({"x": pa.array([1.0, None, 2.0])}), tmp_path / "x.parquet")
    with pytest.raises(Invalid, match="1 rows without a finite number"):
        run("drift", "run", tmp_path / "x.parquet", "--column", "x", "--detector", "ADWIN")


def test_detectors_are_listed(run):
    listed = json.loads(run("drift", "list", "--json").stdout)
    assert {"KolmogorovSmirnov", "PopulationStabilityIndex", "ChiSquare", "ADWIN", "PageHinkley"} <= {
        row["name"] for row in listed
    }
    assert "alpha" in run("drift", "list").stdout


@pytest.mark.parametrize("group", ["drift", "monitor"])
def test_every_command_has_help_with_an_example(run, group):
    commands = {"drift": ("list", "test", "run"), "monitor": ("list", "show", "evaluate", "alerts", "ack")}[
        group
    ]
    for command in commands:
        text = run(group, command, "--help").stdout
        assert f"Example: kedge {group} {command}" in " ".join(text.split())
        assert "--json" in text
