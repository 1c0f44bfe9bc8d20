"""The code that ran, kept: its files as objects, the git commit that they came from."""

import subprocess
from pathlib import Path

import msgspec
from blake3 import blake3

from kedge.core.objects import ObjectStore
from kedge.core.pipelines import CodeSnapshot
from kedge.pipelines.project import Project

_GIT_TIMEOUT_S = 5


def snapshot(entry: str, project: Project, objects: ObjectStore) -> CodeSnapshot:
    """Store the project's files and describe them; the same files, commit and entry make the same id."""
    stored = {name: objects.put([path.read_bytes()]) for name, path in project.sources(entry).items()}
    commit, dirty = _git(project.root)
    identity = msgspec.json.encode((entry, sorted(stored.items()), commit, dirty))
    return CodeSnapshot(
        id=blake3(identity).hexdigest()[:32], entry=entry, files=stored, git_commit=commit, git_dirty=dirty
    )


def _git(project: Path) -> tuple[str | None, bool]:
    commit = _asked(project, "rev-parse", "HEAD")
    if not commit:
        return None, False
    return commit, bool(_asked(project, "status", "--porcelain", "--untracked-files=no"))


def _asked(project: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - fixed arguments, as a list
            ["git", "-C", str(project), *arguments],  # noqa: S607 - the user's git, wherever it is
            capture_output=True,
            text=True,
            timeout=_GIT_TIMEOUT_S,
            check=False,
        )
    except (
        OSError,
        subprocess.TimeoutExpired,
    ):  # no git, or one that hangs: the files themselves are kept anyway
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
