"""`kedge data` on a platform: what people read, what programs read, what is refused."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import typer
from typer.testing import CliRunner

from kedge.app.commands import data
from kedge.core.errors import Conflict, Invalid, NotFound


@pytest.fixture
def run(sdk):
    """Run `kedge data ...`; an error that Kedge raises comes out as such."""
    cli = typer.Typer()
    data.register(cli)

    def go(*arguments):
        asks = [] if "--help" in arguments else ["--url", sdk.url]
        result = CliRunner().invoke(cli, ["data", *map(str, arguments), *asks])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result.stdout

    return go


@pytest.fixture
def months(run, tmp_path):
    """Two versions of `flights`, from files."""
    for tag, delays in (("2013-01", [1.0, 2.0, 3.0, 4.0]), ("2013-02", [3.0, 4.0, 5.0, 6.0, 7.0])):
        table = pa.table({"delay": delays, "[bold]odd[/bold]": ["x"] * len(delays)})
        pq.write_table(table, tmp_path / f"{tag}.parquet")
        run("add", "flights", tmp_path / f"{tag}.parquet", "--tag", tag, "-m", f"month {tag}")


@pytest.mark.parametrize("command", ["add", "list", "show", "checkout", "diff"])
def test_every_command_shows_an_example(run, command):
    assert f"Example: kedge data {command}" in run(command, "--help")


def test_add_says_what_was_made(run, tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n1,x\n2,y\n")
    assert run("add", "flights", tmp_path / "t.csv").startswith("flights@1 ")
    made = json.loads(run("add", "flights", tmp_path / "t.csv", "--tag", "t", "--json"))
    assert (made["dataset"], made["number"], made["tag"], made["rows"]) == ("flights", 2, "t", 2)


@pytest.mark.usefixtures("months")
def test_list_and_show(run):
    assert "2013-02" in run("list")
    [summary] = json.loads(run("list", "--json"))
    assert (summary["name"], summary["versions"]) == ("flights", 2)
    shown = run("show", "flights")
    assert "month 2013-01" in shown
    assert "month 2013-02" in shown
    assert [version["number"] for version in json.loads(run("show", "flights", "--json"))] == [2, 1]
    one = run("show", "flights@2013-01")
    assert "[bold]odd[/bold]" in one  # what users name is not markup
    assert "2.5" in one
    assert json.loads(run("show", "flights@2013-01", "--json"))["number"] == 1


@pytest.mark.usefixtures("months")
def test_checkout(run, tmp_path):
    run("checkout", "flights@2013-01", tmp_path / "out")
    assert pq.read_table(tmp_path / "out" / "data.parquet").num_rows == 4
    with pytest.raises(Conflict):
        run("checkout", "flights", tmp_path / "out")
    answered = json.loads(run("checkout", "flights", tmp_path / "out", "--force", "--json"))
    assert answered["version"]["tag"] == "2013-02"
    assert pq.read_table(tmp_path / "out" / "data.parquet").num_rows == 5


@pytest.mark.usefixtures("months")
def test_diff(run):
    said = run("diff", "flights@2013-01", "flights@2013-02")
    assert "+1 rows" in said
    assert "files changed: data.parquet" in said
    assert "2.5 -> 5" in said
    found = json.loads(run("diff", "flights@2013-01", "flights@2013-02", "--json"))
    changed = {column["name"]: column for column in found["columns_changed"]}
    assert changed["delay"]["mean"] == [2.5, 5.0]
    assert changed["delay"]["distance"] > 0.4
    assert changed["[bold]odd[/bold]"]["distance"] == 0
    same = json.loads(run("diff", "flights@2", "flights", "--json"))
    assert (same["rows"], same["files_changed"], same["columns_changed"]) == (0, [], [])


@pytest.mark.usefixtures("months")
@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        (("show", "weather"), NotFound, "'weather'"),
        (("show", "flights@none"), NotFound, "'none'"),
        (("show", "a b"), Invalid, "'a b'"),
        (("add", "flights", "missing.csv"), Invalid, "missing.csv"),
        (("checkout", "flights@9", "out"), NotFound, "'9'"),
        (("diff", "flights@1", "flights@9"), NotFound, "'9'"),
    ],
)
def test_what_is_wrong_is_named(run, arguments, error, says):
    with pytest.raises(error) as raised:
        run(*arguments)
    assert says in raised.value.message
