"""The `kedge` command. Errors that Kedge raises on purpose are one line and exit status 1; the rest is a traceback."""

import sys
from importlib import import_module

import typer

from kedge.core.errors import KedgeError

COMMANDS = {
    "up": "up",
    "demo": "demo",
    "status": "status",
    "doctor": "doctor",
    "config": "config",
    "run": "run",
    "runs": "run",
    "cancel": "run",
    "data": "data",
    "deploy": "deploy",
    "endpoints": "deploy",
    "rollback": "deploy",
    "predict": "deploy",
    "monitor": "monitor",
    "drift": "drift",
    "import": "imports",
}
"""Which module of `kedge.app.commands` has a command; each has `register(cli)`."""


def main() -> None:
    """Run the command line."""
    cli = typer.Typer(
        name="kedge",
        help="Kedge: tracking, pipelines, serving and drift monitoring in one process to start.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        add_completion=False,
    )
    cli.callback()(lambda: None)  # without it, a single command would take the place of the group
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    try:
        # A command's own module is enough, and `up` does not wait for the libraries of the others.
        for name in [COMMANDS[wanted]] if wanted in COMMANDS else dict.fromkeys(COMMANDS.values()):
            import_module(f"kedge.app.commands.{name}").register(cli)
        cli()
    except KedgeError as error:
        print(f"kedge: {error.message}", file=sys.stderr)
        if error.hint:
            print(f"       {error.hint}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
