"""Who edits a kernel tests what they wrote, not what another file's cache kept of it."""

import os
from pathlib import Path

from tests.kernels import KERNELS, remove_stale

import kedge.drift.kernels


def _written(file: Path, at: float, text: str = "") -> Path:
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    os.utime(file, (at, at))
    return file


def test_a_cache_older_than_what_its_module_calls_is_removed(tmp_path) -> None:
    single = "from kedge.drift.kernels import middle as of_middle\n"
    middle = "import numpy\nfrom kedge.drift.kernels.layout import (\n    SIZE,\n)\n"
    for name, at, text in (("single", 1, single), ("middle", 1, middle), ("layout", 5, ""), ("apart", 1, "")):
        _written(tmp_path / f"{name}.py", at, text)
    names = (
        "single.one-1.py311.nbi",
        "single.one-1.py311.1.nbc",
        "middle.a-1.py311.nbi",
        "apart.b-1.py311.nbi",
    )
    for name in names:
        _written(tmp_path / "__pycache__" / name, 3)
    assert remove_stale(tmp_path) == ["middle", "single"]
    assert not (tmp_path / "__pycache__" / names[0]).exists(), "the index: without it the rest is not read"
    assert (tmp_path / "__pycache__" / names[3]).exists()
    assert remove_stale(tmp_path) == []
    _written(tmp_path / "__pycache__" / names[0], 6)  # compiled anew
    assert remove_stale(tmp_path) == []


def test_the_kernels_are_where_they_are_looked_for() -> None:
    assert Path(kedge.drift.kernels.__file__).parent == KERNELS
    assert "from kedge.drift.kernels import concept" in (KERNELS / "single.py").read_text()
