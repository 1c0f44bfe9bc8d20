"""What only MLflow itself can do to its tables, done by it in a process of its own."""

import importlib.util
import os
import subprocess
import sys

from kedge.core.errors import Invalid, MissingExtra

_REVISIONS = """
from alembic.script import ScriptDirectory
import mlflow.store.db_migrations as migrations
print("\\n".join(each.revision for each in ScriptDirectory(migrations.__path__[0]).walk_revisions()))
"""
# The address comes through a pipe: a list of processes would show a password among the arguments.
_UPGRADE = """
import sys
from mlflow.store.db.utils import _upgrade_db, create_sqlalchemy_engine
_upgrade_db(create_sqlalchemy_engine(sys.stdin.read()))
"""


def known_revisions() -> frozenset[str]:
    """The revisions of MLflow's tables that the installed release can start from, its own among them."""
    return frozenset(_subprocess([sys.executable, "-c", _REVISIONS]).split())


def upgrade(address: str) -> None:
    """Run MLflow's own migrations; `address` is as SQLAlchemy writes it.

    Raises
    ------
    Invalid
        A migration failed.
    MissingExtra
        MLflow is not installed.
    """
    _subprocess([sys.executable, "-c", _UPGRADE], address)


def run_mlflow(*arguments: str) -> None:
    """MLflow's command line. Raises Invalid, MissingExtra."""
    _subprocess([sys.executable, "-m", "mlflow", *arguments])


def _subprocess(command: list[str], given: str = "") -> str:
    if importlib.util.find_spec("mlflow") is None:
        raise MissingExtra("MLflow is not installed", hint='pip install "kedge[mlflow]"')
    variables = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"}  # noqa: TID251 - MLflow is configured by them
    done = subprocess.run(command, capture_output=True, text=True, input=given, env=variables, check=False)  # noqa: S603 - ours
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise Invalid(f"MLflow could not do it: {''.join(last) or f'exit status {done.returncode}'}")
    return done.stdout
