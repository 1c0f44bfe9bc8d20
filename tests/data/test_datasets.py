"""Dataset versions and gates through the SDK, the command line and the API of a running platform."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pyarrow as pa
import pytest
from tests.conftest import KEDGE, Platform, start_platform

import kedge
from kedge.client.datasets import datasets
from kedge.core.errors import Conflict, GateFailed, Invalid, NotFound, Unavailable

pytestmark = pytest.mark.acceptance

TABLE = pa.table({"a": [1, 2, 3], "b": ["x", "y", None]})


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    started = start_platform(tmp_path_factory.mktemp("data") / "home")
    connection = kedge.connect(started.web)
    yield started
    connection.close()
    started.stop()


def test_a_table_comes_back(shared: Platform) -> None:
    version = kedge.dataset("table").add(TABLE, tag="first", message="three rows")
    assert (version.number, version.tag, version.rows, version.columns) == (1, "first", 3, ("a", "b"))
    assert version.to_arrow().equals(TABLE)
    assert version.to_arrow(["b"]).column_names == ["b"]
    assert version.to_pandas()["a"].tolist() == [1, 2, 3]
    with pytest.raises(Invalid, match="no column 'z'"):
        version.to_arrow(["z"])


def test_the_same_content_is_the_same_version(shared: Platform) -> None:
    first = kedge.dataset("same").add(TABLE, tag="t")
    assert kedge.dataset("same").add(TABLE, tag="t").id == first.id
    assert kedge.dataset("same").add(TABLE).id == first.id
    other = kedge.dataset("same").add(TABLE.slice(1), tag="t")
    assert other.number == 2
    assert kedge.dataset("same").version("t").id == other.id
    assert kedge.dataset("same").version("1").tag is None
    assert kedge.dataset("same").version(first.id).number == 1
    assert [each.number for each in kedge.dataset("same").versions()] == [2, 1]
    assert "same" in [each.name for each in datasets()]


def test_folders_and_files(shared: Platform, tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "deep").mkdir(parents=True)
    (source / "deep" / "a.bin").write_bytes(b"\0" * 5_000_000)
    (source / "b.txt").write_text("hello")
    version = kedge.dataset("folder").add(source)
    assert version.checkout(tmp_path / "out") == tmp_path / "out"
    assert (tmp_path / "out" / "deep" / "a.bin").read_bytes() == b"\0" * 5_000_000
    assert (tmp_path / "out" / "b.txt").read_text() == "hello"
    with pytest.raises(Conflict, match="not empty"):
        version.checkout(tmp_path / "out")
    assert version.checkout(tmp_path / "out", force=True)
    with pytest.raises(Invalid, match="holds no Parquet file"):
        version.to_arrow()
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    assert kedge.dataset("csv").add(tmp_path / "t.csv").columns == ("a", "b")


def test_what_is_not_there(shared: Platform) -> None:
    with pytest.raises(NotFound, match="'nothing'"):
        kedge.dataset("nothing").version()
    kedge.dataset("known").add(TABLE)
    with pytest.raises(NotFound, match="no version '99'"):
        kedge.dataset("known").version("99")
    with pytest.raises(Invalid, match="letters, digits"):
        kedge.dataset("no%20good").add(TABLE)
    with pytest.raises(Invalid, match="letters, digits"):
        kedge.dataset("known").add(TABLE, tag="a/../b")
    with pytest.raises(Invalid, match="cannot make a table of int"):
        kedge.dataset("known").add(3)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"path": "../../etc/cron.d/x"}, "not a path inside"),
        ({"path": "/etc/passwd"}, "not a path inside"),
        ({"object_id": "0" * 64}, "is not stored"),
        ({"object_id": "../../kedge.db"}, "is not stored"),
        ({"size_bytes": 1}, "is said to have 1 bytes"),
    ],
)
def test_a_manifest_that_lies_is_refused(shared: Platform, change: dict[str, object], words: str) -> None:
    api = f"{shared.web}/api/kedge/v1"
    stored = httpx.put(f"{api}/objects", content=b"some bytes").json()
    file = {"path": "a", "object_id": stored["object_id"], "size_bytes": stored["size_bytes"], **change}
    reply = httpx.post(f"{api}/datasets/lies/versions", json={"files": [file]})
    assert reply.status_code == 422
    assert words in reply.json()["error"]["message"]
    assert httpx.get(f"{api}/datasets/lies").status_code == 404


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"files": 3}', b'{"files": [], "extra": 1}', b'{"files": []}']
)
def test_bodies_that_are_none(shared: Platform, body: bytes) -> None:
    reply = httpx.post(f"{shared.web}/api/kedge/v1/datasets/bad/versions", content=body)
    assert reply.status_code == 422
    assert set(reply.json()["error"]) == {"code", "message", "hint"}


def test_gates_are_stored_and_stop(shared: Platform) -> None:
    passed = kedge.validate.gate("g", "model 1", [kedge.validate.at_least("auc", 0.8, 0.7)])
    assert passed.require().passed
    failed = kedge.validate.gate("g", "model 2", [kedge.validate.at_least("auc", 0.6, 0.7)])
    with pytest.raises(GateFailed, match=r"auc is 0\.6, must be >= 0\.7"):
        failed.require()
    found = httpx.get(f"{shared.web}/api/kedge/v1/reports/{failed.id}").json()
    assert found["passed"] is False


def test_nobody_there_is_told_with_the_next_step() -> None:
    from kedge.client.connection import Connection

    nowhere = Connection("http://127.0.0.1:9")
    with pytest.raises(Unavailable, match="kedge up"):
        nowhere.call("GET", "/datasets", list)
    nowhere.close()


def test_the_command_line(shared: Platform, tmp_path: Path) -> None:
    environment = {**os.environ, "KEDGE_URL": shared.web}

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [*KEDGE, "data", *arguments]
        return subprocess.run(
            command, capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=60
        )

    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    assert json.loads(run("add", "cli", "t.csv", "--tag", "one", "--json").stdout)["tag"] == "one"
    (tmp_path / "t.csv").write_text("a,b,c\n1,2,3\n4,5,6\n")
    assert "cli@2" in run("add", "cli", "t.csv").stdout
    assert "cli" in [each["name"] for each in json.loads(run("list", "--json").stdout)]
    assert len(json.loads(run("show", "cli", "--json").stdout)) == 2
    assert run("show", "cli@one").returncode == 0
    assert json.loads(run("diff", "cli@1", "cli@2", "--json").stdout)["columns_added"] == ["c"]
    assert run("checkout", "cli@one", "out").returncode == 0
    assert (tmp_path / "out" / "data.parquet").exists()
    again = run("checkout", "cli@one", "out")
    assert again.returncode == 1
    assert "not empty" in again.stderr
    assert run("show", "none").returncode == 1
    assert "no file or folder" in run("add", "cli", "none.csv").stderr
