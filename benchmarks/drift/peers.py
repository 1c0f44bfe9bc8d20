"""Environments of the libraries beside which we are measured: each wants other versions than Kedge's own environment."""

import dataclasses
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
CACHE = ROOT / "benchmarks" / "cache"


@dataclasses.dataclass(frozen=True)
class Peer:
    """A library and what its environment must hold."""

    key: str
    title: str
    wanted: tuple[str, ...]


# Kedge's kernels run in the first two environments too, so numba is the same there.
PEERS = (
    Peer("frouros", "Frouros", ("frouros==0.9.0", f"numba=={version('numba')}")),
    Peer("evidently", "Evidently", ("evidently==0.7.23", "pandas<3", f"numba=={version('numba')}")),
    Peer("alibi", "Alibi Detect", ("alibi-detect[torch]==0.13.0",)),
)


class Missing(Exception):
    """An environment could not be made, or what ran in it failed."""


def built(peer: Peer) -> str:
    """The Python of the peer's environment under benchmarks/cache, which is made where it is missing or outdated.

    Raises
    ------
    Missing
        There is no uv, or the packages cannot be had.
    """
    folder = CACHE / f"venv-{peer.key}"
    python, stamp = folder / "bin" / "python", folder / "wanted"
    wanted = "\n".join(peer.wanted)
    if stamp.exists() and stamp.read_text() == wanted:
        return str(python)
    uv = _uv()
    CACHE.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    _done([uv, "venv", "--quiet", "--python", sys.executable, str(folder)])
    install = [uv, "pip", "install", "--quiet", "--python", str(python), *peer.wanted]
    try:
        # PyTorch without CUDA is a tenth of the download, but its index is not reachable everywhere.
        _done([*install, "--torch-backend", "cpu"] if "[torch]" in wanted else install)
    except Missing:
        if "[torch]" not in wanted:
            raise
        _done(install)
    stamp.write_text(wanted)
    return str(python)


def environment() -> dict[str, str]:
    """For a process in another environment: Kedge's sources, and compiled kernels apart from those of this environment."""
    paths = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    return {**os.environ, "PYTHONPATH": paths, "NUMBA_CACHE_DIR": str(CACHE / "numba")}


def asked(python: str, module: str, *arguments: int) -> dict[str, Any]:
    """What a module of this package prints when it is run there.

    Raises
    ------
    Missing
        It fails.
    """
    command = [python, "-W", "ignore", "-m", f"benchmarks.drift.{module}", *(str(each) for each in arguments)]
    return dict(json.loads(_done(command, environment()).splitlines()[-1]))


def _uv() -> str:
    beside = Path(sys.executable).parent / "uv"
    found = str(beside) if beside.exists() else shutil.which("uv")
    if found is None:
        raise Missing("uv is not installed")
    return found


def _done(command: Sequence[str], environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=ROOT)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()] or ["no reason given"]
        raise Missing(lines[-1].strip()[:200])
    return done.stdout
