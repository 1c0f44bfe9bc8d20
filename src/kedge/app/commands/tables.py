"""Tables of the command line: nothing is cut, so that names and ids can be copied."""

import datetime as dt
import sys

from rich.console import Console
from rich.table import Table

_WIDE = 160
"""Columns of output that goes to a file or a pipe, where no window limits them."""


def moment(at_ms: int) -> str:
    """A time in UTC.

    Examples
    --------
    >>> moment(0)
    '1970-01-01 00:00:00'
    """
    return dt.datetime.fromtimestamp(at_ms / 1000, dt.UTC).strftime("%Y-%m-%d %H:%M:%S")


def print_table(table: Table) -> None:
    """Print to standard output; what does not fit goes on in the next line."""
    for column in table.columns:
        column.overflow = "fold"
    Console(width=None if sys.stdout.isatty() else _WIDE).print(table)
