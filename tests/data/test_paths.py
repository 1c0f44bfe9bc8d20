"""Paths of a version never leave the folder they are written into."""

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kedge.core.errors import Invalid
from kedge.data.paths import checked, checked_together, files_below, inside

ATTACKS = [
    "",
    "/",
    "/etc/passwd",
    "//etc/passwd",
    "..",
    "../x",
    "a/../../x",
    "a/..",
    "a/./b",
    ".",
    "./a",
    "a//b",
    "a/",
    "a\\..\\..\\x",
    "\\\\host\\share",
    "C:/x",
    "c:x",
    "a\0b",
    "a\nb",
    "a\rb",
    "a\x1b[2J",
    "a\u202eb",
    "x" * 256,
    "é" * 128,
    "/".join(["a" * 200] * 6),
    "\udc80",
]


@pytest.mark.parametrize("path", ATTACKS)
def test_what_is_no_path_inside_is_refused(path, tmp_path):
    with pytest.raises(Invalid) as raised:
        checked(path)
    assert repr(path) in raised.value.message
    with pytest.raises(Invalid):
        inside(tmp_path, path)


@pytest.mark.parametrize(
    "path",
    ["a", "data.parquet", "year=2013/part-0.parquet", "a b/ü.txt", "..a/b..", "…", "x" * 255, ".hidden"],
)
def test_plain_paths_are_taken(path, tmp_path):
    assert str(checked(path)) == path
    assert inside(tmp_path, path) == tmp_path / path


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="a./\\:\0 ~é", max_size=12))
def test_what_is_taken_stays_inside(text):
    try:
        path = checked(text)
    except Invalid:
        return
    assert os.path.normpath(f"/folder/{path}") == f"/folder/{text}"


def test_a_link_on_the_way_out_is_refused(tmp_path):
    folder, outside = tmp_path / "folder", tmp_path / "outside"
    folder.mkdir()
    outside.mkdir()
    (folder / "out").symlink_to(outside)
    (folder / "in").symlink_to(folder)
    with pytest.raises(Invalid, match="leads out"):
        inside(folder, "out/file")
    with pytest.raises(Invalid, match="leads out"):
        inside(folder, "out")
    assert inside(folder, "in/file") == folder / "in/file"


def test_paths_of_one_version_fit_together():
    assert [str(path) for path in checked_together(["a/b", "a/c", "ab"])] == ["a/b", "a/c", "ab"]
    with pytest.raises(Invalid, match="'a' is there twice"):
        checked_together(["a", "b", "a"])
    with pytest.raises(Invalid, match="'a/b' is a file, so 'a/b/c/d'"):
        checked_together(["a/b/c/d", "a/b"])


def test_a_folder_is_listed_file_by_file(tmp_path):
    for name in ("b/z.txt", "b/a.txt", "a.txt", "b.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "empty").mkdir()
    (tmp_path / "link.txt").symlink_to("a.txt")
    found = [file.relative_to(tmp_path).as_posix() for file in files_below(tmp_path)]
    assert found == ["a.txt", "b.txt", "b/a.txt", "b/z.txt", "link.txt"]


def test_a_folder_that_cannot_be_kept_whole_is_refused(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(Invalid, match="holds no file"):
        files_below(folder)
    (folder / "a").write_text("a")
    (tmp_path / "secret").write_text("s")
    for name, target in (("out", "../secret"), ("gone", "nothing"), ("round", ".")):
        (folder / name).symlink_to(target)
        with pytest.raises(Invalid, match=name):
            files_below(folder)
        (folder / name).unlink()
    os.mkfifo(folder / "pipe")
    with pytest.raises(Invalid, match="pipe is neither a file nor a folder"):
        files_below(folder)
