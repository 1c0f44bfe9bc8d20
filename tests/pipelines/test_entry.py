"""Entries, what their source says, parameters, and which files belong to a project."""

import math
import subprocess
from pathlib import Path

import pytest

from kedge.core.errors import Invalid, NotFound
from kedge.pipelines.code import snapshot
from kedge.pipelines.declared import declared
from kedge.pipelines.entry import load, resolved
from kedge.pipelines.params import check_plain
from kedge.pipelines.project import Project
from kedge.storage.objects import FolderObjects

SOURCE = """
import kedge
from kedge.pipelines.pipeline import pipeline

@pipeline(name="nightly-train")
def train(months, *, alpha=0.5, seed):
    pass

@kedge.pipeline
def anything(first, **rest):
    pass

def plain():
    pass

moved = train
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "flows.py").write_text(SOURCE)
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "flow.py").write_text("from .parts import work\nimport json, package.more.deep\n" + SOURCE)
    (package / "parts.py").write_text("def work():\n    from package import lazy\n")
    (package / "lazy.py").write_text("")
    (package / "unused.py").write_text("")
    (package / "more").mkdir()
    (package / "more" / "deep.py").write_text("broken syntax here(\n")
    return tmp_path


def test_a_path_is_made_absolute_and_its_folder_is_the_project(folder: Path) -> None:
    assert resolved("flows.py:train", folder) == (f"{folder}/flows.py:train", str(folder))
    assert resolved("package.flow:train", folder) == ("package.flow:train", str(folder))


@pytest.mark.parametrize("entry", ["", "flows.py", ":train", "flows.py:", "flows.py:a b", "flows:1st"])
def test_what_names_no_pipeline_is_refused(folder: Path, entry: str) -> None:
    with pytest.raises(Invalid, match="names no pipeline"):
        resolved(entry, folder)


def test_a_missing_file_is_named(folder: Path) -> None:
    with pytest.raises(NotFound, match=r"there is no file .*/gone\.py"):
        resolved("gone.py:train", folder)


def test_the_source_tells_name_and_parameters(folder: Path) -> None:
    for entry in (f"{folder}/flows.py:train", "package.flow:train"):
        found = declared(entry, str(folder))
        assert found is not None
        assert (found.name, found.required, found.optional) == (
            "nightly-train",
            ("months", "seed"),
            ("alpha",),
        )
    found.check({"months": [], "seed": 1})
    with pytest.raises(Invalid, match="missing seed; unknown alhpa") as error:
        found.check({"months": [], "alhpa": 1})
    assert error.value.hint == "it takes months, seed, alpha (optional)"
    anything = declared(f"{folder}/flows.py:anything", str(folder))
    assert anything is not None
    anything.check({"first": 1, "else": 2})


def test_what_only_running_it_would_tell_is_left_open(folder: Path) -> None:
    for name in ("moved", "kedge", "plain"):
        assert declared(f"{folder}/flows.py:{name}", str(folder)) is None
    assert declared("somewhere.installed:train", str(folder)) is None


def test_a_name_that_is_not_there_is_refused_with_those_that_are(folder: Path) -> None:
    with pytest.raises(NotFound, match="has no 'trian'") as error:
        declared(f"{folder}/flows.py:trian", str(folder))
    assert error.value.hint == "its pipelines: train, anything"
    (folder / "flows.py").write_text("def broken(:\n")
    with pytest.raises(Invalid, match=r"flows\.py, line 1"):
        declared(f"{folder}/flows.py:train", str(folder))


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (object(), "a object"), (math.nan, "nan"), ([1, {"a": math.inf}], "inf"), ({1: 2}, "the key 1"),
        ("\udc80", "the text '.udc80'"), ({"\udc80": 1}, "the text '.udc80'"), ({"a": {2}}, "a set"), (b"x", "a bytes"), (Path("x"), "a PosixPath"),
    ],
)  # fmt: skip
def test_parameters_that_json_would_change_are_named(value: object, said: str) -> None:
    with pytest.raises(Invalid, match=f"'month' of pipeline 'p': {said} is not"):
        check_plain("p", {"fine": [1, ("a", None, True)], "month": value})


def test_a_file_called_like_a_module_of_python_does_not_take_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import select as before

    monkeypatch.setattr("sys.path", ["unchanged"])
    (tmp_path / "select.py").write_text("import kedge\n@kedge.pipeline\ndef p():\n    pass\n")
    assert load(f"{tmp_path}/select.py:p", str(tmp_path)).name == "p"
    import select as after

    assert before is after


def test_a_project_reaches_its_own_files_alone(folder: Path) -> None:
    project = Project.of("package.flow:train", folder)
    assert sorted(project.sources("package.flow:train")) == []  # not loaded, and no file was named
    names = [project.name(file) for file in project.reached(folder / "package" / "flow.py")]
    assert names == ["package/__init__.py", "package/flow.py", "package/lazy.py", "package/more/deep.py", "package/parts.py"]  # fmt: skip


def test_of_installed_code_only_the_package_itself_is_own(tmp_path: Path) -> None:
    site = tmp_path / "site-packages"
    project = Project.of("package.flow:train", site)
    assert project.owns(site / "package" / "flow.py")
    assert not project.owns(site / "numpy" / "core.py")
    assert not Project.of(f"{tmp_path}/a.py:p", tmp_path).owns(site / "numpy" / "core.py")
    assert not Project.of(f"{tmp_path}/a.py:p", tmp_path).owns(tmp_path / "a.so")


def test_a_snapshot_holds_the_files_and_the_commit(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    objects = FolderObjects(tmp_path_factory.mktemp("objects"))
    entry = f"{folder}/flows.py:train"
    project = Project.of(entry, folder)
    bare = snapshot(entry, project, objects)
    assert (list(bare.files), bare.git_commit, bare.git_dirty) == (["flows.py"], None, False)
    assert objects.path(bare.files["flows.py"]).read_text() == SOURCE
    git = ["git", "-C", str(folder), "-c", "user.name=n", "-c", "user.email=e@x"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-qm", "m"], check=True)
    clean = snapshot(entry, project, objects)
    assert (len(clean.git_commit), clean.git_dirty) == (40, False)
    assert clean == snapshot(entry, project, objects)
    (folder / "flows.py").write_text(SOURCE + "x = 1\n")
    dirty = snapshot(entry, project, objects)
    assert (dirty.git_commit, dirty.git_dirty) == (clean.git_commit, True)
    assert len({bare.id, clean.id, dirty.id}) == 3
